"""Fuzz targets: a function that takes any bytes and must survive them."""

load("//bazel:cc.bzl", "gsg_cc_test")

def fuzz_test(name, deps, seeds = []):
    """<name>.cc defines LLVMFuzzerTestOneInput; its seeds are in corpus/<name>
    and what `seeds`, labels, makes.

    As a test it runs the seeds, and small changes of each. With --config=fuzz
    it is a libFuzzer program that looks for more (fuzz.sh).
    """
    corpus = native.glob(["corpus/" + name + "/*"]) + seeds
    gsg_cc_test(
        name = name,
        main = None,
        args = select({
            "//tests/trainers/fuzz:fuzzing": [],
            "//conditions:default": ["$(location %s)" % seed for seed in corpus],
        }),
        data = corpus,
        linkopts = select({
            "//tests/trainers/fuzz:fuzzing": ["-fsanitize=fuzzer"],
            "//conditions:default": [],
        }),
        linkstatic = True,
        deps = deps + ["//tests/trainers/fuzz:replay"],
    )
