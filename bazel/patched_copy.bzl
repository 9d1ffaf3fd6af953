"""A library made of a package's own sources and a diff."""

load("//bazel:cc.bzl", "LIGHTLY", "gsg_cc_library")

def patched_copy(name, diff, adds, deps, edits = {}, copts = [], without = []):
    """What the package's library would be with `diff` applied.

    Args:
      name: of the testonly library.
      diff: label of a unified diff, as `patch -p1` takes it in the root.
      adds: files of the package that the diff adds.
      edits: file of the package: script of sed.
      copts: further ones.
      without: files of the package that are left out.
      deps: those of the package's libraries that are not of the package.
    """
    package = native.package_name()
    files = native.glob(["**/*.cc", "**/*.h"], exclude = without)
    copies = [name + "/" + package + "/" + f for f in files + adds]
    native.genrule(
        name = name + "_files",
        testonly = True,
        srcs = files + [diff],
        outs = copies,
        cmd = "cp -rL %s $(RULEDIR)/%s/ && chmod -R u+w $(RULEDIR)/%s && " %
              (package, name, name) +
              "patch -s -p1 -d $(RULEDIR)/%s < $(location %s)" % (name, diff) +
              "".join([
                  " && sed -i '%s' $(RULEDIR)/%s/%s/%s" % (script, name, package, file)
                  for file, script in edits.items()
              ]),
    )
    gsg_cc_library(
        name = name,
        srcs = [f for f in copies if f.endswith(".cc")],
        hdrs = [f for f in copies if f.endswith(".h")],
        copts = copts + LIGHTLY,
        linkstatic = True,
        strip_include_prefix = name,
        testonly = True,
        deps = deps,
    )
