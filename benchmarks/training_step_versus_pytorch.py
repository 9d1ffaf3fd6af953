"""A training step of ours beside eager PyTorch's, in one run.

    bazel run //benchmarks:training_step_versus_pytorch [-- --threads=2]

CIFAR-10's ResNet-18 with SimSiam's heads, batch 16, float32, forward, loss,
backward and SGD, on the CPU; with --recipe=cifar10_vit its Vision Transformer and
AdamW. PyTorch's side is torchvision's network and the
loss as the papers write it, in its default layout and in channels-last; ours is
//benchmarks:training_step. The sides take turns, so that a change in the
machine's speed reaches both; times are medians, ratios those of medians.
"""

import argparse
import json
import os
import statistics
import subprocess
import time

import torch
import torchvision
from torch import nn

BATCH = 16


def resnet():
    backbone = torchvision.models.resnet18()
    backbone.conv1 = nn.Conv2d(3, 64, 3, 1, 1, bias=False)
    backbone.maxpool = nn.Identity()
    backbone.fc = nn.Identity()
    return backbone, 512


def transformer():
    backbone = torchvision.models.VisionTransformer(
        image_size=32, patch_size=4, num_layers=12, num_heads=3,
        hidden_dim=192, mlp_dim=768)
    backbone.heads = nn.Identity()
    return backbone, 192


def fused_sgd(parameters):
    return torch.optim.SGD(parameters, 1e-4, 0.9, weight_decay=5e-4, fused=True)


def fused_adamw(parameters):
    return torch.optim.AdamW(parameters, 1e-4, weight_decay=0.1, fused=True)


RECIPES = {"cifar10_fast": (resnet, fused_sgd),
           "cifar10_vit": (transformer, fused_adamw)}


class SimSiam(nn.Module):

    def __init__(self, make_backbone):
        super().__init__()
        self.backbone, features = make_backbone()
        self.projector = nn.Sequential(
            nn.Linear(features, 2048, bias=False), nn.BatchNorm1d(2048), nn.ReLU(True),
            nn.Linear(2048, 2048, bias=False), nn.BatchNorm1d(2048, affine=False))
        self.predictor = nn.Sequential(
            nn.Linear(2048, 512, bias=False), nn.BatchNorm1d(512), nn.ReLU(True),
            nn.Linear(512, 2048))

    def forward(self, x):
        z = self.projector(self.backbone(x))
        return self.predictor(z), z.detach()


def d(p, z):
    return -nn.functional.cosine_similarity(p, z, dim=1)


def simsiam_loss(p, z):
    return (d(p[0], z[1]) + d(p[1], z[0])).mean() / 2


def guided_loss(p, z):
    """Of four views, or of two and those of another image of the batch."""
    if len(p) == 2:
        r = torch.arange(BATCH).roll(1)
        p, z = [*p, p[0][r], p[1][r]], [*z, z[0][r], z[1][r]]
    distances = torch.stack(
        [(z[a] - z[b]).norm(dim=1) for a in (0, 1) for b in (2, 3)], 1)
    pair = distances.argmin(1)
    first = torch.where(pair < 2, d(p[0], z[1]), d(p[1], z[0]))
    second = torch.where(pair % 2 == 0, d(p[2], z[3]), d(p[3], z[2]))
    return (first + second).mean() / 2


def torch_step(recipe, views, loss, layout):
    """A function that does one step."""
    torch.manual_seed(0)
    make_backbone, make_optimizer = RECIPES[recipe]
    model = SimSiam(make_backbone).to(memory_format=layout)
    optimizer = make_optimizer(model.parameters())
    x = [torch.randn(BATCH, 3, 32, 32).to(memory_format=layout)
         for _ in range(views)]

    def step():
        outputs = [model(v) for v in x]
        value = loss([p for p, _ in outputs], [z for _, z in outputs])
        optimizer.zero_grad()
        value.backward()
        optimizer.step()

    step()
    return step


def time_torch(step):
    start = time.perf_counter()
    step()
    return 1000 * (time.perf_counter() - start)


def time_ours(program, recipe, name, threads):
    output = subprocess.run(
        [program, f"--benchmark_filter=^BM_Step/{name}/{BATCH}/real_time$",
         "--benchmark_format=json", "--benchmark_min_time=3x",
         f"--recipe={recipe}", f"--threads={threads}"], check=True, stdout=subprocess.PIPE).stdout
    return json.loads(output)["benchmarks"][0]["real_time"]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--program", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--recipe", choices=RECIPES, default="cifar10_fast")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)

    ours = {"SimSiam": "simsiam/2", "guided, shared views": "simsiam_gsg/2",
            "guided, four views": "simsiam_gsg/4"}
    views = {"SimSiam": 2, "guided, shared views": 2, "guided, four views": 4}
    layouts = {"eager": torch.contiguous_format,
               "channels-last": torch.channels_last}
    times = {(step, side): [] for step in ours for side in ["ours", *layouts]}
    steps = {(name, side): torch_step(
        args.recipe, views[name],
        simsiam_loss if name == "SimSiam" else guided_loss, layout)
             for name in ours for side, layout in layouts.items()}
    for _ in range(args.rounds):
        for name in ours:
            times[name, "ours"].append(time_ours(args.program, args.recipe,
                                                 ours[name], args.threads))
        for key, step in steps.items():
            times[key] += [time_torch(step) for _ in range(3)]
    median = {key: statistics.median(value) for key, value in times.items()}

    print(f"{args.recipe}, torch {torch.__version__}, {args.threads} threads, batch {BATCH}, "
          "float32; milliseconds a step")
    print("| step | ours | eager PyTorch | PyTorch, channels-last | "
          "faster than the better |")
    print("|---|---|---|---|---|")
    for name in ours:
        mine, *theirs = (median[name, side] for side in ["ours", *layouts])
        print(f"| {name} | {mine:.0f} | {theirs[0]:.0f} | {theirs[1]:.0f} | "
              f"{min(theirs) / mine:.2f} x |")
    ratio = median["guided, four views", "ours"] / median[
        "guided, shared views", "ours"]
    print(f"\nfour views cost {ratio:.2f} times shared views")
    share = median["guided, shared views", "ours"] / median["SimSiam", "ours"]
    print(f"guiding shared views costs {share:.2f} times SimSiam")


if __name__ == "__main__":
    main()
