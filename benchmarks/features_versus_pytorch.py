"""Features of images beside PyTorch's, in one run, on the CPU.

    bazel run //benchmarks:features_versus_pytorch [-- --threads=2]

The forward pass of networks in evaluation mode, float32, without gradients, as embed,
explore and the scores of a run have it. PyTorch's side is torchvision's network: eager,
eager in channels-last, and through torch.compile with its weights frozen, which folds
BatchNorm into the convolutions and needs a C++ compiler (--nocompile leaves it out).
Ours is //benchmarks:features. The sides take turns; times are medians, ratios those of
medians.
"""

import argparse
import json
import os
import statistics
import subprocess
import time

import torch
import torch._inductor.config
import torchvision
from torch import nn

from benchmarks.training_step_versus_pytorch import resnet, resnet50

SIDES = ("eager", "channels-last", "torch.compile")


def vit_small():
    network = torchvision.models.VisionTransformer(
        image_size=224, patch_size=16, num_layers=12, num_heads=6,
        hidden_dim=384, mlp_dim=1536)
    network.heads = nn.Identity()
    return network


def convnext_tiny():
    network = torchvision.models.convnext_tiny()
    network.classifier[2] = nn.Identity()
    return network


NETWORKS = {  # name: (network, side, images)
    "resnet18": (resnet, 32, 256),
    "resnet50": (resnet50, 224, 20),
    "vit_small": (vit_small, 224, 20),
    "convnext_tiny": (convnext_tiny, 224, 20),
}


def torch_features(name, side):
    """A function that computes a batch."""
    make, size, images = NETWORKS[name]
    torch.manual_seed(0)
    layout = torch.contiguous_format if side == "eager" else torch.channels_last
    network = make().eval().to(memory_format=layout)
    if side == "torch.compile":
        network = torch.compile(network)
    x = torch.randn(images, 3, size, size).to(memory_format=layout)

    def forward():
        with torch.no_grad():
            network(x)

    forward()
    return forward


def time_torch(forward):
    start = time.perf_counter()
    forward()
    return 1000 * (time.perf_counter() - start)


def time_ours(program, name, threads):
    _, size, images = NETWORKS[name]
    output = subprocess.run(
        [program, f"--benchmark_filter=^BM_Features/{name}/{size}/{images}/real_time$",
         "--benchmark_format=json", "--benchmark_min_time=3x", f"--threads={threads}"],
        check=True, stdout=subprocess.PIPE).stdout
    return json.loads(output)["benchmarks"][0]["real_time"]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--program", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--network", choices=NETWORKS, help="default: all")
    parser.add_argument("--nocompile", action="store_true")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    torch._inductor.config.freezing = True
    sides = SIDES[:-1] if args.nocompile else SIDES

    print(f"torch {torch.__version__}, {args.threads} threads, float32; milliseconds a "
          "batch, and how many times as long as ours")
    print("| network | side | images | ours | images/s | " + " | ".join(sides) + " |")
    print("|---|---|---|---|---|" + len(sides) * "---|")
    for name in [args.network] if args.network else NETWORKS:
        theirs = {side: torch_features(name, side) for side in sides}
        ours, times = [], {side: [] for side in sides}
        for _ in range(args.rounds):
            ours.append(time_ours(args.program, name, args.threads))
            for side, forward in theirs.items():
                times[side] += [time_torch(forward) for _ in range(3)]
        our = statistics.median(ours)
        cells = []
        for side in sides:
            their = statistics.median(times[side])
            cells.append(f"{their:.4g} ({their / our:.2f})")
        _, size, images = NETWORKS[name]
        print(f"| {name} | {size} | {images} | {our:.4g} | {1000 * images / our:.4g} | "
              + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
