"""Writes packages.lock, tools.lock, lightning.lock, timm.lock and build_tools.lock: the
wheels that *.in ask for, pinned.

Run it after a change to an .in file, or to move to newer versions (UNTIL):

    python3 -m venv /tmp/lock && /tmp/lock/bin/pip install packaging uv
    /tmp/lock/bin/python bazel/repo/python_packages/lock.py

(tomllib: Python 3.11 or newer.) A lock has a line per wheel for CPython 3.10 to
3.13 on Linux x86-64: its SHA-256, its file name, and the Python it is for, or
"any". Versions are one for all Pythons where there are such.
"""

import collections
import pathlib
import re
import subprocess
import sys
import tempfile
import tomllib
import urllib.parse

from packaging.markers import Marker
from packaging.tags import cpython_tags, compatible_tags
from packaging.utils import parse_wheel_filename

HERE = pathlib.Path(__file__).resolve().parent
UNTIL = "2026-11-15"  # what was on PyPI on this day
PYTHONS = ("3.10", "3.11", "3.12", "3.13")
PLATFORMS = [f"manylinux_2_{minor}_x86_64" for minor in range(28, 4, -1)] + [
    "manylinux2014_x86_64", "manylinux2010_x86_64", "manylinux1_x86_64"]
# A repository of its own, @pypi_numpy, which the bindings use without the rest.
NUMPY = "numpy"


def numpy_pin():
    text = (HERE.parent / "deps.bzl").read_text(encoding="utf-8")
    return re.search(r'"(numpy==\S+) ', text).group(1)


def resolve(name, pins, overrides=()):
    """What name.in needs, as a list of packages of PEP 751."""
    with tempfile.TemporaryDirectory() as folder:
        constraints = pathlib.Path(folder, "constraints.txt")
        constraints.write_text("\n".join(pins) + "\n", encoding="utf-8")
        toml = subprocess.check_output([
            sys.executable, "-m", "uv", "pip", "compile", "--quiet",
            "--universal", f"--python-version={PYTHONS[0]}",
            "--fork-strategy=fewest", "--only-binary=:all:",
            f"--exclude-newer={UNTIL}",
            *(f"--override={HERE / file}" for file in overrides),
            f"--constraint={constraints}", "--format=pylock.toml",
            HERE / f"{name}.in"
        ], text=True)
    return [package for package in tomllib.loads(toml)["packages"]
            if package["name"] != NUMPY]


def is_for(package, python):
    environment = {"python_version": python,
                   "python_full_version": f"{python}.0",
                   "platform_machine": "x86_64", "platform_system": "Linux",
                   "platform_python_implementation": "CPython",
                   "sys_platform": "linux"}
    return ("marker" not in package
            or Marker(package["marker"]).evaluate(environment))


def best_wheel(package, python):
    """(file name, SHA-256) of the wheel that pip takes."""
    version = tuple(map(int, python.split(".")))
    tags = [*cpython_tags(version, platforms=PLATFORMS),
            *compatible_tags(version, platforms=PLATFORMS)]
    ranked = []
    for wheel in package["wheels"]:
        path = urllib.parse.urlparse(wheel["url"]).path
        file = urllib.parse.unquote(path.rsplit("/", 1)[1])
        ranks = [tags.index(tag) for tag in parse_wheel_filename(file)[3]
                 if tag in tags]
        if ranks:
            ranked.append((min(ranks), file, wheel["hashes"]["sha256"]))
    if not ranked:
        sys.exit(f"{package['name']}=={package['version']} has no wheel for "
                 f"Python {python}")
    return min(ranked)[1:]


def write_lock(name, packages):
    pythons = collections.defaultdict(list)
    for python in PYTHONS:
        for package in packages:
            if is_for(package, python):
                pythons[best_wheel(package, python)].append(python)
    with open(HERE / f"{name}.lock", "w", encoding="utf-8") as lock:
        lock.write("# Written by lock.py.\n")
        for (file, sha256), versions in sorted(pythons.items()):
            if len(versions) == len(PYTHONS):
                versions = ["any"]
            for version in versions:
                lock.write(f"{sha256}  {file}  {version}\n")


def main():
    packages = resolve("packages", [numpy_pin()],
                       overrides=("overrides.txt", "torch_overrides.txt"))
    write_lock("packages", packages)
    # The two are imported together: what both have must be one version.
    pins = [f"{package['name']}=={package['version']}" +
            (f"; {package['marker']}" if "marker" in package else "")
            for package in packages]
    write_lock("tools", resolve("tools", [numpy_pin(), *pins],
                                overrides=("tools_overrides.txt",)))
    # What comes on top of the packages.
    there = {package["name"] for package in packages}
    for name, overrides in (("lightning", ()),
                            ("timm", ("timm_overrides.txt",))):
        resolved = resolve(name, [numpy_pin(), *pins],
                           overrides=("torch_overrides.txt", *overrides))
        write_lock(name, [package for package in resolved
                          if package["name"] not in there])
    write_lock("build_tools", resolve("build_tools", []))


if __name__ == "__main__":
    main()
