"""The wheel in a fresh environment: it installs, is typed, and passes its tests.

The environment has NumPy, torch and the rest as a .pth file, that is as
installed packages; gsg is in it by pip alone.
"""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

import numpy
import pip
import pytest
import torch

# The tests that run once more, on the installed package.
TESTS = ("arguments_test", "loss_test", "package_test", "property_test",
         "torch_replay_test", "torch_test")

# What a user's program may say, and may not.
TYPED = """
import guided_stop_gradient as gsg
import jax.numpy
from guided_stop_gradient.torch import GuidedStopGradientLoss
import numpy as np
import torch

x = np.zeros((2, 3), np.float32)
result = gsg.guided_loss_shared(x, x, torch.from_numpy(x),
                                memoryview(bytes(24)).cast("f", (2, 3)))
reveal_type(result.loss)
reveal_type(result.pair)
reveal_type(gsg.pairing(5))
reveal_type(GuidedStopGradientLoss(views="four").step)
gsg.select([[1.0]], x, x, x)
gsg.guided_loss(x, x, x, x, x, x, x)
gsg.select(x, x, x, x, selection="mni")
GuidedStopGradientLoss(reduction="avg")
j = jax.numpy.zeros((2, 3))
gsg.guided_loss_shared(j, j, j, j)
reveal_type(gsg.jax.guided_loss_shared(j, j, x, x))
gsg.torch.GuidedStopGradientLoss(views="two")
"""
REVEALED = ('Revealed type is "float"', "dtype[numpy.unsignedinteger[",
            "dtype[numpy.signedinteger[", 'Revealed type is "int"',
            '"select" has incompatible type "list[list[float]]"',
            'Missing positional argument "z22"',
            """incompatible type "Literal['mni']\"""",
            """incompatible type "Literal['avg']\"""",
            """incompatible type "Literal['two']\"""", "Array")


def folder_of(module):
    return pathlib.Path(module.__file__).parent.parent.resolve()


class WheelTest(unittest.TestCase):

    @classmethod
    def setUpClass(cls):
        cls.runfiles = pathlib.Path(os.environ["TEST_SRCDIR"])
        scratch = tempfile.TemporaryDirectory(dir=os.environ["TEST_TMPDIR"])
        cls.addClassCleanup(scratch.cleanup)
        cls.work = pathlib.Path(scratch.name).resolve()
        # Not every Python can put a pip into an environment: it is lent one.
        cls.run_program(sys.executable, "-m", "venv", "--without-pip", "env")
        cls.python = cls.work / "env/bin/python"
        cls.target = pathlib.Path(cls.run_program(
            cls.python, "-c",
            "import sysconfig; print(sysconfig.get_path('platlib'))").strip())
        packages = {folder_of(m) for m in (numpy, torch, pytest)}
        (cls.target / "packages.pth").write_text(
            "".join(f"{folder}\n" for folder in packages), encoding="utf-8")
        cls.wheel, = cls.runfiles.glob("gsg/bindings/*.whl")
        # It asks for NumPy, which pip must find.
        cls.run_program(cls.python, "-m", "pip", "install", "--no-index",
                        "--no-cache-dir", cls.wheel.resolve(),
                        PYTHONPATH=str(folder_of(pip)))

    @classmethod
    def run_program(cls, *arguments, ok=True, **env):
        # Not this test's PYTHONPATH, which Bazel sets.
        env.update(PATH=os.environ["PATH"], HOME=str(cls.work))
        result = subprocess.run(arguments, cwd=cls.work, env=env, text=True,
                                capture_output=True, check=False)
        output = result.stdout + result.stderr
        if ok and result.returncode != 0:
            raise AssertionError(output[-20000:])
        return output

    def test_import(self):
        output = self.run_program(self.python, "-c", """
import importlib.metadata, sys
import guided_stop_gradient as gsg
print(gsg.__file__)
print(importlib.metadata.version("guided-stop-gradient") == gsg.__version__)
print(sorted({"torch", "jax", "ml_dtypes"} & set(sys.modules)))
x = memoryview(bytes(range(32))).cast("d", (2, 2))
print(gsg.pairing(2, seed=0))
""")
        self.assertEqual(output.splitlines(), [
            str(self.target / "guided_stop_gradient/__init__.py"), "True", "[]",
            "[1 0]"])

    def test_contents(self):
        self.assertRegex(self.wheel.name, r"-manylinux_2_\d\d_x86_64\.whl$")
        info, = self.target.glob("guided_stop_gradient-*.dist-info")
        metadata = (info / "METADATA").read_text(encoding="utf-8")
        self.assertIn("Requires-Dist: numpy>=1.23\n", metadata)
        readme = self.runfiles / "gsg/bindings/README.md"
        self.assertTrue(metadata.endswith(
            "\n\n" + readme.read_text(encoding="utf-8")))
        self.assertIn("Apache License",
                      (info / "LICENSE").read_text(encoding="utf-8"))
        notices = (info / "THIRD_PARTY_NOTICES.txt").read_text(encoding="utf-8")
        for name in ("Abseil", "DLPack", "Eigen", "pybind11"):
            self.assertIn(f"\n{name}", notices)
        self.assertTrue((self.target / "guided_stop_gradient/py.typed").exists())
        self.assertIn(f"Tag: {self.wheel.stem.split('-', 2)[2]}\n",
                      (info / "WHEEL").read_text(encoding="utf-8"))

    def test_types(self):
        program = self.work / "typed.py"
        program.write_text(TYPED, encoding="utf-8")
        mypy = [sys.executable, "-m", "mypy", "--strict",
                "--python-executable", self.python]
        lend = dict(PYTHONPATH=str(folder_of(pytest)))
        output = self.run_program(*mypy, program, ok=False, **lend)
        for text in REVEALED:
            self.assertIn(text, output)
        self.assertIn("Found 5 errors", output)
        self.assertIn("Success", self.run_program(
            *mypy, "-p", "guided_stop_gradient", **lend))

    def test_its_own_tests(self):
        source = self.runfiles / "gsg/tests/bindings"
        copy = self.work / "tests/bindings"
        shutil.copytree(source, copy, ignore=lambda folder, names: [
            name for name in names if not name.endswith(".py")])
        for name in TESTS:
            with self.subTest(name):
                output = self.run_program(
                    self.python, "-m", "pytest", "-q", "-p", "no:cacheprovider",
                    copy / f"{name}.py", PYTHONPATH=str(self.work),
                    OMP_NUM_THREADS="2")
                self.assertIn(" passed", output)
                self.assertNotIn(" failed", output)


if __name__ == "__main__":
    unittest.main()
