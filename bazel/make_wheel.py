"""Writes a wheel whose bytes depend on its contents alone (see pywheel.bzl)."""

import argparse
import base64
import hashlib
import re
import subprocess
import sys
import zipfile

# The earliest date that zip knows, for every entry.
DATE = (1980, 1, 1, 0, 0, 0)

# How programs and shared libraries begin.
ELF = b"\x7fELF"


def record_line(path, data):
    digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest())
    return f"{path},sha256={digest.rstrip(b'=').decode()},{len(data)}\n"


def write_wheel(out, entries):
    with zipfile.ZipFile(out, "w") as wheel:
        for path, data in entries.items():
            entry = zipfile.ZipInfo(path, DATE)
            entry.compress_type = zipfile.ZIP_DEFLATED
            mode = 0o755 if data.startswith(ELF) else 0o644
            entry.external_attr = (0o100000 | mode) << 16
            wheel.writestr(entry, data)


# What a manylinux wheel may count on (PEP 600): these libraries, and the newest
# versions of their symbols on the systems that a tag stands for. libstdc++'s are
# those of GCC 11 (RHEL 9, glibc 2.34) and GCC 14 (glibc 2.39).
LIBRARIES = {
    "ld-linux-x86-64.so.2", "libc.so.6", "libdl.so.2", "libgcc_s.so.1",
    "libm.so.6", "libpthread.so.0", "librt.so.1", "libstdc++.so.6"
}
CPP_LIMITS = {
    (2, 34): {"GLIBCXX": (3, 4, 29), "CXXABI": (1, 3, 13)},
    (2, 39): {"GLIBCXX": (3, 4, 33), "CXXABI": (1, 3, 15)},
}


def check_platform(path, platform, provided=()):
    """Exits unless a binary runs wherever its platform tag promises.

    provided: libraries that are there beside those of every manylinux system.
    """
    promised = re.fullmatch(r"manylinux_(\d+)_(\d+)_x86_64", platform)
    if not promised:
        sys.exit(f"{platform} is not a manylinux tag for x86-64")
    glibc = tuple(map(int, promised.groups()))
    limits = CPP_LIMITS[max(known for known in CPP_LIMITS if known <= glibc)]
    limits = {"GLIBC": glibc, **limits}
    # binutils come with the compiler; the build looks for nothing on PATH.
    headers = subprocess.check_output(
        ["/usr/bin/readelf", "--dynamic", "--version-info", "--wide", path],
        text=True)
    libraries = set(re.findall(r"Shared library: \[(.*?)\]", headers))
    others = libraries - LIBRARIES - set(provided)
    if others:
        sys.exit(f"{path} needs {', '.join(sorted(others))}, "
                 "which a manylinux wheel may not count on")
    needed = re.findall(r"Name: (GLIBC|GLIBCXX|CXXABI)_([\d.]+)", headers)
    if not needed:
        sys.exit(f"{path} has no versions of the C library's symbols")
    for family, text in needed:
        if tuple(map(int, text.split("."))) > limits[family]:
            limit = ".".join(map(str, limits[family]))
            sys.exit(f"{path} needs {family}_{text}; {platform} promises no "
                     f"more than {limit}")


def main():
    parser = argparse.ArgumentParser()
    for flag in ("--out", "--name", "--version", "--tag"):
        parser.add_argument(flag, required=True)
    parser.add_argument("--platform", required=True)
    parser.add_argument("--metadata", action="append", default=[])
    parser.add_argument("--provided_library", action="append", default=[])
    parser.add_argument("--readme", required=True)
    parser.add_argument("files", nargs="+", help="path in the wheel=file")
    args = parser.parse_args()

    entries = {}
    for file in args.files:
        path, source = file.split("=", 1)
        with open(source, "rb") as data:
            entries[path] = data.read()
        if entries[path].startswith(ELF):
            check_platform(source, args.platform, args.provided_library)
    info = f"{args.name.replace('-', '_')}-{args.version}.dist-info"
    metadata = [
        "Metadata-Version: 2.1",
        f"Name: {args.name}",
        f"Version: {args.version}",
        *args.metadata,
        "Description-Content-Type: text/markdown",
    ]
    with open(args.readme, encoding="utf-8") as readme:
        description = readme.read()
    entries[f"{info}/METADATA"] = (
        "".join(f"{line}\n" for line in metadata) + "\n" + description).encode()
    entries[f"{info}/WHEEL"] = (
        "Wheel-Version: 1.0\nGenerator: make_wheel\n"
        f"Root-Is-Purelib: false\nTag: {args.tag}-{args.platform}\n").encode()
    record = "".join(record_line(*entry) for entry in entries.items())
    entries[f"{info}/RECORD"] = f"{record}{info}/RECORD,,\n".encode()
    write_wheel(args.out, entries)


if __name__ == "__main__":
    main()
