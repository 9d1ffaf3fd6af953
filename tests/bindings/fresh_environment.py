"""A virtual environment with wheels of this build, for the tests of them."""

import importlib.metadata
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

import numpy
import pip
import pytest
import torch

# What is there beside torch, NumPy and torchvision requires what is not.
LEFT_OUT = ("lightly", "tensorboard", "pip", "__pycache__", "bin", "nvidia")


def folder_of(module):
    return pathlib.Path(module.__file__).parent.parent.resolve()


class FreshEnvironmentTest(unittest.TestCase):
    """Has an environment in which pip installed the test's wheels.

    torch and what else the tests use is there by links, that is as installed
    packages. work: the folder that programs start in, new and empty but for env.
    target: where packages are. python: its program. wheels: their files.
    """

    @classmethod
    def setUpClass(cls):
        cls.runfiles = pathlib.Path(os.environ["TEST_SRCDIR"])
        scratch = tempfile.TemporaryDirectory(dir=os.environ["TEST_TMPDIR"])
        cls.addClassCleanup(scratch.cleanup)
        cls.work = pathlib.Path(scratch.name).resolve()
        subprocess.check_call([sys.executable, "-m", "venv", "--without-pip",
                               cls.work / "env"])
        cls.python = cls.work / "env/bin/python"
        cls.target = pathlib.Path(cls.call(
            cls.python, "-c",
            "import sysconfig; print(sysconfig.get_path('platlib'))").strip())
        # Not every Python can put a pip into an environment.
        (cls.target / "pip").symlink_to(folder_of(pip) / "pip")
        for folder in sorted({folder_of(m) for m in (numpy, pytest, torch)}):
            for entry in folder.iterdir():
                link = cls.target / entry.name
                if not (entry.name.startswith(LEFT_OUT) or link.is_symlink()):
                    link.symlink_to(entry)
        # NVIDIA's libraries, or what stands in for them: those of several folders.
        for folder in map(pathlib.Path, sys.path):
            for library in folder.glob("nvidia/*/lib/*.so*"):
                link = cls.target / library.relative_to(folder)
                link.parent.mkdir(parents=True, exist_ok=True)
                if not link.exists():
                    link.symlink_to(library.resolve())
        cls.pretend_to_have_cuda()
        cls.wheels = sorted(cls.runfiles.glob("gsg/bindings/*.whl"))
        cls.call(cls.python, "-m", "pip", "install", "--no-index",
                 "--no-cache-dir", *(wheel.resolve() for wheel in cls.wheels))

    @classmethod
    def pretend_to_have_cuda(cls):
        """What torch requires and tests do without, as packages of no files.

        Otherwise pip would find them missing.
        """
        for line in importlib.metadata.requires("torch"):
            found = re.match(r"((?:cuda|nvidia)-[\w-]+|triton)\b.*?[=>]=([\d.]+)", line)
            if not found or list(importlib.metadata.Distribution.discover(
                    name=found[1], path=[str(cls.target)])):
                continue
            name, version = found.groups()
            info = cls.target / f"{name.replace('-', '_')}-{version}.dist-info"
            info.mkdir()
            (info / "METADATA").write_text(
                f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
                encoding="utf-8")

    @classmethod
    def call(cls, *line, code=0, **env):
        """What a program printed; an AssertionError if it ends otherwise.

        env: instead of an environment that has the programs of this one alone.
        """
        # Not this test's environment, which is Bazel's.
        env = {"PATH": f"{cls.work}/env/bin", "HOME": str(cls.work),
               "OMP_NUM_THREADS": "1", **env}
        if line[0] == "gsg":
            line = (cls.work / "env/bin/gsg", *line[1:])
        result = subprocess.run(line, cwd=cls.work, env=env, text=True,
                                capture_output=True, check=False)
        output = result.stdout + result.stderr
        if result.returncode != code:
            raise AssertionError(f"{line}: {result.returncode}\n{output[-20000:]}")
        return output

    def check_imports(self, *names):
        """That pip finds nothing missing, and Python nothing to warn of."""
        self.assertIn("No broken requirements",
                      self.call(self.python, "-m", "pip", "check"))
        for name in names:
            self.assertEqual(
                self.call(self.python, "-W", "error", "-c", f"import {name}"), "")
