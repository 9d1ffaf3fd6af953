"""local_python: the headers of the host's Python, and a toolchain for it."""

load(":repository.bzl", "host_python", "run")

_PROBE = """
import os, sys, sysconfig
print(sys.executable)
print(sysconfig.get_paths()["include"])
print(sysconfig.get_config_var("EXT_SUFFIX"))
print("%d.%d" % sys.version_info[:2])
print(os.confstr("CS_GNU_LIBC_VERSION").split()[1])
"""

_HEADERS = """
cc_library(
    name = "headers",
    hdrs = glob(["include/**/*.h"]),
    includes = ["include"],
)
"""

# A C++ build needs no Python headers and must not fail for want of them; only
# what depends on them does.
_NO_HEADERS = """
cc_library(name = "headers", hdrs = [":missing_python_headers"])

genrule(
    name = "missing_python_headers",
    outs = ["missing_python_headers.h"],
    cmd = "echo '{python} has no {include}/Python.h. Install python3-dev " +
          "(./bazelw does), then: bazel sync --configure' >&2; exit 1",
)
"""

_BUILD = """
load("@bazel_tools//tools/python:toolchain.bzl", "py_runtime_pair")

package(default_visibility = ["//visibility:public"])

py_runtime(
    name = "runtime",
    interpreter_path = "{python}",
    python_version = "PY3",
    stub_shebang = "#!{python}",
)

py_runtime_pair(
    name = "pair",
    py3_runtime = ":runtime",
)

toolchain(
    name = "toolchain",
    toolchain = ":pair",
    toolchain_type = "@bazel_tools//tools/python:toolchain_type",
)
"""

_DEFS = """\
# The file name suffix of an extension module.
EXT_SUFFIX = {suffix}

# "3.11", say.
PYTHON_VERSION = {version}

# Of the C library: "2.36", say.
GLIBC_VERSION = {glibc}
"""

def _local_python_impl(rctx):
    probe = run(rctx, [host_python(rctx), "-c", _PROBE], "Asking Python where it lives")
    python, include, suffix, version, glibc = probe.strip().split("\n")
    has_headers = rctx.path(include + "/Python.h").exists
    if has_headers:
        rctx.symlink(include, "include")
    headers = _HEADERS if has_headers else _NO_HEADERS
    rctx.file("BUILD", (_BUILD + headers).format(python = python, include = include))
    rctx.file("defs.bzl", _DEFS.format(
        glibc = repr(glibc),
        suffix = repr(suffix),
        version = repr(version),
    ))

local_python = repository_rule(
    implementation = _local_python_impl,
    local = True,
    configure = True,
    environ = ["GSG_PYTHON", "PATH"],
)
