"""Runs one file's tests by pytest, as a py_test."""

import os
import sys

import pytest


def main(file: str) -> None:
    arguments = [file, "-v", "-p", "no:cacheprovider", "--tb=short"]
    if "XML_OUTPUT_FILE" in os.environ:
        arguments.append("--junitxml=" + os.environ["XML_OUTPUT_FILE"])
    sys.exit(pytest.main(arguments + sys.argv[1:]))
