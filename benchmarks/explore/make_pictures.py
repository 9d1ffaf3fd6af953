"""Makes a folder of images of which is known what explore should find.

    make_pictures.py --output=DIR [--images=3000] [--cifar10=DIR] [--seed=1]

DIR/photos/<class>/ gets the images, DIR/truth.csv a line for each planted one:
  exact     the same pixels: half are copies of the file, half are written anew
            as PNG
  resized   75 % of the size, JPEG of quality 60
  rotated   by 90, 180 or 270 degrees, JPEG of quality 90
  foreign   noise, text, charts: what no class has
  wrong     an image that lies in another class's folder
For the first three, `of` names the original. A planted image is planted once.

Without --cifar10 the images are drawn: ten kinds of patterns of any shade
and phase, spaced by 22 to 30 pixels and tilted by up to 20 degrees, on uneven ground. With it, they are CIFAR-10's
training images (data_batch_*.bin in DIR), 32 x 32 pixels enlarged to 128 x 128.
"""

import argparse
import csv
import io
import math
import os
import random

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

COUNTS = {"exact": 60, "resized": 60, "rotated": 60, "foreign": 20, "wrong": 50}
KINDS = ("stripes", "checks", "dots", "rings", "triangles", "discs", "stars",
         "crosses", "zigzag", "frames")


def color(rng):
    return tuple(rng.randint(0, 255) for _ in range(3))


def ground(rng, width, height, low, high):
    """Two shades that run into each other, with a tinge and noise."""
    noise = np.random.default_rng(rng.getrandbits(32))
    tinge = np.array([rng.uniform(-15, 15) for _ in range(3)])
    a, b = rng.uniform(low, high) + tinge, rng.uniform(low, high) + tinge
    angle = rng.uniform(0, 2 * math.pi)
    y, x = np.mgrid[0:height, 0:width]
    t = (x * math.cos(angle) + y * math.sin(angle)) / max(width, height)
    t = ((t - t.min()) / (np.ptp(t) + 1e-9))[..., None]
    pixels = a * (1 - t) + b * t + noise.normal(0, 5, (height, width, 1))
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))


def polygon(center, radius, corners, turn, inner=1.0):
    points = []
    for i in range(corners * (2 if inner < 1 else 1)):
        r = radius * (inner if inner < 1 and i % 2 else 1)
        angle = turn + 2 * math.pi * i / (corners * (2 if inner < 1 else 1))
        points.append((center[0] + r * math.cos(angle),
                       center[1] + r * math.sin(angle)))
    return points


def draw_pattern(rng, kind):
    width, height = rng.randint(110, 160), rng.randint(110, 160)
    # A light pattern on dark ground, or the other way.
    shades = [(10, 90), (160, 245)]
    rng.shuffle(shades)
    image = ground(rng, width, height, *shades[0])
    side = 2 * max(width, height)
    layer = Image.new("L", (side, side), 0)
    draw = ImageDraw.Draw(layer)
    step = rng.randint(22, 30)
    shift = rng.uniform(0, step), rng.uniform(0, step)
    if kind == "stripes":
        for x in range(-step, side + step, step):
            draw.rectangle((x + shift[0], 0, x + shift[0] + step * 0.45, side),
                           fill=255)
    elif kind == "checks":
        for i, x in enumerate(range(-step, side + step, step)):
            for j, y in enumerate(range(-step, side + step, step)):
                if (i + j) % 2:
                    draw.rectangle((x + shift[0], y + shift[1],
                                    x + shift[0] + step, y + shift[1] + step),
                                   fill=255)
    elif kind == "rings":
        center = [side / 2 + rng.uniform(-step, step) for _ in range(2)]
        for r in range(step // 2, side, step):
            draw.ellipse((center[0] - r, center[1] - r, center[0] + r,
                          center[1] + r), outline=255, width=step // 3)
    elif kind == "zigzag":
        for y in range(-step, side + step, step):
            points = [(x, y + shift[1] + (step * 0.8 if i % 2 else 0))
                      for i, x in enumerate(range(-step, side + step, step))]
            draw.line(points, fill=255, width=step // 4)
    else:
        for x in range(-step, side + step, step):
            for y in range(-step, side + step, step):
                at = (x + shift[0] + rng.uniform(-3, 3),
                      y + shift[1] + rng.uniform(-3, 3))
                r = step * rng.uniform(0.36, 0.46)
                turn = rng.uniform(0, 6.3)
                box = (at[0] - r, at[1] - r, at[0] + r, at[1] + r)
                if kind == "dots":
                    r *= 0.25
                    for dx, dy in ((0, 0), (step / 2, step / 2)):
                        draw.ellipse((at[0] + dx - r, at[1] + dy - r,
                                      at[0] + dx + r, at[1] + dy + r), fill=255)
                elif kind == "discs":
                    draw.ellipse(box, fill=255)
                elif kind == "triangles":
                    draw.polygon(polygon(at, r, 3, turn), fill=255)
                elif kind == "stars":
                    draw.polygon(polygon(at, r, 5, turn, 0.4), fill=255)
                elif kind == "crosses":
                    for angle in (turn, turn + math.pi / 2):
                        dx, dy = r * math.cos(angle), r * math.sin(angle)
                        draw.line((at[0] - dx, at[1] - dy, at[0] + dx,
                                   at[1] + dy), fill=255, width=step // 6)
                else:
                    draw.polygon(polygon(at, r, 4, turn), outline=255,
                                 width=max(2, step // 9))
    layer = layer.rotate(rng.uniform(-20, 20), Image.BILINEAR)
    left, top = (side - width) // 2, (side - height) // 2
    layer = layer.crop((left, top, left + width, top + height))
    return Image.composite(ground(rng, width, height, *shades[1]), image,
                           layer)


def draw_foreign(rng, number):
    """Each of its own kind, more or less."""
    width, height = rng.randint(110, 160), rng.randint(110, 160)
    noise = np.random.default_rng(rng.getrandbits(32))
    kind = number % 5
    if kind == 0:  # snow of some grain
        grain = 1 + number // 5
        small = noise.integers(0, 256, (height // grain + 1, width // grain + 1,
                                        3), dtype=np.uint8)
        return Image.fromarray(small).resize((width, height), Image.NEAREST)
    if kind == 1:  # a page of text
        image = Image.new("RGB", (width, height), "white")
        draw = ImageDraw.Draw(image)
        for y in range(4, height, 9 + number // 5):
            x = 5
            while x < width - 8:
                length = rng.randint(3, 20)
                draw.rectangle((x, y, min(x + length, width - 5), y + 3),
                               fill=(20, 20, 20))
                x += length + 4
        return image
    if kind == 2:  # bars of a chart
        image = Image.new("RGB", (width, height), (250, 250, 250))
        draw = ImageDraw.Draw(image)
        draw.line((10, 5, 10, height - 10, width - 5, height - 10), fill="black")
        for x in range(14, width - 10, 12):
            draw.rectangle((x, rng.randint(10, height - 20), x + 7, height - 11),
                           fill=color(rng))
        return image
    if kind == 3:  # nearly nothing
        image = Image.new("RGB", (width, height), (number * 12 % 256,) * 3)
        ImageDraw.Draw(image).ellipse((40, 40, 48 + number, 48 + number),
                                      fill=color(rng))
        return image
    small = noise.integers(0, 2, (25 + number, 25 + number),
                           dtype=np.uint8) * 255
    return Image.fromarray(small).convert("RGB").resize((width, height),
                                                        Image.NEAREST)


def cifar10(folder, count, rng):
    with open(os.path.join(folder, "batches.meta.txt")) as f:
        names = f.read().split()
    records = np.concatenate([
        np.fromfile(os.path.join(folder, "data_batch_%d.bin" % i),
                    np.uint8).reshape(-1, 3073) for i in range(1, 6)])
    for i in rng.sample(range(len(records)), count):
        pixels = records[i, 1:].reshape(3, 32, 32).transpose(1, 2, 0)
        image = Image.fromarray(pixels).resize((128, 128), Image.BICUBIC)
        yield names[records[i, 0]], image


def drawn(count, rng):
    for i in range(count):
        kind = KINDS[i % len(KINDS)]
        yield kind, draw_pattern(rng, kind).filter(
            ImageFilter.GaussianBlur(rng.uniform(0, 0.8)))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--output", required=True)
    parser.add_argument("--images", type=int, default=3000)
    parser.add_argument("--cifar10")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    if os.path.exists(options.output):
        parser.error("--output=%s exists already" % options.output)
    rng = random.Random(options.seed)
    photos = os.path.join(options.output, "photos")
    source = (cifar10(options.cifar10, options.images, rng)
              if options.cifar10 else drawn(options.images, rng))

    def path(name):
        full = os.path.join(photos, name)
        os.makedirs(os.path.dirname(full), exist_ok=True)
        return full

    originals = []  # (class, name)
    for i, (label, image) in enumerate(source):
        name = "%s/%05d.jpg" % (label, i)
        image.save(path(name), quality=92)
        originals.append((label, name))
    labels = sorted({label for label, _ in originals})
    truth = []
    planted = iter(rng.sample(originals, sum(COUNTS.values())))
    # Numbers that do not follow the originals': names say nothing.
    numbers = iter(rng.sample(range(options.images, 2 * options.images),
                              sum(COUNTS.values())))
    for kind in ("exact", "resized", "rotated"):
        for i in range(COUNTS[kind]):
            label, name = next(planted)
            copy = "%s/%05d.jpg" % (label, next(numbers))
            with open(path(name), "rb") as f:
                file = f.read()
            image = Image.open(io.BytesIO(file))
            if kind == "exact" and i % 2 == 0:
                with open(path(copy), "wb") as f:
                    f.write(file)
            elif kind == "exact":
                copy = copy[:-4] + ".png"
                image.save(path(copy))
            elif kind == "resized":
                image.resize((image.width * 3 // 4, image.height * 3 // 4),
                             Image.LANCZOS).save(path(copy), quality=60)
            else:
                image.transpose((Image.ROTATE_90, Image.ROTATE_180,
                                 Image.ROTATE_270)[i % 3]).save(path(copy),
                                                                quality=90)
            truth.append((copy, kind, name))
    for i in range(COUNTS["foreign"]):
        name = "%s/%05d.jpg" % (rng.choice(labels), next(numbers))
        draw_foreign(rng, i).save(path(name), quality=92)
        truth.append((name, "foreign", ""))
    for _ in range(COUNTS["wrong"]):
        label, name = next(planted)
        other = rng.choice([other for other in labels if other != label])
        moved = "%s/%05d.jpg" % (other, next(numbers))
        os.rename(path(name), path(moved))
        truth.append((moved, "wrong", label))
    with open(os.path.join(options.output, "truth.csv"), "w", newline="") as f:
        writer = csv.writer(f)
        writer.writerow(("file", "planted", "of"))
        writer.writerows(sorted(truth))
    print("%d images in %s" % (len(originals) + 180 + COUNTS["foreign"], photos))


if __name__ == "__main__":
    main()
