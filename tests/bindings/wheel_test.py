"""The wheel installs into a fresh environment, without network, and works."""

import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

import numpy

PROGRAM = """
import importlib.metadata, gsg, numpy
x = numpy.eye(2, dtype=numpy.float32)
print(gsg.__file__)
print(importlib.metadata.requires("gsg"))
print(gsg.guided_loss_shared(x, x, x, x).loss)
"""


class WheelTest(unittest.TestCase):

    def run_python(self, *arguments, **env):
        # Not this test's PYTHONPATH, which Bazel sets.
        env["PATH"] = os.environ["PATH"]
        result = subprocess.run(arguments, cwd=self.work, env=env, text=True,
                                capture_output=True, check=False)
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
        return result.stdout.splitlines()

    def test_install(self):
        runfiles = pathlib.Path(os.environ["TEST_SRCDIR"])
        wheel, = runfiles.glob("gsg/bindings/*.whl")
        scratch = tempfile.TemporaryDirectory(dir=os.environ["TEST_TMPDIR"])
        self.addCleanup(scratch.cleanup)
        self.work = pathlib.Path(scratch.name).resolve()

        # This Python's pip, since not every Python can put one into a venv.
        self.run_python(sys.executable, "-m", "venv", "--without-pip", "env")
        python = self.work / "env/bin/python"
        target, = self.run_python(
            python, "-c",
            "import sysconfig; print(sysconfig.get_path('purelib'))")
        self.run_python(sys.executable, "-m", "pip", "install", "--no-index",
                        "--no-deps", "--no-cache-dir", "--target", target,
                        wheel.resolve())

        file, requires, loss = self.run_python(
            python, "-c", PROGRAM,
            PYTHONPATH=str(pathlib.Path(numpy.__file__).parent.parent))
        self.assertEqual(file, f"{target}/gsg/__init__.py")
        self.assertEqual(requires, "['numpy>=1.23']")
        # Each row's z1 and z2 are equal, as are p and z: all cosines are 1.
        self.assertEqual(float(loss), -1)
        self.assertTrue(pathlib.Path(target, "gsg/py.typed").exists())


if __name__ == "__main__":
    unittest.main()
