"""Makes a module registry in a Debian system that has bazel-bootstrap.

    python3 registry.py DEBIAN

DEBIAN/registry has each module that gsg and Bazel's own tools ask for, in each
version that is asked for: rules from /usr/share/bazel, Abseil and Eigen from
/modules, and for what is asked for but not used a module without contents.
"""

import json
import pathlib
import re
import sys

RULES = pathlib.PurePosixPath("/usr/share/bazel")
SOURCES = {
    "rules_cc": RULES / "rules/cc",
    "rules_java": RULES / "rules/java",
    "rules_license": RULES / "rules/license",
    "rules_proto": RULES / "rules/proto",
    "rules_python": RULES / "rules/python",
    "bazel_features": RULES / "tools/features",
    "bazel_skylib": RULES / "tools/skylib",
    "platforms": RULES / "tools/platforms",
    "abseil-cpp": pathlib.PurePosixPath("/modules/abseil-cpp"),
    "eigen": pathlib.PurePosixPath("/modules/eigen"),
}
EMPTY = pathlib.PurePosixPath("/modules/empty")


def dependencies(module_file):
    """(name, version) of each that is not for development."""
    for call in re.findall(r"^bazel_dep\((.*?)\)", module_file, re.S | re.M):
        if "dev_dependency = True" not in call:
            yield tuple(re.search(key + r'\s*=\s*"([^"]+)"', call).group(1)
                        for key in ("name", "version"))


def main():
    debian = pathlib.Path(sys.argv[1])

    def inside(path):
        return debian / path.relative_to("/")

    inside(EMPTY).mkdir()
    (inside(EMPTY) / "BUILD").touch()
    made = set()

    def add(name, version):
        if (name, version) in made:
            return
        made.add((name, version))
        source = SOURCES.get(name, EMPTY)
        text = f'module(name = "{name}", version = "{version}")\n'
        own = inside(source) / "MODULE.bazel"
        if own.exists():
            text = re.sub(r'(module\(.*?version\s*=\s*)"[^"]*"',
                          rf'\g<1>"{version}"', own.read_text(), count=1,
                          flags=re.S)
        folder = debian / "registry/modules" / name / version
        folder.mkdir(parents=True)
        (folder / "MODULE.bazel").write_text(text)
        (folder / "source.json").write_text(
            json.dumps({"type": "local_path", "path": str(source)}))
        for dependency in dependencies(text):
            add(*dependency)

    for user in (debian / "gsg/MODULE.bazel",
                 inside(RULES / "embedded_tools/MODULE.bazel")):
        for dependency in dependencies(user.read_text()):
            add(*dependency)
    (debian / "registry/bazel_registry.json").write_text("{}")


if __name__ == "__main__":
    main()
