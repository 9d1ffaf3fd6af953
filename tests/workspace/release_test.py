"""Files that must agree on the version, and what newer Bazels take away.

`gsg_core` is offered to projects of Bazel 7 to 9 by MODULE.bazel, while this
repository is built by Bazel 4.2.3. So this test reads what @gsg//gsg_core loads
for what Bazel 8 and 9 do not have any more: rules and providers of C++, Python
and shell that are not loaded from their repositories, and old arguments.
"""

import ast
import pathlib
import re
import unittest

# What is left of the built-in rules and functions that these files may call.
NATIVE = {"glob", "genrule", "package_name", "existing_rule"}
REMOVED = re.compile(r"^(cc|py|sh|java|objc|proto)_[a-z_]+$|"
                     r"^(CcInfo|PyInfo|CcToolchainConfigInfo|ProtoInfo)$")


def text_of(path):
    return pathlib.Path(path).read_text(encoding="utf-8")


def loads_of(tree):
    """[(label, names)] of the load statements of a file."""
    return [(call.args[0].value,
             [a.value for a in call.args[1:]] + [k.arg for k in call.keywords])
            for call in ast.walk(tree)
            if isinstance(call, ast.Call)
            and isinstance(call.func, ast.Name) and call.func.id == "load"]


def path_of(label, package):
    """Of a label in this repository, or None."""
    if label.startswith("@"):
        return None
    if label.startswith(":"):
        return f"{package}/{label[1:]}"
    return label[2:].replace(":", "/")


def removed_in(text):
    """What a file uses that Bazel 8 or 9 do not have, in words."""
    tree = ast.parse(text)  # Starlark's syntax is Python's
    bound = {name for _, names in loads_of(tree) for name in names}
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id not in bound:
            if REMOVED.match(node.id):
                found.append(f"{node.id}, which is not loaded")
        elif isinstance(node, ast.Attribute):
            if (isinstance(node.value, ast.Name) and node.value.id == "native"
                    and node.attr not in NATIVE):
                found.append(f"native.{node.attr}")
        elif isinstance(node, ast.keyword):
            if node.arg == "exec_tools":
                found.append("exec_tools")
            if (node.arg == "cfg" and isinstance(node.value, ast.Constant)
                    and node.value.value == "host"):
                found.append('cfg = "host"')
    return found


def loaded_by(path, seen):
    """Adds path and all that it loads, {path: text}, to seen."""
    if path in seen:
        return
    seen[path] = text_of(path)
    for label, _ in loads_of(ast.parse(seen[path])):
        file = path_of(label, str(pathlib.Path(path).parent))
        if file is not None:
            loaded_by(file, seen)


class VersionTest(unittest.TestCase):

    def setUp(self):
        self.version = re.search(r'VERSION = "(.*)"',
                                 text_of("bazel/version.bzl")).group(1)

    def test_the_header(self):
        numbers = re.findall(r"#define GSG_VERSION_(?:MAJOR|MINOR|PATCH) (\d+)",
                             text_of("gsg_core/version.h"))
        self.assertEqual(".".join(numbers), self.version)

    def test_the_module(self):
        self.assertIn(f'version = "{self.version}"',
                      text_of("MODULE.bazel").partition("\nbazel_dep")[0])


class NewerBazelTest(unittest.TestCase):

    def test_gsg_core_uses_nothing_removed(self):
        files = {}
        for package in ("gsg_core/BUILD", "bazel/config/BUILD"):
            loaded_by(package, files)
        self.assertIn("bazel/cc.bzl", files)
        for path, text in files.items():
            self.assertEqual(removed_in(text), [], path)

    def test_modules_are_those_that_files_load(self):
        module = text_of("MODULE.bazel")
        known = set(re.findall(r'bazel_dep\(name = "([^"]+)"', module))
        known |= set(re.findall(r'repo_name = "([^"]+)"', module))
        used = set()
        for path in ("gsg_core/BUILD", "gsg_core/core.bzl", "bazel/cc.bzl",
                     "bazel/patched_copy.bzl"):
            used |= set(re.findall(r'"@([a-z_]+)', text_of(path)))
        # Of tests alone, and of models and trainers, whose files use cc.bzl.
        self.assertEqual(used - known, {"com_google_googletest", "libtorch"})

    def test_what_is_removed_is_found(self):
        self.assertEqual(
            removed_in('load("@rules_cc//cc:defs.bzl", "cc_library")\n'
                       'cc_library(name = "a")\nnative.glob(["*"])\n'), [])
        for text in ('py_binary(name = "a")', "x = [CcInfo]", 'sh_test(name = "t")',
                     "native.cc_library()", 'genrule(exec_tools = ["t"])',
                     "cc_common.configure_features()",
                     'attr.label(cfg = "host")'):
            self.assertEqual(len(removed_in(text)), 1, text)


if __name__ == "__main__":
    unittest.main()
