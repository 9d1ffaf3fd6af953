"""python_packages: a folder of installed PyPI wheels, for tests to import.

The wheels are those of a lock file (python_packages/lock.py writes it) that are
for the host's Python, each pinned by SHA-256. pip downloads them from whatever
index it is set up with; afterwards Bazel's repository cache has them.

:pkg hands tests the folder as one file. As a glob it would be tens of thousands
of links in each test's runfiles, and again in its sandbox: a minute for a test
of a second. What this gives up is that Bazel would notice an edit of a file in
there; the folder changes only when the lock does, and then it is made anew.
"""

load(":repository.bzl", "add_to_cache", "get_from_cache", "host_python", "run")

_HELP = """

pip could not download what @{name} lacks:
{requirements}
 * Is this machine offline? Then try again later.
 * Does pip say that hashes do not match, or that no such version exists? Then
   the pin is stale: bazel/repo/python_packages/lock.py writes new ones.
{log}"""

_BUILD = """
py_library(
    name = "pkg",
    data = ["site-packages"],
    imports = ["site-packages"],
    srcs_version = "PY3",
    visibility = ["//visibility:public"],
    deps = {deps},
)
"""

_IMPORT = """
import subprocess, sys
for process in [subprocess.Popen([sys.executable, "-W", "ignore", "-c", "import " + names])
                for names in sys.argv[1:]]:
    process.wait()
"""

_TORCH_DEPS = """{deps} + select({{
        "@//bazel/config:cuda": ["@cuda_libraries//:pkg"],
        "//conditions:default": [":without_cuda"],
    }})"""

_CUDA_STAND_INS = """
py_library(
    name = "without_cuda",
    data = ["cuda_stand_ins"],
    imports = ["cuda_stand_ins"],
    srcs_version = "PY3",
)
"""

def _wheels(rctx, python):
    """Returns {file name: SHA-256} of the lock's wheels for this Python."""
    version = run(
        rctx,
        [python, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"],
        "Asking Python's version",
    ).strip()
    wheels = {}
    versions = {}
    for line in rctx.read(rctx.attr.lock).split("\n"):
        if not line or line.startswith("#"):
            continue
        sha256, file, wanted = line.split("  ")
        versions[wanted] = True
        if wanted in ["any", version]:
            wheels[file] = sha256

    # Wheels that are all for any Python are for this one.
    if version not in versions and versions.keys() != ["any"]:
        fail(("\n\n@%s has no wheels for this machine's Python %s, only for " +
              "%s. Choose another Python: GSG_PYTHON=<path>.") % (
            rctx.name,
            version,
            ", ".join([v for v in versions if v != "any"]),
        ))
    return wheels

def _download(rctx, python, wheels):
    """Downloads {file name: SHA-256} into _wheels."""
    rctx.report_progress("pip download of %d wheels" % len(wheels))
    requirements = "".join([
        # A wheel's file name starts with its name and version.
        "%s==%s --hash=sha256:%s\n" % (file.split("-")[0], file.split("-")[1], sha256)
        for file, sha256 in wheels.items()
    ])
    rctx.file("requirements.txt", requirements)
    result = rctx.execute([
        python,
        "-m",
        "pip",
        "download",
        "--quiet",
        "--disable-pip-version-check",
        "--no-cache-dir",
        "--no-deps",
        "--only-binary=:all:",
        "--require-hashes",
        "--dest=_wheels",
        "--requirement=requirements.txt",
    ], timeout = 3600)
    if result.return_code != 0:
        fail(_HELP.format(
            name = rctx.name,
            requirements = requirements,
            log = result.stdout + result.stderr,
        ))
    for file, sha256 in wheels.items():
        add_to_cache(rctx, "_wheels/" + file, sha256)

def _install_torch(rctx, python, wheel):
    """Unpacks torch's wheel, and writes what stands in for its CUDA libraries."""
    libtorch = rctx.path(rctx.attr.libtorch).dirname
    run(rctx, [
        python,
        str(rctx.path(rctx.attr._unpack_wheel)),
        wheel,
        "site-packages",
        str(libtorch),
    ], "Unpacking torch")
    compiler = rctx.os.environ.get("CC") or rctx.which("gcc") or rctx.which("cc")
    run(rctx, [
        python,
        str(rctx.path(rctx.attr._cuda_stand_ins)),
        str(compiler),
        "site-packages/torch/lib",
        "cuda_stand_ins/nvidia/cu13/lib",
    ], "Writing stand-ins for CUDA's libraries")

def _compile(rctx, python):
    """Has Python compile modules: tests cannot write into the folder."""
    rctx.report_progress("Compiling Python")
    if rctx.attr.imported:
        # All modules of torch and others take a minute. These are what tests import;
        # what cannot be imported is for them to say.
        run(
            rctx,
            [python, "-c", _IMPORT] + rctx.attr.imported,
            "Compiling Python",
            env = {
                "PYTHONDONTWRITEBYTECODE": "",
                "PYTHONPATH": ":".join(["site-packages", "cuda_stand_ins"] + [
                    str(rctx.path(label).dirname)
                    for label in rctx.attr.path
                ]),
            },
        )
    else:
        # Not all files compile: some are templates, or for another Python. All are
        # here that import.
        run(
            rctx,
            [python, "-m", "compileall", "-qq", "-j2", "site-packages"],
            "Compiling Python",
            ok = [0, 1],
        )

def _python_packages_impl(rctx):
    python = host_python(rctx)
    wheels = _wheels(rctx, python)
    missing = {
        file: sha256
        for file, sha256 in wheels.items()
        if not get_from_cache(rctx, file, sha256, "_wheels/" + file)
    }
    if missing:
        _download(rctx, python, missing)
    rctx.report_progress("Installing %d wheels" % len(wheels))
    torch = [file for file in wheels if file.startswith("torch-")]
    run(rctx, [
        python,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--no-cache-dir",
        "--no-compile",
        "--no-deps",
        "--no-index",
        "--target=site-packages",
    ] + ["_wheels/" + file for file in wheels if file not in torch], "Installing wheels")
    deps = repr([str(d) for d in rctx.attr.deps])
    build = _BUILD
    if torch:
        _install_torch(rctx, python, "_wheels/" + torch[0])
        deps = _TORCH_DEPS.format(deps = deps)
        build += _CUDA_STAND_INS
    rctx.delete("_wheels")

    _compile(rctx, python)
    rctx.file("BUILD.bazel", build.format(deps = deps))

python_packages = repository_rule(
    implementation = _python_packages_impl,
    doc = "A folder of installed wheels, as :pkg.",
    attrs = {
        "lock": attr.label(allow_single_file = True, mandatory = True),
        "imported": attr.string_list(
            doc = "Modules that are compiled, with what they import: a line for each " +
                  "process, with commas. Default: all.",
        ),
        "path": attr.label_list(
            doc = "Of each other repository that they import from, a file in its root.",
        ),
        "deps": attr.string_list(doc = "Labels that :pkg depends on."),
        "libtorch": attr.label(
            doc = "If torch is among the wheels: a file beside the unpacked " +
                  "part of its wheel that C++ uses, which is not unpacked again. " +
                  "CUDA's libraries are those of @cuda_libraries with " +
                  "--config=cuda, and otherwise stand-ins.",
        ),
        "_cuda_stand_ins": attr.label(default = ":cuda_stand_ins.py"),
        "_unpack_wheel": attr.label(default = ":unpack_wheel.py"),
    },
    environ = ["CC", "GSG_PYTHON"],
)
