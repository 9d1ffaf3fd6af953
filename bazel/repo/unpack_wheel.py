"""Unpacks a wheel, taking files that another folder has already by hard links.

    unpack_wheel.py <wheel> <folder> <folder that has some of its files>

@libtorch is a gigabyte of files of torch's wheel. A second copy costs that room, and
ten seconds of unpacking.
"""

import os
import pathlib
import sys
import zipfile
import zlib

# Of torch/bin, where protoc and torch's own tests are, importing it wants this one.
BIN = "torch/bin/"
KEPT = BIN + "torch_shm_manager"


def checksum(path):
    value = 0
    with open(path, "rb") as file:
        while block := file.read(1 << 20):
            value = zlib.crc32(block, value)
    return value


def link(source, target, info):
    """Whether target is now the file source, which is what the wheel has."""
    if not source.is_file() or source.stat().st_size != info.file_size:
        return False
    if checksum(source) != info.CRC:
        return False
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(source, target)
    except OSError:  # another file system
        return False
    return True


def main():
    wheel, folder, other = sys.argv[1:]
    with zipfile.ZipFile(wheel) as archive:
        for info in archive.infolist():
            name = info.filename
            target = pathlib.Path(folder, name)
            if name.startswith(BIN) and name != KEPT:
                continue
            if not link(pathlib.Path(other, name), target, info):
                archive.extract(info, folder)
                # Which files are programs; zipfile leaves it out.
                if info.external_attr >> 16 & 0o100:
                    target.chmod(0o755)


if __name__ == "__main__":
    main()
