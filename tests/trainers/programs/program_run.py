"""Runs the programs that work on runs, for tests."""

import os
import subprocess


def path(name):
    """The path of //trainers:<name>."""
    return os.path.join(os.environ["TEST_SRCDIR"], os.environ["TEST_WORKSPACE"],
                        "trainers/programs", name)


def run(name, *flags, **kwargs):
    """Runs //trainers:<name> to its end; returns a CompletedProcess."""
    return subprocess.run([path(name), *flags], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, universal_newlines=True,
                          **kwargs)


def succeed(name, *flags, **kwargs):
    """The same, and what it printed; fails if it did not succeed."""
    process = run(name, *flags, **kwargs)
    if process.returncode != 0:
        raise AssertionError("%s ended with %d: %s" % (name, process.returncode,
                                                       process.stderr))
    return process.stdout
