"""Images per second that torchvision's DataLoader delivers; one line of JSON.

The counterpart of throughput.cc: two views, the same augmentation. Started by
loader_versus_torchvision.py, by a Python that has torchvision.
"""

import argparse
import glob
import json
import os
import random
import time

import numpy as np
import PIL.Image
import PIL.ImageFilter
import torch
import torchvision
from torchvision.transforms import v2

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def blur(image):
    """As SimSiam's authors blur on ImageNet."""
    return image.filter(PIL.ImageFilter.GaussianBlur(random.uniform(0.1, 2)))


def pil_transform(size, blurs):
    """On PIL images: what SimSiam's and GSG's authors use."""
    t = torchvision.transforms
    return t.Compose([
        t.RandomResizedCrop(size, scale=(0.2, 1.0)),
        t.RandomApply([t.ColorJitter(0.4, 0.4, 0.4, 0.1)], p=0.8),
        t.RandomGrayscale(p=0.2),
        *([t.RandomApply([blur], p=0.5)] if blurs else []),
        t.RandomHorizontalFlip(),
        t.ToTensor(),
        t.Normalize(MEAN, STD),
    ])


def v2_transform(size, blurs):
    """On uint8 tensors, as torchvision's documentation recommends for speed."""
    return v2.Compose([
        v2.RandomResizedCrop(size, scale=(0.2, 1.0), antialias=True),
        v2.RandomApply([v2.ColorJitter(0.4, 0.4, 0.4, 0.1)], p=0.8),
        v2.RandomGrayscale(p=0.2),
        # As wide as PIL's, for the most: three deviations to each side.
        *([v2.RandomApply([v2.GaussianBlur(13, (0.1, 2))], p=0.5)]
          if blurs else []),
        v2.RandomHorizontalFlip(),
        v2.ToDtype(torch.float32, scale=True),
        v2.Normalize(MEAN, STD),
    ])


class Images(torch.utils.data.Dataset):
    """Two views of images in memory (paths is None) or of files."""

    def __init__(self, paths, api, transform):
        self.paths, self.api, self.transform = paths, api, transform
        if paths is None:
            self.pixels = np.random.default_rng(1).integers(
                0, 256, (10000, 32, 32, 3), np.uint8)

    def __len__(self):
        return len(self.pixels if self.paths is None else self.paths)

    def load(self, index):
        if self.paths is None:
            if self.api == "pil":
                return PIL.Image.fromarray(self.pixels[index])
            return torch.from_numpy(self.pixels[index]).permute(2, 0, 1)
        if self.api == "pil":
            with open(self.paths[index], "rb") as f:
                return PIL.Image.open(f).convert("RGB")
        return torchvision.io.decode_jpeg(
            torchvision.io.read_file(self.paths[index]),
            torchvision.io.ImageReadMode.RGB)

    def __getitem__(self, index):
        image = self.load(index)
        return self.transform(image), self.transform(image)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--source", choices=("memory", "folder"))
    parser.add_argument("--dir")
    parser.add_argument("--crop", type=int)
    parser.add_argument("--blur", action="store_true")
    parser.add_argument("--api", choices=("pil", "v2"))
    parser.add_argument("--workers", type=int)
    parser.add_argument("--seconds", type=float)
    args = parser.parse_args()
    torch.set_num_threads(1)
    paths, batch_size = None, 256
    if args.source == "folder":
        paths = sorted(glob.glob(os.path.join(args.dir, "*.jpg")))
        batch_size = 64
    make = pil_transform if args.api == "pil" else v2_transform
    transform = make(args.crop, args.blur)
    dataset = Images(paths, args.api, transform)
    # One endless epoch, so that starting workers is not measured.
    sampler = torch.utils.data.RandomSampler(dataset, replacement=True,
                                             num_samples=10**9)
    loader = torch.utils.data.DataLoader(dataset, batch_size, sampler=sampler,
                                         num_workers=args.workers)
    unmeasured = 4 * args.workers + 2
    batches = 0
    for _ in loader:
        batches += 1
        if batches == unmeasured:
            start = time.perf_counter()
        if batches > unmeasured:
            seconds = time.perf_counter() - start
            if seconds > args.seconds:
                break
    rate = (batches - unmeasured) * batch_size / seconds
    print(json.dumps({"images_per_second": round(rate, 1)}), flush=True)
    os._exit(0)  # the workers have no end of work to wait for


if __name__ == "__main__":
    main()
