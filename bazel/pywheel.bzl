"""py_wheel: an installable, byte-reproducible wheel of files of this build."""

load("@local_python//:defs.bzl", "GLIBC_VERSION", "PYTHON_VERSION")

# What g++ of Debian 12 makes asks for glibc 2.34 and GCC 11's libstdc++, which
# Ubuntu 22.04, RHEL 9 and newer systems have. From 2.38 on glibc's headers ask
# for more. make_wheel.py fails if an extension needs more than is said here.
_GLIBC = int(GLIBC_VERSION.split(".")[1])
_PLATFORM = "manylinux_2_%d_x86_64" % (34 if _GLIBC < 38 else max(39, _GLIBC))

def _runfile(file):
    """Where a program finds the file below its runfiles."""
    path = file.short_path
    return path[len("../"):] if path.startswith("../") else "gsg/" + path

def _py_wheel_impl(ctx):
    python = "cp" + PYTHON_VERSION.replace(".", "")
    tag = "py3-none" if ctx.attr.any_python else "%s-%s" % (python, python)
    wheel = ctx.actions.declare_file("%s-%s-%s-%s.whl" % (
        ctx.attr.distribution.replace("-", "_"),  # as wheels spell it
        ctx.attr.version,
        tag,
        _PLATFORM,
    ))
    args = ctx.actions.args()
    args.add("--out", wheel)
    args.add("--name", ctx.attr.distribution)
    args.add("--version", ctx.attr.version)
    args.add("--tag", tag)
    args.add("--platform", _PLATFORM)
    args.add("--readme", ctx.file.readme)
    args.add_all(ctx.attr.metadata, before_each = "--metadata")
    for target, destination in ctx.attr.files.items():
        files = target.files.to_list()
        if len(files) != 1:
            fail("%s has %d files; a destination names one" % (target.label, len(files)))
        args.add("%s=%s" % (destination, files[0].path))
    for file in ctx.files.runfiles:
        args.add("%s/%s=%s" % (ctx.attr.runfiles_folder, _runfile(file), file.path))
    args.add_all(ctx.attr.provided_libraries, before_each = "--provided_library")
    ctx.actions.run(
        executable = ctx.executable._make_wheel,
        arguments = [args],
        inputs = ctx.files.files + ctx.files.runfiles + [ctx.file.readme],
        outputs = [wheel],
        mnemonic = "PyWheel",
        progress_message = "Writing " + wheel.short_path,
    )
    return [DefaultInfo(
        files = depset([wheel]),
        runfiles = ctx.runfiles([wheel]),
    )]

py_wheel = rule(
    implementation = _py_wheel_impl,
    doc = "A wheel for the host's Python and for any Linux with a glibc as old " +
          "as its tag says.",
    attrs = {
        "distribution": attr.string(mandatory = True),
        "version": attr.string(mandatory = True),
        "metadata": attr.string_list(
            doc = "Lines of METADATA: 'Requires-Dist: numpy>=1.21', say.",
        ),
        "readme": attr.label(
            mandatory = True,
            allow_single_file = [".md"],
            doc = "The description in METADATA.",
        ),
        "files": attr.label_keyed_string_dict(
            mandatory = True,
            allow_files = True,
            doc = "Target with one file: its path in the wheel.",
        ),
        "runfiles": attr.label_list(
            allow_files = True,
            doc = "Files that programs look for among their runfiles.",
        ),
        "runfiles_folder": attr.string(doc = "Where those are in the wheel."),
        "any_python": attr.bool(doc = "That no file is for one Python alone."),
        "provided_libraries": attr.string_list(
            doc = "Shared libraries that a distribution it requires brings.",
        ),
        "_make_wheel": attr.label(
            cfg = "exec",
            default = "//bazel:make_wheel",
            executable = True,
        ),
    },
)
