"""The wheel in a fresh environment: it installs and passes its tests."""

import os
import shutil
import unittest

from tests.bindings import fresh_environment

# The tests that run once more, on the installed package: it is the code that
# others have tested at length, and here what matters is that it is all there.
TESTS = ("arguments_test", "loss_test", "package_test", "torch_test")

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
