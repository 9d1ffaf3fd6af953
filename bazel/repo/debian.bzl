"""debian_archive: one file of Debian's pool, pinned by SHA-256.

The file is a binary package (.deb) or a source package's upstream tarball
(.orig.tar.*), named by its place in the pool. It is had through apt's own
download client from a Debian mirror that this machine's apt is set up with, so
neither apt's lists nor the release of the machine matter, and nothing is
installed. The hash vouches for the bytes, whatever mirror they came from.
"""

load(":repository.bzl", "add_to_cache", "finish", "get_from_cache", "run")

_APT_HELPER = "/usr/lib/apt/apt-helper"

# Prints the mirrors to try, one a line: the user's choice, then those of apt's
# sources, then (for Ubuntu) the one that the package python-apt-common names.
# A third party's .../debian may be among them; it will not have the file.
_MIRRORS = """
{
  echo "$GSG_DEBIAN_MIRROR"
  cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list \
      /etc/apt/sources.list.d/*.sources /etc/apt/mirrors/* 2>/dev/null |
    grep -v '^ *#' | grep -oE 'https?://[^] ]+/debian/?( |$)'
  sed -n 's/^BaseURI: *//p' /usr/share/python-apt/templates/Debian.info \
    2>/dev/null | grep -E '/debian/?$'
} | sed 's#/* *$##' | awk 'NF && !seen[$0]++'
"""

_HELP = """

@{name} needs {file} with the SHA-256
{sha256}, and no Debian mirror has given it. Tried: {tried}.
 * Is this machine offline, or the mirror down? Then try again later.
 * Debian's pool drops superseded versions. If this one is gone, pin the
   present one: the entry "{name}" in bazel/repo/deps.bzl or core.bzl.
 * No mirror tried? Name one, in the environment: GSG_DEBIAN_MIRROR=<URL that
   ends in /debian>. On Ubuntu, installing python-apt-common also does.
{log}"""

def _download(rctx, output):
    sha256 = rctx.attr.sha256
    if get_from_cache(rctx, rctx.attr.file, sha256, output):
        return
    rctx.report_progress("Downloading " + rctx.attr.file)
    mirrors = run(rctx, ["sh", "-c", _MIRRORS], "Listing Debian mirrors").split("\n")
    mirrors = [mirror for mirror in mirrors if mirror]
    log = ""
    for mirror in mirrors:
        # apt, too, writes a '+' of a file name as %2b.
        url = "%s/pool/main/%s" % (mirror, rctx.attr.file.replace("+", "%2b"))
        if not rctx.path(_APT_HELPER).exists:
            if rctx.download(url, output, sha256, allow_fail = True).success:
                return
            continue
        result = rctx.execute(
            [_APT_HELPER, "download-file", url, output, "SHA256:" + sha256],
            timeout = 600,
        )
        if result.return_code == 0:
            add_to_cache(rctx, output, sha256)
            return
        log += result.stdout + result.stderr
    if rctx.attr.upstream_url:
        rctx.download(rctx.attr.upstream_url, output, rctx.attr.upstream_sha256)
        return
    fail(_HELP.format(
        name = rctx.name,
        file = rctx.attr.file,
        sha256 = sha256,
        tried = ", ".join(mirrors) or "none",
        log = log,
    ))

def _debian_archive_impl(rctx):
    rctx.file("_download/.keep")
    _download(rctx, "_download/archive")
    if rctx.attr.file.endswith(".deb"):
        unpack = "ar p _download/archive data.tar.xz | tar -xJ"
    else:
        unpack = "tar -xf _download/archive --strip-components=1"
    run(rctx, ["sh", "-c", unpack], "Unpacking " + rctx.attr.file)
    rctx.delete("_download")
    if rctx.attr.root:
        for child in rctx.path(rctx.attr.root).readdir():
            rctx.symlink(child, child.basename)
    finish(rctx)

debian_archive = repository_rule(
    implementation = _debian_archive_impl,
    doc = "Unpacks one .deb or .orig.tar.gz of Debian's pool.",
    attrs = {
        "file": attr.string(
            mandatory = True,
            doc = "Path below pool/main of a Debian mirror.",
        ),
        "sha256": attr.string(mandatory = True),
        "upstream_url": attr.string(
            doc = "The project's own release archive, used where no Debian " +
                  "mirror has the file (any more).",
        ),
        "upstream_sha256": attr.string(),
        "root": attr.string(
            doc = "Folder of the package to make the repository's root; it " +
                  "brings its own BUILD files.",
        ),
        "build_file": attr.label(
            allow_single_file = True,
            doc = "None: the archive has its own BUILD files.",
        ),
    },
    environ = ["GSG_DEBIAN_MIRROR"],
)
