"""What @gsg//gsg_core needs of the WORKSPACE of another project."""

load(":debian.bzl", "debian_archive")
load(":offline.bzl", "offline_platforms", "offline_rules_cc")

def _absent(name):
    return not native.existing_rule(name)

def _is_old_bazel():
    """Whether Bazel's own @platforms is older than Abseil, which names more of it."""
    major = native.bazel_version.split(".")[0]  # Debian's 4.2.3 has no version
    return not major.isdigit() or int(major) < 6

def gsg_core_dependencies():
    """Declares the external repositories of //gsg_core that are not declared yet.

    Yours, above the call, come first: a newer Abseil as @com_google_absl, say, or
    an @eigen with a target //:eigen.
    """
    if _is_old_bazel():
        if _absent("platforms"):
            offline_platforms()
        if _absent("rules_cc"):
            offline_rules_cc()
    if _absent("bazel_skylib"):
        debian_archive(
            name = "bazel_skylib",
            file = "b/bazel-skylib/bazel-skylib_1.0.3-2_all.deb",
            root = "usr/share/bazel/tools/skylib",
            sha256 = "b7662103ceb16fedb2e348c0d6f18045eba656e3fe1e462ebcfd25efd2548db0",
        )
    if _absent("com_google_absl"):
        debian_archive(
            name = "com_google_absl",
            file = "a/abseil/abseil_20240722.0.orig.tar.gz",
            sha256 = "df6d1f5ef540725f3851201176a60486aab332410788465c9877910bb471c34a",
            upstream_sha256 = "f50e5ac311a81382da7fa75b97310e4b9006474f9560ac46f54a9967f07d4ae3",
            upstream_url = "https://github.com/abseil/abseil-cpp/releases/download/20240722.0/abseil-cpp-20240722.0.tar.gz",
        )
    if _absent("eigen"):
        debian_archive(
            name = "eigen",
            build_file = Label("//bazel/third_party:eigen.BUILD"),
            file = "e/eigen3/libeigen3-dev_3.4.0-4_all.deb",
            sha256 = "1a167bb381acb90c1d8450a8f3e66a09d216dbc64b33ac8a082a0912513ef939",
        )
