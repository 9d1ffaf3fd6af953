"""python_extension: a module in C++ that Python loads."""

load("@rules_cc//cc:defs.bzl", "cc_binary")

def python_extension(name, deps, **kwargs):
    """A shared library that exports PyInit_* alone.

    So it shares a process with any other build of Abseil, or of the CUDA runtime.

    Args:
      name: The file, with EXT_SUFFIX of @local_python.
      deps: Libraries.
      **kwargs: As of cc_binary.
    """
    cc_binary(
        name = name,
        linkopts = ["-Wl,--version-script,$(location //bindings:module.lds)"],
        linkshared = True,
        deps = ["//bindings:module.lds"] + deps,
        **kwargs
    )
