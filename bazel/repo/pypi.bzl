"""pypi_wheels: files out of PyPI wheels, pinned by SHA-256.

pip downloads them from whatever index it is set up with; nothing is installed.
"""

load(":repository.bzl", "add_to_cache", "finish", "get_from_cache", "host_python", "run")

_HELP = """

pip could not download {requirement} with the SHA-256
{sha256}
for @{name}.
 * Is this machine offline? Then try again later.
 * Does pip say that hashes do not match, or that no such version exists? Then
   the pin is stale: the entry "{name}" in bazel/repo/deps.bzl.
{log}"""

_PLATFORMS = [
    "manylinux_2_28_x86_64",
    "manylinux_2_27_x86_64",
    "manylinux_2_25_x86_64",
    "manylinux_2_18_x86_64",
    "manylinux_2_17_x86_64",
    "manylinux2014_x86_64",
    "manylinux_2_12_x86_64",
    "manylinux2010_x86_64",
    "any",
]

def _download(rctx, requirement, sha256, python_version, output):
    if get_from_cache(rctx, requirement, sha256, output):
        return
    rctx.report_progress("pip download " + requirement)
    rctx.file(
        "_download/requirements.txt",
        "%s --hash=sha256:%s\n" % (requirement, sha256),
    )
    argv = [
        host_python(rctx),
        "-m",
        "pip",
        "download",
        "--quiet",
        "--disable-pip-version-check",
        "--no-cache-dir",
        "--no-deps",
        "--only-binary=:all:",
        "--require-hashes",
        "--implementation=cp",
        "--python-version=" + python_version,
        "--dest=_download/wheel",
        "--requirement=_download/requirements.txt",
    ] + ["--platform=" + platform for platform in _PLATFORMS]
    result = rctx.execute(argv, timeout = 1800)
    if result.return_code != 0:
        fail(_HELP.format(
            requirement = requirement,
            sha256 = sha256,
            name = rctx.name,
            log = result.stdout + result.stderr,
        ))
    wheel = rctx.path("_download/wheel").readdir()[0]
    add_to_cache(rctx, wheel, sha256)
    run(rctx, ["mv", str(wheel), output], "Moving the wheel")

def _pypi_wheels_impl(rctx):
    wheels = dict(rctx.attr.wheels)
    python_version = "3.11"
    if rctx.attr.wheel_per_python:
        python_version = run(
            rctx,
            [host_python(rctx), "-c", "import sys; print('%d.%d' % sys.version_info[:2])"],
            "Asking Python's version",
        ).strip()
        pin = rctx.attr.wheel_per_python.get(python_version)
        if not pin:
            fail(("\n\n@%s has no wheel for this machine's Python %s, only " +
                  "for %s. Pin one in bazel/repo/deps.bzl, or choose another " +
                  "Python: GSG_PYTHON=<path>.") % (
                rctx.name,
                python_version,
                ", ".join(rctx.attr.wheel_per_python.keys()),
            ))
        requirement, sha256 = pin.split(" ")
        wheels[requirement] = sha256
    for requirement, sha256 in wheels.items():
        archive = "_download/archive.zip"
        rctx.file(archive)
        _download(rctx, requirement, sha256, python_version, archive)
        argv = ["unzip", "-q", "-o", archive] + rctx.attr.include
        if rctx.attr.exclude:
            argv += ["-x"] + rctx.attr.exclude

        # unzip exits with 11 when a pattern matches nothing in this wheel.
        run(rctx, argv, "Unpacking " + requirement, ok = [0, 11])
        rctx.delete("_download")
    if rctx.attr.executables:
        run(rctx, ["chmod", "+x"] + rctx.attr.executables, "chmod")
    finish(rctx)

pypi_wheels = repository_rule(
    implementation = _pypi_wheels_impl,
    doc = "Unpacks the named wheels, one over the other.",
    attrs = {
        "wheels": attr.string_dict(
            doc = "'name==version': SHA-256 of its Linux x86-64 wheel. Not " +
                  "for wheels that differ with the host's Python, unless no " +
                  "Python is used of them.",
        ),
        "wheel_per_python": attr.string_dict(
            doc = "Version of the host's Python: 'name==version sha256'.",
        ),
        "include": attr.string_list(doc = "Patterns of unzip. Default: all."),
        "exclude": attr.string_list(doc = "Patterns of unzip."),
        "executables": attr.string_list(
            doc = "Files to make executable; wheels do not say which are.",
        ),
        "build_file": attr.label(mandatory = True, allow_single_file = True),
    },
    environ = ["GSG_PYTHON"],
)
