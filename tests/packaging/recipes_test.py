"""What can be read of the recipes for conda-forge and vcpkg without these tools.

Their versions, licenses, dependencies, options and paths are those of CMakeLists.txt
and of the wheel. Nothing is built by them.
"""

import json
import pathlib
import re
import unittest

LIBRARY = "packaging/conda-forge/libgsg/recipe.yaml"
PYTHON = "packaging/conda-forge/guided-stop-gradient/recipe.yaml"
VCPKG = "packaging/vcpkg"

# What find_package() looks for: its names at conda-forge and in vcpkg.
PACKAGES = {"absl": ("libabseil", "abseil"), "Eigen3": ("eigen", "eigen3")}

# Of the C library, or of a feature.
WITHOUT_PACKAGE = {"Threads", "CUDAToolkit"}


def text_of(path):
    return pathlib.Path(path).read_text(encoding="utf-8")


def value_of(yaml, key):
    """Of the only line `key: value`, without quotes."""
    value, = re.findall(rf"^ *{key}: (.+)$", yaml, re.M)
    return value.partition("  #")[0].strip('"')


def list_of(yaml, *keys):
    """The items below nested keys, each two spaces further in."""
    for depth, key in enumerate(keys):
        head = f"{'  ' * depth}{key}:\n"
        before, found, yaml = f"\n{yaml}".partition(f"\n{head}")
        if not found:
            raise ValueError(f"no {key}")
        yaml = re.match(rf"(?:(?:{'  ' * (depth + 1)}.*)?\n)*", yaml)[0]
    return re.findall(r"^ *- (.*)$", yaml, re.M)


class RecipesTest(unittest.TestCase):

    @classmethod
    def setUpClass(cls):
        cls.cmake = text_of("CMakeLists.txt")
        cls.targets = text_of("bindings/BUILD")
        cls.version = re.search(r'VERSION = "(.*)"',
                                text_of("bazel/version.bzl")).group(1)
        cls.license = re.search(r'SPDX-License-Identifier = "(.*)"',
                                text_of("REUSE.toml")).group(1)
        cls.library, cls.python = text_of(LIBRARY), text_of(PYTHON)
        cls.port = json.loads(text_of(f"{VCPKG}/vcpkg.json"))
        cls.portfile = text_of(f"{VCPKG}/portfile.cmake")
        cls.required = (set(re.findall(r"find_package\((\w+)", cls.cmake))
                        - WITHOUT_PACKAGE)

    def test_versions_and_licenses(self):
        # The package's own line refers to it.
        for yaml in (self.library, self.python):
            self.assertIn(f'\ncontext:\n  version: "{self.version}"\n', yaml)
            self.assertIn("\n  version: ${{ version }}\n", yaml)
            self.assertEqual(value_of(yaml, "license"), self.license)
        self.assertEqual(self.port["version"], self.version)
        self.assertEqual(self.port["license"], self.license)

    def test_license_files(self):
        files = ["LICENSE", "THIRD_PARTY_NOTICES.txt"]
        for file in files:
            self.assertTrue(pathlib.Path(file).exists(), file)
        wheel = re.search(r"\nLICENSE_FILES = \[(.*?)\]", self.targets, re.S)[1]
        self.assertEqual(re.findall(r'"(.*)"', wheel), files)
        self.assertEqual(list_of(self.library, "about", "license_file"), files)
        self.assertEqual(re.findall(r"\$\{SOURCE_PATH\}/([\w.]+)", self.portfile),
                         files)
        self.assertEqual(
            list_of(self.python, "about", "license_file"),
            [f"guided_stop_gradient-${{{{ version }}}}.dist-info/{file}"
             for file in files])

    def test_what_cmake_finds_is_required(self):
        self.assertEqual(self.required, set(PACKAGES))
        self.assertEqual(set(list_of(self.library, "requirements", "host")),
                         {conda for conda, _ in PACKAGES.values()})
        mine = {d for d in self.port["dependencies"] if isinstance(d, str)}
        self.assertEqual(mine, {vcpkg for _, vcpkg in PACKAGES.values()})
        # Its functions are of these ports.
        tools = {d["name"]: d["host"] for d in self.port["dependencies"]
                 if not isinstance(d, str)}
        self.assertEqual(tools, {"vcpkg-cmake": True, "vcpkg-cmake-config": True})
        for function in ("vcpkg_cmake_configure", "vcpkg_cmake_install",
                         "vcpkg_cmake_config_fixup"):
            self.assertIn(f"\n{function}(", self.portfile)

    def test_options_of_cmake_exist(self):
        options = set(re.findall(r"^option\((\w+)", self.cmake, re.M))
        for text in (self.library, self.portfile):
            for name in re.findall(r"-D(\w+)=", text):
                if not name.startswith("CMAKE_"):
                    self.assertIn(name, options)
        self.assertIn("-DBUILD_SHARED_LIBS=ON", self.library)

    def test_what_is_installed(self):
        # list_of's items are of lib, then of files.
        library, *files = list_of(self.library, "tests")[1:]
        self.assertIn(f"\nadd_library({library} ", self.cmake)
        self.assertEqual(files, ["lib/cmake/gsg/gsgConfig.cmake",
                                 "lib/pkgconfig/gsg.pc"])
        self.assertIn("set(gsg_package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/gsg)",
                      self.cmake)
        self.assertIn("DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)", self.cmake)
        self.assertIn("vcpkg_cmake_config_fixup(CONFIG_PATH lib/cmake/gsg)",
                      self.portfile)

    def test_systems(self):
        self.assertEqual(value_of(self.library, "skip"), "win")
        self.assertEqual(self.port["supports"], "!windows")

    def test_the_python_package_is_the_wheel(self):
        self.assertEqual(value_of(self.python, "name"), "guided-stop-gradient")
        self.assertIn(f'distribution = "{value_of(self.python, "name")}"',
                      self.targets)
        self.assertEqual(list_of(self.python, "requirements", "run")[:2],
                         ["python", "numpy >=1.23"])
        self.assertIn('"Requires-Dist: numpy>=1.23"', self.targets)

    def test_there_is_a_wheel_of_each_python(self):
        glibc = re.search(r"manylinux_2_%d_x86_64\" % \((\d+) if",
                          text_of("bazel/pywheel.bzl")).group(1)
        self.assertIn(f"    - __glibc >=2.{glibc}\n", self.python)
        pins = text_of("bazel/repo/deps.bzl")
        numpy = pins[pins.index('name = "pypi_numpy"'):].partition("}")[0]
        pythons = re.findall(r'"(3\.\d+)": ', numpy)
        self.assertEqual(re.findall(r'match\(python, "(.*)\.\*"\)', self.python),
                         pythons)
        tags = [python.replace(".", "") for python in pythons]
        self.assertEqual(
            re.findall(r"url: TO_BE_FILLED_IN/(\S+ \S+ \S+)$", self.python, re.M),
            [f"guided_stop_gradient-${{{{ version }}}}-cp{tag}-cp{tag}-"
             f"manylinux_2_{glibc}_x86_64.whl" for tag in tags])

    def test_lists_are_read(self):
        yaml = "a:\n  b:\n    - c\n    - d e\n\n  f:\n    - g\nh:\n  b:\n    - i\n"
        self.assertEqual(list_of(yaml, "a", "b"), ["c", "d e"])
        self.assertEqual(list_of(yaml, "h", "b"), ["i"])
        with self.assertRaisesRegex(ValueError, "no f"):
            list_of(yaml, "h", "f")


if __name__ == "__main__":
    unittest.main()
