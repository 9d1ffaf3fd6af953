"""The pinned packages import beside each other, as the versions locked."""

import importlib.metadata
import os
import pathlib
import unittest

import hypothesis
import jax
import lightly
import numpy
import pytest
import sklearn
import torch
import torchvision

LOCKS = pathlib.Path(os.environ["TEST_SRCDIR"], "gsg/bazel/repo/python_packages")


def locked_versions():
    versions = {}
    for name in ("packages.lock", "tools.lock"):
        for line in (LOCKS / name).read_text(encoding="utf-8").splitlines():
            if not line.startswith("#"):
                package, version = line.split()[1].split("-")[:2]
                versions[package] = version
    return versions


class PythonPackagesTest(unittest.TestCase):

    def test_versions_are_the_locked_ones(self):
        locked = locked_versions()
        for module in (hypothesis, jax, lightly, pytest, torch, torchvision):
            version = module.__version__.partition("+")[0]
            self.assertEqual(version, locked[module.__name__])
        self.assertEqual(sklearn.__version__, locked["scikit_learn"])
        self.assertEqual(importlib.metadata.version("mypy"), locked["mypy"])

    def test_they_share_one_numpy(self):
        self.assertIn("pypi_numpy", numpy.__file__)
        self.assertEqual(torch.ones(2).numpy().dtype, numpy.float32)
        self.assertEqual(numpy.asarray(jax.numpy.ones(2)).dtype, numpy.float32)


if __name__ == "__main__":
    unittest.main()
