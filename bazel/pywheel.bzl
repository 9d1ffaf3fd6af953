"""py_wheel: an installable, byte-reproducible wheel of files of this build."""

load("@local_python//:defs.bzl", "PYTHON_VERSION")

def _py_wheel_impl(ctx):
    python = "cp" + PYTHON_VERSION.replace(".", "")
    tag = "%s-%s-%s" % (python, python, ctx.attr.platform)
    wheel = ctx.actions.declare_file("%s-%s-%s.whl" % (
        ctx.attr.distribution,
        ctx.attr.version,
        tag,
    ))
    args = ctx.actions.args()
    args.add("--out", wheel)
    args.add("--name", ctx.attr.distribution)
    args.add("--version", ctx.attr.version)
    args.add("--tag", tag)
    args.add_all(ctx.attr.requires, before_each = "--requires")
    for target, destination in ctx.attr.files.items():
        files = target.files.to_list()
        if len(files) != 1:
            fail("%s has %d files; a destination names one" % (target.label, len(files)))
        args.add("%s=%s" % (destination, files[0].path))
    ctx.actions.run(
        executable = ctx.executable._make_wheel,
        arguments = [args],
        inputs = ctx.files.files,
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
    doc = "A wheel for the host's Python.",
    attrs = {
        "distribution": attr.string(mandatory = True),
        "version": attr.string(mandatory = True),
        "platform": attr.string(default = "linux_x86_64"),
        "requires": attr.string_list(
            doc = "Requires-Dist lines: 'numpy>=1.21', say.",
        ),
        "files": attr.label_keyed_string_dict(
            mandatory = True,
            allow_files = True,
            doc = "Target with one file: its path in the wheel.",
        ),
        "_make_wheel": attr.label(
            cfg = "host",
            default = "//bazel:make_wheel",
            executable = True,
        ),
    },
)
