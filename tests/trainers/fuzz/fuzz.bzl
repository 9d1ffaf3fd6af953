"""Fuzz targets: a function that takes any bytes and must survive them."""

load("@rules_cc//cc:defs.bzl", "cc_test")
load("//bazel:cc.bzl", "WERROR")

def fuzz_test(name, deps, seeds = [], copts = ["-Wall", "-Wextra"] + WERROR):
    """<name>.cc defines LLVMFuzzerTestOneInput; its seeds are in corpus/<name>
    and what `seeds`, labels, makes.

    As a test it runs the seeds, and small changes of each. With --config=fuzz
    it is a libFuzzer program that looks for more (fuzz.sh).
    """
    corpus = native.glob(["corpus/" + name + "/*"]) + seeds
    cc_test(
        name = name,
        size = "small",
        srcs = [name + ".cc"],
        args = select({
            "//tests/trainers/fuzz:fuzzing": [],
            "//conditions:default": ["$(location %s)" % seed for seed in corpus],
        }),
        copts = copts,
        data = corpus,
        linkopts = select({
            "//tests/trainers/fuzz:fuzzing": ["-fsanitize=fuzzer"],
            "//conditions:default": [],
        }),
        linkstatic = True,
        deps = deps + select({
            "//tests/trainers/fuzz:fuzzing": [],
            "//conditions:default": ["//tests/trainers/fuzz:replay"],
        }),
    )
