"""cuda_library: a cc_library of .cu files.

nvcc comes from PyPI wheels, so this works on a machine without CUDA or a GPU.
A program that links to one names the CUDA runtime itself: @cuda_runtime//:cudart,
or cudart_static, or that of a toolkit of its own.
"""

load("@bazel_tools//tools/cpp:toolchain_utils.bzl", "find_cpp_toolchain")

# Machine code for the A100 and the H100, and the newest one's PTX for what
# comes after them.
_ARCHITECTURES = ["80", "90"]

_OPTIONS = [
    "-c",
    "-std=c++17",
    "--expt-relaxed-constexpr",
    "-Xcompiler=-fPIC,-Wall,-Wextra",
    "-I.",
]

def _compile(ctx, cc_toolchain, compilation_context, src):
    object = ctx.actions.declare_file("_cuda/%s/%s.o" % (ctx.label.name, src.basename))
    args = ctx.actions.args()
    args.add("-ccbin", cc_toolchain.compiler_executable)
    args.add_all(_OPTIONS)
    if ctx.var.get("werror") == "1":
        args.add("--Werror=all-warnings")
    args.add("-O3" if ctx.var["COMPILATION_MODE"] == "opt" else "-O1")
    args.add_all([
        "-gencode=arch=compute_%s,code=sm_%s" % (arch, arch)
        for arch in _ARCHITECTURES
    ])
    args.add("-gencode=arch=compute_{0},code=compute_{0}".format(_ARCHITECTURES[-1]))
    args.add("-I" + ctx.genfiles_dir.path)
    args.add_all(compilation_context.defines, before_each = "-D")

    # nvcc warns of what others' headers do unless they are the system's.
    for path in compilation_context.quote_includes.to_list():
        args.add("-isystem" if "external/" in path else "-I", path)
    args.add_all(compilation_context.includes, before_each = "-I")
    args.add_all(compilation_context.system_includes, before_each = "-isystem")
    args.add(src)
    args.add("-o", object)
    ctx.actions.run(
        executable = ctx.file._nvcc,
        arguments = [args],
        inputs = depset(
            ctx.files.srcs,
            transitive = [compilation_context.headers],
        ),
        tools = depset(
            ctx.files._toolkit,
            transitive = [cc_toolchain.all_files],
        ),
        outputs = [object],
        env = {"PATH": "/usr/bin:/bin"},
        mnemonic = "CudaCompile",
        progress_message = "Compiling CUDA " + src.short_path,
    )
    return object

def _cuda_library_impl(ctx):
    cc_toolchain = find_cpp_toolchain(ctx)
    feature_configuration = cc_common.configure_features(
        ctx = ctx,
        cc_toolchain = cc_toolchain,
        requested_features = ctx.features,
        unsupported_features = ctx.disabled_features,
    )
    own = CcInfo(compilation_context = cc_common.create_compilation_context(
        headers = depset(ctx.files.hdrs),
    ))
    deps = [dep[CcInfo] for dep in ctx.attr.deps + [ctx.attr._headers]]
    info = cc_common.merge_cc_infos(cc_infos = [own] + deps)
    objects = depset([
        _compile(ctx, cc_toolchain, info.compilation_context, src)
        for src in ctx.files.srcs
    ])
    linking_context, _ = cc_common.create_linking_context_from_compilation_outputs(
        name = ctx.label.name,
        actions = ctx.actions,
        cc_toolchain = cc_toolchain,
        compilation_outputs = cc_common.create_compilation_outputs(
            objects = objects,
            pic_objects = objects,
        ),
        disallow_dynamic_library = True,
        feature_configuration = feature_configuration,
        linking_contexts = [info.linking_context],
    )
    return [
        DefaultInfo(files = objects),
        CcInfo(
            compilation_context = info.compilation_context,
            linking_context = linking_context,
        ),
    ]

cuda_library = rule(
    implementation = _cuda_library_impl,
    doc = "Compiles .cu files with nvcc, for C++ targets to depend on.",
    attrs = {
        "srcs": attr.label_list(allow_files = [".cu"], mandatory = True),
        "hdrs": attr.label_list(allow_files = [".h"]),
        "deps": attr.label_list(providers = [CcInfo]),
        "_cc_toolchain": attr.label(
            default = "@bazel_tools//tools/cpp:current_cc_toolchain",
        ),
        "_headers": attr.label(default = "@cuda_runtime//:headers"),
        "_nvcc": attr.label(
            allow_single_file = True,
            default = "@cuda_nvcc//:nvidia/cu13/bin/nvcc",
        ),
        "_toolkit": attr.label(default = "@cuda_nvcc//:toolkit"),
    },
    fragments = ["cpp"],
    toolchains = ["@bazel_tools//tools/cpp:toolchain_type"],
)
