"""Does in a folder with a Debian what docker build does for a Dockerfile's image.

    python3 -m tests.packaging.run_image DEBIAN DOCKERFILE WHEELS

For run_image.sh, as root. DEBIAN stands in for the base images and becomes the
image; WHEELS is the folder that the first stage would have made. Then its entry
point trains on drawn images, as the image's user.
"""

import pathlib
import shutil
import struct
import subprocess
import sys
import zlib

from tests.packaging import dockerfile

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

# A network and a run that take a minute; the recipe warms up for 5 epochs.
TRAIN = ["train", "photos", "--epochs=6", "--batch_size=8", "--threads=1",
         "--backbone=resnet_small", "--stem=small_stride2", "--output_dir=run"]


class Image:
    """A folder that becomes the image of a stage, one instruction at a time."""

    def __init__(self, root, wheels, call=subprocess.check_call):
        self.root = pathlib.Path(root)
        self.wheels = pathlib.Path(wheels)
        self.call = call
        self.env = {"PATH": PATH}
        self.user = "root"
        self.folder = "/"

    def inside(self, path):
        return self.root / path.lstrip("/")

    def execute(self, words, **env):
        """Calls words as the user, in the folder and environment of now."""
        variables = [f"{k}={v}" for k, v in {**self.env, **env}.items()]
        self.call(["chroot", f"--userspec={self.user}", str(self.root), "env", "-i",
                   *variables, "sh", "-c", 'cd "$0" && exec "$@"', self.folder,
                   *words])

    def apply(self, instruction):
        name = instruction.name
        if name == "RUN":
            self.run(instruction)
        elif name == "ENV":
            self.env.update(instruction.pairs())
        elif name == "USER":
            self.user = instruction.text
        elif name == "WORKDIR":
            self.folder = instruction.text
            self.inside(self.folder).mkdir(parents=True, exist_ok=True)
        elif name not in ("CMD", "ENTRYPOINT", "LABEL"):
            raise instruction.error("is not done here")

    def run(self, instruction):
        lent = instruction.mount()
        if lent:
            target = self.inside(lent["target"])
            target.mkdir()
            for wheel in sorted(self.wheels.glob("*.whl")):
                shutil.copy(wheel, target)
        # Debian's pip, not the base image's, leaves the system's packages alone.
        self.execute(["/bin/sh", "-c", instruction.text],
                     PIP_BREAK_SYSTEM_PACKAGES="1")
        if lent:
            shutil.rmtree(target)


def draw(folder, count=24, size=64):
    """Writes as many PNG files: stripes, each with a width and color of its own."""
    folder.mkdir()

    def chunk(kind, data):
        return (struct.pack(">I", len(data)) + kind + data
                + struct.pack(">I", zlib.crc32(kind + data)))

    for k in range(count):
        color = bytes((40 + 7 * k, 250 - 9 * k, 20 + 80 * (k % 3)))
        row = b"".join(color if (x // (2 + k % 6)) % 2 else b"\0\0\0"
                       for x in range(size))
        (folder / f"{k}.png").write_bytes(
            b"\x89PNG\r\n\x1a\n"
            + chunk(b"IHDR", struct.pack(">IIBBBBB", size, size, 8, 2, 0, 0, 0))
            + chunk(b"IDAT", zlib.compress((b"\0" + row) * size))
            + chunk(b"IEND", b""))


def main():
    root, file, wheels = map(pathlib.Path, sys.argv[1:])
    *_, stage = dockerfile.parse(file.read_text(encoding="utf-8"))
    image = Image(root, wheels)
    for instruction in stage.instructions:
        print(f"--- line {instruction.line}: {instruction.name}", flush=True)
        image.apply(instruction)
    print("all files of the image, in MiB:", flush=True)
    subprocess.check_call(["du", "-xsm", str(root)])
    entry = stage.all("ENTRYPOINT")[0].command()
    image.execute(entry + stage.all("CMD")[0].command())
    draw(image.inside(image.folder) / "photos")
    image.execute(entry + TRAIN)
    image.execute(entry + ["embed", "--run=run", "--images=photos",
                           "--output=photos.npy"])
    for name in ("run/report.html", "run/checkpoint-last.pt", "photos.npy"):
        made = image.inside(image.folder) / name
        print(f"{name}: {made.stat().st_size} bytes")


if __name__ == "__main__":
    main()
