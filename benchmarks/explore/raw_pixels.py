"""Writes images' pixels as features, to compare others with.

    raw_pixels.py --images=DIR --output=pixels.npy

A row for each image: its central square at 32 x 32 pixels, as the programs'
raw-pixel baseline has it, and pixels.txt with the names.
"""

import argparse
import os

import numpy as np
from PIL import Image


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--images", required=True)
    parser.add_argument("--output", required=True)
    options = parser.parse_args()
    names = sorted(os.path.relpath(os.path.join(place, name), options.images)
                   for place, _, files in os.walk(options.images)
                   for name in files)
    values = np.empty((len(names), 3 * 32 * 32), np.float32)
    for i, name in enumerate(names):
        image = Image.open(os.path.join(options.images, name)).convert("RGB")
        side = min(image.size)
        left, top = (image.width - side) // 2, (image.height - side) // 2
        image = image.crop((left, top, left + side, top + side))
        values[i] = np.asarray(image.resize((32, 32), Image.BICUBIC),
                               np.float32).ravel() / 255
    np.save(options.output, values)
    with open(options.output[:-4] + ".txt", "w", encoding="utf-8") as f:
        f.write("".join(name + "\n" for name in names))


if __name__ == "__main__":
    main()
