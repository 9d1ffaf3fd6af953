"""The wheel in a fresh environment: it installs, is typed, and passes its tests."""

import os
import shutil
import unittest

from tests.bindings import fresh_environment

# The tests that run once more, on the installed package: it is the code that
# others have tested at length, and here what matters is that it is all there.
TESTS = ("arguments_test", "loss_test", "package_test", "torch_test")

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


class WheelTest(fresh_environment.FreshEnvironmentTest):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.wheel, = cls.wheels

    def test_import(self):
        output = self.call(self.python, "-c", """
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
        self.check_types(TYPED, REVEALED, 5, "-p", "guided_stop_gradient")

    def test_pip_check_and_warnings(self):
        self.check_imports("guided_stop_gradient", "guided_stop_gradient.torch",
                           "guided_stop_gradient.jax")

    def test_its_own_tests(self):
        source = self.runfiles / "gsg/tests/bindings"
        copy = self.work / "tests/bindings"
        shutil.copytree(source, copy, ignore=lambda folder, names: [
            name for name in names if not name.endswith(".py")])
        for name in TESTS:
            with self.subTest(name):
                output = self.call(
                    self.python, "-m", "pytest", "-q", "-p", "no:cacheprovider",
                    "-k", "not compile", copy / f"{name}.py",
                    PYTHONPATH=str(self.work), PATH=os.environ["PATH"],
                    OMP_NUM_THREADS="2")
                self.assertIn(" passed", output)
                self.assertNotIn(" failed", output)


if __name__ == "__main__":
    unittest.main()
