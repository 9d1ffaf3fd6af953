"""What tests of exported networks share: runs of a step, images, printed code."""

import json
import os
import re
import struct

import numpy as np
import torch
import torchvision
from torchvision.transforms import v2

from tests.trainers import training_run as tr

# For features of order 1.
TOLERANCE = 1e-4


def write_photos(folder, train=10, val=4):
    """Reddish and bluish noise as JPEGs, in class folders."""
    generator = torch.Generator().manual_seed(1)
    for split, count in (("train", train), ("val", val)):
        for name, channel in (("red", 0), ("blue", 2)):
            place = os.path.join(folder, split, name)
            os.makedirs(place)
            for i in range(count):
                coarse = torch.rand(1, 3, 9, 9, generator=generator)
                coarse[:, channel] += 1
                image = torch.nn.functional.interpolate(
                    coarse / 2, (80 + i, 90), mode="bilinear")
                torchvision.io.write_jpeg(
                    (255 * image[0]).to(torch.uint8),
                    os.path.join(place, "%d.jpg" % i), quality=95)


def train(folder, *flags):
    process = tr.run("--output_dir=" + folder, "--recipe=fashion_mnist",
                     "--max_steps=1", "--epochs=1",
                     "--warmup_epochs=0", "--batch_size=8", "--threads=1",
                     "--projector_hidden=64", "--projector_dim=64",
                     "--knn_every=0", "--baselines=false", "--linear_probe=false",
                     *flags)
    if process.returncode != 0:
        raise AssertionError(process.stderr)


def printed_model(printed, **libraries):
    """The network that export's lines of Python make and load."""
    names = {"torch": torch, "torchvision": torchvision, **libraries}
    exec(re.search(r"\n\n(model = .*?)\n\n", printed, re.S).group(1), names)
    return names["model"]


def images_of(file):
    """The images of an IDX file, [N, 1, H, W] from 0 to 1."""
    with open(file, "rb") as f:
        count, height, width = struct.unpack(">4xIII", f.read(16))
        pixels = np.frombuffer(f.read(), np.uint8)
    return torch.tensor(pixels.reshape(count, 1, height, width)) / 255


def normalized(images, run):
    meta = json.loads(torch.load(
        os.path.join(run, "checkpoint-last.pt"))["meta"])
    return (images - meta["channel_mean"][0]) / meta["channel_std"][0]


def photos(folder, file):
    """What the network sees of the images whose names are in `file`, a line
    each: [N, 3, 64, 64]."""
    transform = v2.Compose([
        v2.ToDtype(torch.float32, scale=True), v2.Resize(73),
        v2.CenterCrop(64),
        v2.Normalize((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))])
    with open(file) as f:
        return torch.stack([transform(torchvision.io.decode_image(
            os.path.join(folder, name))) for name in f.read().splitlines()])
