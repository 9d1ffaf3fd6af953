"""Writes a wheel whose bytes depend on its contents alone (see pywheel.bzl)."""

import argparse
import base64
import hashlib
import zipfile

# The earliest date that zip knows, for every entry.
DATE = (1980, 1, 1, 0, 0, 0)


def record_line(path, data):
    digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest())
    return f"{path},sha256={digest.rstrip(b'=').decode()},{len(data)}\n"


def write_wheel(out, entries):
    with zipfile.ZipFile(out, "w") as wheel:
        for path, data in entries.items():
            entry = zipfile.ZipInfo(path, DATE)
            entry.compress_type = zipfile.ZIP_DEFLATED
            mode = 0o755 if path.endswith(".so") else 0o644
            entry.external_attr = (0o100000 | mode) << 16
            wheel.writestr(entry, data)


def main():
    parser = argparse.ArgumentParser()
    for flag in ("--out", "--name", "--version", "--tag"):
        parser.add_argument(flag, required=True)
    parser.add_argument("--requires", action="append", default=[])
    parser.add_argument("files", nargs="+", help="path in the wheel=file")
    args = parser.parse_args()

    entries = {}
    for file in args.files:
        path, source = file.split("=", 1)
        with open(source, "rb") as data:
            entries[path] = data.read()
    info = f"{args.name}-{args.version}.dist-info"
    metadata = [
        "Metadata-Version: 2.1",
        f"Name: {args.name}",
        f"Version: {args.version}",
        *(f"Requires-Dist: {requirement}" for requirement in args.requires),
    ]
    entries[f"{info}/METADATA"] = "".join(f"{m}\n" for m in metadata).encode()
    entries[f"{info}/WHEEL"] = (
        "Wheel-Version: 1.0\nGenerator: make_wheel\n"
        f"Root-Is-Purelib: false\nTag: {args.tag}\n").encode()
    record = "".join(record_line(*entry) for entry in entries.items())
    entries[f"{info}/RECORD"] = f"{record}{info}/RECORD,,\n".encode()
    write_wheel(args.out, entries)


if __name__ == "__main__":
    main()
