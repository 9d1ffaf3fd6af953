"""What the repository rules share."""

def get_from_cache(rctx, name, sha256, output):
    """Tries to take a file out of Bazel's --repository_cache.

    Args:
      rctx: the repository context.
      name: what Bazel's warning should name when the cache lacks the file.
      sha256: the file's hash, its name in the cache.
      output: where to write it.

    Returns:
      True if the cache had it.
    """

    # Bazel tells the user of every download that fails. So where its cache is the
    # usual one, in <output_user_root>, and this repository is
    # <output_user_root>/<output_base>/external/<name>, look there first.
    cache = "../../../cache/repos"
    file = rctx.path("%s/v1/content_addressable/sha256/%s/file" % (cache, sha256))
    if rctx.path(cache).exists and not file.exists:
        return False

    # A download that only the cache can serve: there is no such local file.
    return rctx.download(
        url = "file:///not-cached-yet-so-downloading/" + name.split("/")[-1],
        output = output,
        sha256 = sha256,
        allow_fail = True,
    ).success

def add_to_cache(rctx, path, sha256):
    """Verifies a downloaded file and keeps it in Bazel's --repository_cache."""
    rctx.download(
        url = "file://%s" % rctx.path(path),
        output = "_cached",
        sha256 = sha256,
    )
    rctx.delete("_cached")

def run(rctx, argv, what, ok = [0], env = {}):
    """Runs a command; fails with its output unless it exits with one of ok."""
    result = rctx.execute(argv, timeout = 1800, environment = env)
    if result.return_code not in ok:
        fail("\n\n%s, for @%s, failed (exit status %d):\n%s%s" % (
            what,
            rctx.name,
            result.return_code,
            result.stdout,
            result.stderr,
        ))
    return result.stdout

def host_python(rctx):
    """The Python to use: $GSG_PYTHON, or the python3 on PATH."""
    python = rctx.os.environ.get("GSG_PYTHON") or rctx.which("python3")
    if not python:
        fail("\n\nno python3 on PATH: install it, or start Bazel with " +
             "./bazelw, which does. (GSG_PYTHON=<path> names another.)")
    return str(python)

def finish(rctx):
    """Writes the repository's BUILD and WORKSPACE files."""
    if rctx.attr.build_file:
        for name in ["BUILD", "BUILD.bazel"]:
            rctx.delete(name)
        rctx.symlink(rctx.attr.build_file, "BUILD.bazel")
    rctx.file("WORKSPACE", "workspace(name = \"%s\")\n" % rctx.name)
