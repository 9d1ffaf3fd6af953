"""gsg_core by CMake, in each way of taking it, with GCC and, where it is, Clang.

Each compiler builds the library, and a program with what the other built.
Abseil is built once, its needed parts alone, from the sources that Bazel has
fetched; nothing is downloaded. All is compiled without optimization, which takes
a quarter of the time, and Abseil four files at a time. What consumers print must be
what Bazel's build prints.
"""

import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

import cmake
import ninja
import pkgconf

RUNFILES = pathlib.Path(os.environ["TEST_SRCDIR"])
COMPILERS = [c for c in ("g++", "clang++") if shutil.which(c)]
CMAKE = pathlib.Path(cmake.CMAKE_BIN_DIR, "cmake")
COMPILE_ONCE = RUNFILES / "gsg/tests/cmake/compile_once.py"
NINJA = pathlib.Path(ninja.BIN_DIR, "ninja")
# -w: Abseil's warnings at -O0 are not ours.
UNOPTIMIZED = ["-DCMAKE_BUILD_TYPE=Debug", "-DCMAKE_CXX_FLAGS_DEBUG=-O0"]
# What is exported of core_internal: inline functions of headers, and //cuda, call
# it.
SHARED_INTERNALS = {
    "CheckShapes", "CheckGrads", "CheckPairing", "CheckLossOptions",
    "SelectFour", "SelectShared", "NearestOfFour", "NearestOfShared"
}


def external(file):
    """The folder of an external repository, from the path of a file in it."""
    repository = file.split("/")[0]
    real = os.path.realpath(RUNFILES / file)
    return pathlib.Path(real[:-len(file)], repository)


def exported_internals(symbols):
    """The functions of core_internal among the symbols of `nm -DC`."""
    function = re.compile(
        r" [TWVuBDR] .*gsg::v0_1::core_internal::(\w+)(<[\w: ]+>)?$")
    found = (function.search(line.split("(")[0])
             for line in symbols.splitlines())
    return {match.group(1) for match in found if match}


def run(*command, **kwargs):
    result = subprocess.run([str(c) for c in command], text=True,
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                            **kwargs)
    if result.returncode != 0:
        raise AssertionError(f"{' '.join(map(str, command))} failed:\n"
                             f"{result.stdout[-6000:]}")
    return result.stdout


def configure(source, build, compiler, *options, prefix_path=()):
    prefixes = ";".join(map(str, prefix_path))
    return run(CMAKE, "-S", source, "-B", build, "-G", "Ninja",
               f"-DCMAKE_MAKE_PROGRAM={NINJA}", f"-DCMAKE_CXX_COMPILER={compiler}",
               f"-DCMAKE_PREFIX_PATH={prefixes}", "-DCMAKE_INSTALL_LIBDIR=lib",
               "-DCMAKE_EXPORT_COMPILE_COMMANDS=ON", *options)


def build_and_install(build, prefix):
    run(NINJA, "-C", build, "-j1")
    run(CMAKE, "--install", build, "--prefix", prefix)


class CMakeTest(unittest.TestCase):

    @classmethod
    def setUpClass(cls):
        cls.tmp = pathlib.Path(tempfile.mkdtemp(dir=os.environ["TEST_TMPDIR"]))
        # Copies: as a checkout has them, not as links into Bazel's folders.
        cls.source = cls.tmp / "gsg"
        for path in ("gsg_core", "cmake"):
            shutil.copytree(RUNFILES / "gsg" / path, cls.source / path)
        for path in ("CMakeLists.txt", "LICENSE", "THIRD_PARTY_NOTICES.txt"):
            shutil.copy(RUNFILES / "gsg" / path, cls.source / path)
        cls.consumer = cls.tmp / "consumer"
        shutil.copytree(RUNFILES / "gsg/tests/cmake/consumer", cls.consumer)
        cls.expected = run(RUNFILES / "gsg/tests/cmake/bazel_consumer")
        cls.eigen = external("eigen/usr/include/eigen3/Eigen/Core") / "usr"
        cls.absl = cls.install_abseil()
        cls.libraries = [cls.absl, cls.eigen]
        compiled = cls.tmp / "compiled"
        compiled.mkdir()
        cls.compiling = [
            *UNOPTIMIZED, "-DCMAKE_CXX_COMPILER_LAUNCHER=" + ";".join(
                map(str, (sys.executable, COMPILE_ONCE, compiled)))]

    @classmethod
    def install_abseil(cls):
        build, prefix = cls.tmp / "absl-build", cls.tmp / "absl"
        configure(external("com_google_absl/absl/base/config.h"), build,
                  COMPILERS[0], "-DCMAKE_BUILD_TYPE=None",
                  "-DCMAKE_CXX_FLAGS=-O0 -w", "-DCMAKE_CXX_STANDARD=17",
                  "-DCMAKE_POSITION_INDEPENDENT_CODE=ON", "-DBUILD_TESTING=OFF",
                  "-DABSL_PROPAGATE_CXX_STD=ON", "-DABSL_ENABLE_INSTALL=ON",
                  # With more of them names meet.
                  "-DCMAKE_UNITY_BUILD=ON", "-DCMAKE_UNITY_BUILD_BATCH_SIZE=4",
                  f"-DCMAKE_INSTALL_PREFIX={prefix}")
        run(NINJA, "-C", build, "-j1", "statusor", "synchronization", "strings")
        # The other libraries are installed empty: half of the time.
        targets = run(NINJA, "-C", build, "-t", "targets", "all")
        for library in re.findall(r"^(\S+\.a): ", targets, re.MULTILINE):
            if not (build / library).exists():
                run("ar", "cr", build / library)
        run(CMAKE, "--install", build, "--prefix", prefix)
        return prefix

    def install_gsg(self, name, compiler, *options):
        """Installs gsg and moves it elsewhere, as packages are moved."""
        build, prefix = self.tmp / f"{name}-build", self.tmp / f"{name}-stage"
        configure(self.source, build, compiler, *self.compiling, *options,
                  f"-DCMAKE_INSTALL_PREFIX={prefix}", prefix_path=self.libraries)
        build_and_install(build, prefix)
        moved = self.tmp / name
        shutil.move(prefix, moved)
        return moved

    def check_consumer(self, way, compiler, *options, prefix_path=()):
        build = self.tmp / f"{way}-{compiler}-{len(list(self.tmp.iterdir()))}"
        configure(self.consumer, build, compiler, *self.compiling,
                  f"-DGSG_FROM={way}", f"-DGSG_SOURCE={self.source}", *options,
                  prefix_path=[*self.libraries, *prefix_path])
        run(NINJA, "-C", build, "-j1")
        self.assertEqual(run(build / "consumer"), self.expected)
        return build / "consumer"

    def check_pkg_config(self, compiler, prefix):
        paths = [prefix / "lib/pkgconfig", self.absl / "lib/pkgconfig",
                 self.eigen / "share/pkgconfig"]
        environment = dict(os.environ,
                           PKG_CONFIG_PATH=":".join(map(str, paths)))
        tool = [pkgconf.get_executable()]
        self.assertEqual(
            run(*tool, "--modversion", "gsg", env=environment).strip(),
            re.search(r"version (\S+),", self.expected).group(1))
        flags = run(*tool, "--cflags", "--libs", "--static", "gsg",
                    env=environment).split()
        # Debian's eigen3.pc names the place where the package installs it.
        program = self.tmp / f"pkg-config-{compiler}"
        run(compiler, "-std=c++17", "-w", self.consumer / "main.cc", "-o", program,
            f"-I{self.eigen}/include/eigen3", *flags)
        self.assertEqual(run(program), self.expected)

    def test_installed_static_library(self):
        prefix = self.install_gsg("static", COMPILERS[0])
        for compiler in COMPILERS:
            with self.subTest(compiler):
                program = self.check_consumer("find_package", compiler,
                                              prefix_path=[prefix])
                self.assertNotIn("libgsg", run("ldd", program))
                self.check_pkg_config(compiler, prefix)

    def test_installed_shared_library(self):
        prefix = self.install_gsg("shared", COMPILERS[-1],
                                  "-DBUILD_SHARED_LIBS=ON")
        for compiler in COMPILERS:
            with self.subTest(compiler):
                program = self.check_consumer("find_package", compiler,
                                              prefix_path=[prefix])
                self.assertIn("libgsg_core.so.0.1 =>", run("ldd", program))
        library = prefix / "lib/libgsg_core.so"
        self.assertEqual(os.path.realpath(library), f"{library}.0.1.0")
        symbols = run("nm", "-DC", library)
        # Instantiations are weak.
        self.assertRegex(symbols, r" W .*gsg::v0_1::GuidedLoss<float>\(")
        self.assertRegex(symbols, r" T gsg::v0_1::CyclicPairing\(")
        self.assertEqual(exported_internals(symbols), SHARED_INTERNALS)
        # One for the process, whatever the versions: there must be none of ours.
        self.assertNotRegex(symbols, r" u .*gsg::")

    def test_another_minor_version_is_not_found(self):
        prefix = self.tmp / "version"
        configure(self.source, self.tmp / "version-build", COMPILERS[0],
                  prefix_path=self.libraries)
        target = prefix / "lib/cmake/gsg"
        target.mkdir(parents=True)
        for name in ("gsgConfig.cmake", "gsgConfigVersion.cmake"):
            shutil.copy(self.tmp / "version-build" / name, target)
        project = self.tmp / "version-consumer"
        project.mkdir()
        (project / "CMakeLists.txt").write_text(
            "cmake_minimum_required(VERSION 3.16)\nproject(c LANGUAGES CXX)\n"
            "find_package(gsg 0.0.9 CONFIG REQUIRED)\n", encoding="utf-8")
        with self.assertRaisesRegex(AssertionError,
                                    r"(?s)compatible.*gsgConfig.cmake"):
            configure(project, self.tmp / "version-c", COMPILERS[0],
                      prefix_path=[prefix])

    # As part of projects that compile many files at a time.

    def test_add_subdirectory(self):
        self.check_consumer("add_subdirectory", COMPILERS[0],
                            "-DCMAKE_UNITY_BUILD=ON")

    def test_fetch_content(self):
        self.check_consumer("FetchContent", COMPILERS[-1],
                            "-DCMAKE_UNITY_BUILD=ON")

    def options_of_loss(self, *options):
        build = self.tmp / f"options{len(list(self.tmp.iterdir()))}"
        configure(self.consumer, build, COMPILERS[0],
                  "-DGSG_FROM=add_subdirectory", f"-DGSG_SOURCE={self.source}",
                  *options, prefix_path=self.libraries)
        commands = json.loads((build / "compile_commands.json").read_text())
        return next(command["command"].split() for command in commands
                    if command["file"].endswith("/gsg_core/loss.cc"))

    def test_optimized_without_a_build_type(self):
        self.assertIn("-O2", self.options_of_loss())
        self.assertNotIn("-O2", self.options_of_loss("-DCMAKE_BUILD_TYPE=Debug"))


if __name__ == "__main__":
    unittest.main()
