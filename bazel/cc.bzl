"""The C++ rules of this repository: its warnings, and what nearly all files use."""

load("@rules_cc//cc:defs.bzl", "cc_binary", "cc_library", "cc_test")

COMMON_ABSL = [
    "@com_google_absl//absl/status",
    "@com_google_absl//absl/status:statusor",
    "@com_google_absl//absl/strings",
    "@com_google_absl//absl/strings:str_format",
    "@com_google_absl//absl/types:span",
]
_COMMON_DEPS = COMMON_ABSL + ["//gsg_core:status_macros"]

# For units that have LibTorch's operators or //models compute, and for tests: -O2 takes a
# third longer to compile them and gains nothing. (//models itself it makes 3 % faster.)
LIGHTLY = select({"//bazel/config:optimized": ["-O1"], "//conditions:default": []})

def _unless_not_precompiled(values):
    return select({"//bazel/config:not_precompiled": [], "//conditions:default": values})

# LibTorch compiles at::parallel_for into its callers. Without -fopenmp it is a loop on
# one thread there, hence callers check _OPENMP. The runtime, libgomp.so.1, is the one
# that LibTorch has loaded. Its headers do not pass -Wextra. GCC would otherwise look
# through a gigabyte of precompiled headers for garbage, several times a unit.
LIBTORCH_COPTS = ["-Wall", "-fopenmp"] + _unless_not_precompiled(
    ["--param=ggc-min-heapsize=1000000"],
)
_LIBTORCH_LINKOPTS = ["-fopenmp"]

# Warnings are errors for us (--config=ci), not for those who build with another
# compiler, other options or another Abseil.
WERROR = select({"//bazel/config:werror": ["-Werror"], "//conditions:default": []})

COPTS = ["-Wall", "-Wextra"] + WERROR

# Where torch::nn and torch::autograd are (in trainers/distributed by c10d's headers);
# elsewhere, and in tests, are tensors alone. Their headers cost each unit that begins
# with them two seconds, which GCC takes to instantiate what they use, whatever the unit
# does.
_WITH_TORCH_NN = ["models", "trainers/distributed"]

# Which header of //bazel, compiled once, a unit begins with; None for those that others
# build, too.
def _precompiled(deps):
    package = native.package_name()
    if "@libtorch" in deps:
        if package in _WITH_TORCH_NN:
            return "torch_nn"
        return "libtorch_test" if package.startswith("tests/") else "libtorch"
    if package.startswith("tests/trainers"):
        return "test"
    return "common" if package.startswith("trainers") else None

def _copts(deps):
    copts = LIBTORCH_COPTS if "@libtorch" in deps else COPTS
    header = _precompiled(deps)
    if header != "torch_nn" and ("@libtorch" in deps or native.package_name().startswith("tests/")):
        copts = copts + LIGHTLY
    if not header:
        return copts
    return copts + _unless_not_precompiled(["-include", header + "_headers.h", "-Winvalid-pch"])

def _deps(deps):
    all = deps + [dep for dep in _COMMON_DEPS if dep not in deps]
    header = _precompiled(deps)
    return all + _unless_not_precompiled(["//bazel:" + header]) if header else all

def _linkopts(deps):
    return _LIBTORCH_LINKOPTS if "@libtorch" in deps else []

def _cuda(values):
    return select({"//bazel/config:cuda": values, "//conditions:default": []}) if values else []

def gsg_cc_library(
        name,
        srcs = None,
        hdrs = None,
        deps = [],
        cuda_srcs = [],
        no_cuda_srcs = [],
        cuda_deps = [],
        local_defines = [],
        cuda_local_defines = [],
        copts = [],
        linkopts = [],
        testonly = False,
        **kwargs):
    """A cc_library.

    Args:
      name: also of the files <name>.h and <name>.cc, as far as they are there, unless
        srcs or hdrs are given.
      cuda_srcs, cuda_deps, cuda_local_defines: further ones with --config=cuda.
      no_cuda_srcs: further ones without it.
      testonly: as in cc_library; such libraries are visible to all tests and benchmarks.
    """
    if srcs == None and hdrs == None:
        srcs = native.glob([name + ".cc"])
        hdrs = native.glob([name + ".h"])
    srcs = srcs or []
    if cuda_srcs or no_cuda_srcs:
        srcs = srcs + select({
            "//bazel/config:cuda": cuda_srcs,
            "//conditions:default": no_cuda_srcs,
        })
    if testonly and "visibility" not in kwargs:
        kwargs["visibility"] = ["//benchmarks:__subpackages__", "//tests:__subpackages__"]
    cc_library(
        name = name,
        srcs = srcs,
        hdrs = hdrs,
        copts = _copts(deps) + copts,
        linkopts = linkopts + _linkopts(deps),
        local_defines = local_defines + _cuda(cuda_local_defines),
        testonly = testonly,
        deps = _deps(deps) + _cuda(cuda_deps),
        **kwargs
    )

def gsg_cc_binary(name, srcs = None, deps = [], cuda_deps = [], copts = [], **kwargs):
    """A cc_binary of <name>.cc, unless srcs are given."""
    cc_binary(
        name = name,
        srcs = srcs or [name + ".cc"],
        copts = _copts(deps) + copts,
        deps = _deps(deps) + _cuda(cuda_deps),
        **kwargs
    )

def gsg_cc_test(
        name,
        srcs = None,
        deps = [],
        size = "small",
        main = True,
        env = {},
        cuda_deps = [],
        copts = [],
        **kwargs):
    """A googletest cc_test of <name>.cc, unless srcs are given.

    main: False for a test with a main function of its own, None for one without
    googletest. LibTorch computes on one thread, unless env says otherwise: tests run
    beside each other.
    """
    if "@libtorch" in deps and "OMP_NUM_THREADS" not in env:
        env = dict(env, OMP_NUM_THREADS = "1")
    gtest = [] if main == None else [
        "@com_google_googletest//:" + ("gtest_main" if main else "gtest"),
    ]
    cc_test(
        name = name,
        size = size,
        srcs = srcs or [name + ".cc"],
        copts = _copts(deps) + copts,
        env = env,
        deps = _deps(deps) + gtest + _cuda(cuda_deps),
        **kwargs
    )

def gsg_cc_tests(names, deps = []):
    """Small tests of one file each that share their dependencies."""
    for name in names:
        gsg_cc_test(name = name, deps = deps)
