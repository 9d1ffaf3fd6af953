"""Makes the folders that docs/photos.md measures: photographs, textures, drawings.

    make_folders.py --output=DIR [--cifar10=DIR] [--textures=DIR] [--drawings=DIR]

DIR/<folder>/train/<class>/ gets some 1,200 images, DIR/<folder>/test/<class>/ others to
score them on. Each folder needs its source:

--cifar10   CIFAR-10's data_batch_*.bin and test_batch.bin. `photographs` are 120 training
            images a class and 300 test images a class, and `photographs_20000` (to
            start from) 2,000 others a class.
--textures  The folder `textures` in pak4-textures.pk3 of Debian's package
            openarena-081-textures. 40 of its pictures of 512 pixels or more, taken from
            its groups in turn, are the classes: gray patches of 48 pixels, 30 of the
            left half for training and 30 of the right half for scoring.
--drawings  usr/share/openclipart/png of Debian's package openclipart-png. Its eight
            largest groups are the classes, 150 drawings each for training and 150 for
            scoring, on white, the longer side 64 pixels.

Debian's packages are fetched by `apt-get download`, and unpacked by `dpkg-deb -x`.
"""

import argparse
import pathlib
import random

import numpy as np
from PIL import Image

Image.MAX_IMAGE_PIXELS = None  # Some drawings are large.


def write(images, folder):
    """Writes a list of images as PNG files with numbers for names."""
    folder.mkdir(parents=True)
    for number, image in enumerate(images):
        image.save(folder / f"{number:04d}.png")


def photographs(source, output):
    names = ("airplane automobile bird cat deer dog frog horse ship truck").split()

    def read(files):
        data = b"".join((source / file).read_bytes() for file in files)
        rows = np.frombuffer(data, np.uint8).reshape(-1, 3073)
        return [rows[rows[:, 0] == label, 1:].reshape(-1, 3, 32, 32)
                .transpose(0, 2, 3, 1) for label in range(10)]

    train = read([f"data_batch_{i}.bin" for i in range(1, 6)])
    test = read(["test_batch.bin"])
    for folder, first, count in (("photographs", 0, 120),
                                 ("photographs_20000", 600, 2000)):
        for name, images, scored in zip(names, train, test):
            images = [Image.fromarray(i) for i in images[first:first + count]]
            write(images, output / folder / "train" / name)
            write([Image.fromarray(i) for i in scored[:300]],
                  output / folder / "test" / name)


def textures(source, output):
    side, count = 48, 30
    large = {}
    for path in sorted(source.rglob("*.jpg")):
        with Image.open(path) as image:
            if min(image.size) >= 512:
                large.setdefault(path.parent, []).append(path)
    groups = sorted(large, key=lambda group: (-len(large[group]), group))
    paths = []
    for turn in range(max(map(len, large.values()))):
        paths += [large[g][turn] for g in groups if turn < len(large[g])]
    rng = random.Random(0)
    for path in paths[:40]:
        name = f"{path.parent.name}-{path.stem}"
        picture = Image.open(path).convert("L").resize((512, 512), Image.BOX)

        def patches(left, right):
            corners = [(rng.randint(left, right - side), rng.randint(0, 512 - side))
                       for _ in range(count)]
            return [picture.crop((x, y, x + side, y + side)) for x, y in corners]

        write(patches(0, 256), output / "textures/train" / name)
        write(patches(256, 512), output / "textures/test" / name)


def drawings(source, output):
    groups = {group.name: sorted(group.rglob("*.png"))
              for group in source.iterdir() if group.name != "unsorted"}
    largest = sorted(groups, key=lambda name: (-len(groups[name]), name))[:8]

    def read(path):
        image = Image.open(path).convert("RGBA")
        image.thumbnail((64, 64))
        white = Image.new("RGBA", image.size, "white")
        return Image.alpha_composite(white, image).convert("RGB")

    for name in largest:
        chosen = random.Random(0).sample(groups[name], 300)
        write([read(p) for p in chosen[:150]], output / "drawings/train" / name)
        write([read(p) for p in chosen[150:]], output / "drawings/test" / name)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=pathlib.Path, required=True)
    makers = {"cifar10": photographs, "textures": textures, "drawings": drawings}
    for name in makers:
        parser.add_argument(f"--{name}", type=pathlib.Path, metavar="DIR")
    flags = parser.parse_args()
    given = [name for name in makers if getattr(flags, name)]
    if not given:
        parser.error("give at least one of --cifar10, --textures and --drawings")
    for name in given:
        makers[name](getattr(flags, name), flags.output)
    for folder in sorted(flags.output.iterdir()):
        counts = [len(list((folder / part).rglob("*.png")))
                  for part in ("train", "test")]
        print(f"{folder}: {counts[0]} images to train on, {counts[1]} to score")


if __name__ == "__main__":
    main()
