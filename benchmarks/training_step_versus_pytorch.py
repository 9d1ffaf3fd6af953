"""A training step of ours beside PyTorch's, in one run.

    bazel run //benchmarks:training_step_versus_pytorch [-- --threads=2 --batch=16]

CIFAR-10's ResNet-18 with SimSiam's heads, float32, forward, loss, backward and
SGD, on the CPU; with --recipe=cifar10_vit its Vision Transformer and AdamW, with
--recipe=fashion_mnist its small ResNet (--batch=128 as in training), with
--recipe=imagenet ResNet-50 on 224 pixels (--batch=8). On a GPU
(--config=cuda, --device=cuda) all sides compute in bfloat16, by autocast, or with
--precision=float32 in that; ours is a CUDA graph, as in training.
PyTorch's side is torchvision's network and the loss as the papers write it:
eager, eager in channels-last, and through torch.compile, which needs a C++
compiler (--nocompile leaves it out; --compile_mode=max-autotune takes minutes). Ours is //benchmarks:training_step. The
sides take turns, so that a change in the machine's speed reaches all; times are
medians, ratios those of medians. On a CPU also the most memory that a process has in
a step, less what it had before there was a network. measure() is for other scripts.
"""

import argparse
import dataclasses
import json
import logging
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable

import torch
import torchvision
from torch import nn

BATCH = 16
GPU_BATCH = 512

SIDES = ("ours", "eager", "channels-last", "torch.compile")

# It warns that there is no triton, which none of this needs on a CPU.
logging.getLogger("torch.utils.flop_counter").setLevel(logging.ERROR)


PARTS = ("forward", "loss", "backward", "optimizer", "rest")


def resnet():
    backbone = torchvision.models.resnet18()
    backbone.conv1 = nn.Conv2d(3, 64, 3, 1, 1, bias=False)
    backbone.maxpool = nn.Identity()
    backbone.fc = nn.Identity()
    return backbone


def resnet50():
    backbone = torchvision.models.resnet50()
    backbone.fc = nn.Identity()
    return backbone


def small_resnet():
    widths = (32, 64, 128, 256)
    layers = [nn.Conv2d(1, 32, 3, 2, 1, bias=False), nn.BatchNorm2d(32), nn.ReLU(True)]
    for before, width in zip((32, *widths), widths):
        stride, down = 1, None
        if before != width:
            stride = 2
            down = nn.Sequential(nn.Conv2d(before, width, 1, 2, bias=False),
                                 nn.BatchNorm2d(width))
        layers.append(torchvision.models.resnet.BasicBlock(before, width, stride, down))
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten())


def transformer():
    backbone = torchvision.models.VisionTransformer(
        image_size=32, patch_size=4, num_layers=12, num_heads=3,
        hidden_dim=192, mlp_dim=768)
    backbone.heads = nn.Identity()
    return backbone


def fused_sgd(parameters):
    return torch.optim.SGD(parameters, 1e-4, 0.9, weight_decay=5e-4, fused=True)


def fused_adamw(parameters):
    return torch.optim.AdamW(parameters, 1e-4, weight_decay=0.1, fused=True)


@dataclasses.dataclass
class Recipe:
    backbone: Callable[[], nn.Module]
    features: int
    optimizer: Callable[..., torch.optim.Optimizer] = fused_sgd
    projector: int = 2048  # width of its layers
    projector_layers: int = 2
    predictor: int = 512
    image: tuple = (3, 32, 32)


RECIPES = {
    "cifar10_fast": Recipe(resnet, 512),
    "cifar10_vit": Recipe(transformer, 192, fused_adamw),
    "fashion_mnist": Recipe(small_resnet, 256, projector=256, predictor=64,
                            image=(1, 20, 20)),
    "imagenet": Recipe(resnet50, 2048, projector_layers=3, image=(3, 224, 224)),
}


class SimSiam(nn.Module):

    def __init__(self, recipe):
        super().__init__()
        self.backbone = recipe.backbone()
        width, hidden = recipe.projector, recipe.predictor
        layers, size = [], recipe.features
        for _ in range(recipe.projector_layers - 1):
            layers += [nn.Linear(size, width, bias=False), nn.BatchNorm1d(width),
                       nn.ReLU(True)]
            size = width
        self.projector = nn.Sequential(*layers, nn.Linear(width, width, bias=False),
                                       nn.BatchNorm1d(width, affine=False))
        self.predictor = nn.Sequential(
            nn.Linear(width, hidden, bias=False), nn.BatchNorm1d(hidden), nn.ReLU(True),
            nn.Linear(hidden, width))

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
        r = torch.arange(len(p[0])).roll(1)
        p, z = [*p, p[0][r], p[1][r]], [*z, z[0][r], z[1][r]]
    distances = torch.stack(
        [(z[a] - z[b]).norm(dim=1) for a in (0, 1) for b in (2, 3)], 1)
    pair = distances.argmin(1)
    first = torch.where(pair < 2, d(p[0], z[1]), d(p[1], z[0]))
    second = torch.where(pair % 2 == 0, d(p[2], z[3]), d(p[3], z[2]))
    return (first + second).mean() / 2


STEPS = {  # name: (ours, views, loss)
    "SimSiam": ("simsiam/2", 2, simsiam_loss),
    "guided, shared views": ("simsiam_gsg/2", 2, guided_loss),
    "guided, four views": ("simsiam_gsg/4", 4, guided_loss),
}


def torch_step(recipe, views, loss, side, batch=BATCH, device="cpu",
               precision="float32", compile_mode=None):
    """A function that does one step."""
    torch.manual_seed(0)
    recipe = RECIPES[recipe]
    layout = (torch.contiguous_format
              if side == "eager" else torch.channels_last)
    model = SimSiam(recipe).to(device, memory_format=layout)
    optimizer = recipe.optimizer(model.parameters())
    x = [torch.randn(batch, *recipe.image).to(device, memory_format=layout)
         for _ in range(views)]

    def forward(x):
        outputs = [model(v) for v in x]
        return loss([p for p, _ in outputs], [z for _, z in outputs])

    if side == "torch.compile":
        forward = torch.compile(forward, mode=compile_mode)

    def step():
        # For the CUDA graphs of max-autotune: what the last step made may go.
        torch.compiler.cudagraph_mark_step_begin()
        with torch.autocast(device, torch.bfloat16, precision == "bfloat16"):
            value = forward(x)
        optimizer.zero_grad()
        value.backward()
        optimizer.step()

    step()
    return step


def time_torch(step, device="cpu"):
    # On a GPU enough steps to hide what the CPU does before the first.
    steps = 1 if device == "cpu" else 20
    if device != "cpu":
        torch.cuda.synchronize()
    start = time.perf_counter()
    for _ in range(steps):
        step()
    if device != "cpu":
        torch.cuda.synchronize()
    return 1000 * (time.perf_counter() - start) / steps


def megabytes(field):
    """Of this process: VmRSS, its memory now; VmHWM, the most since forget_peak."""
    with open("/proc/self/status") as status:
        line = next(line for line in status if line.startswith(field))
    return int(line.split()[1]) / 1024


def forget_peak():
    with open("/proc/self/clear_refs", "w") as control:
        control.write("5")


def print_memory(recipe, name, side, batch, precision, threads):
    """Of a process in PyTorch's step, in MB; called in one of its own."""
    torch.set_num_threads(threads)
    if side == "torch.compile":  # The compiler is not of the step.
        torch.compile(lambda x: x + 1)(torch.ones(2))
    before = megabytes("VmRSS")
    _, views, loss = STEPS[name]
    step = torch_step(recipe, views, loss, side, batch, precision=precision)
    forget_peak()
    step()
    step()
    print(megabytes("VmHWM") - before)


def memory_of_torch(*args):
    code = ("from benchmarks import training_step_versus_pytorch as versus\n"
            f"versus.print_memory(*{args!r})\n")
    output = subprocess.run(
        [sys.executable, "-c", code], check=True, stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}).stdout
    return float(output)


def time_ours(program, recipe, name, threads, batch=BATCH, device="cpu",
              precision="float32"):
    """The milliseconds of a step, and on the CPU of its parts, by name, and the most
    memory, in MB."""
    output = subprocess.run(
        [program, f"--benchmark_filter=^BM_Step/{name}/{batch}/real_time$",
         "--benchmark_format=json", "--benchmark_min_time=3x",
         f"--recipe={recipe}", f"--threads={threads}", f"--batch={batch}",
         f"--precision={precision}",
         *(["--device=cuda"] if device != "cpu" else [])],
        check=True, stdout=subprocess.PIPE).stdout
    record = json.loads(output)["benchmarks"][0]
    if device != "cpu":
        return record["ms a step"], {}, None
    return (record["real_time"], {part: record[part] for part in PARTS},
            record["peak MB"])


def measure(program, recipe="cifar10_fast", threads=None, rounds=3, batch=BATCH,
            sides=SIDES, device="cpu", precision="float32", compile_mode=None):
    """Rows, one for each of STEPS: its name and the median milliseconds of each
    side, and on the CPU "parts": those of what our step is made of, and "peak MB":
    its memory."""
    threads = threads or os.cpu_count()
    torch.set_num_threads(threads)
    torch.backends.cudnn.benchmark = True
    where = dict(batch=batch, device=device, precision=precision)
    times = {name: {side: [] for side in sides} for name in STEPS}
    parts = {name: {} for name in STEPS}
    memory = {}
    # Ours first: if it cannot run, nobody has waited for torch.compile.
    if "ours" in sides:
        time_ours(program, recipe, STEPS["SimSiam"][0], threads, **where)
    theirs = {(name, side): torch_step(recipe, views, loss, side, **where,
                                       compile_mode=compile_mode)
              for name, (_, views, loss) in STEPS.items()
              for side in sides if side != "ours"}
    for _ in range(rounds):
        for name, (ours, _, _) in STEPS.items():
            if "ours" in sides:
                whole, of_parts, memory[name] = time_ours(
                    program, recipe, ours, threads, **where)
                times[name]["ours"].append(whole)
                for part, t in of_parts.items():
                    parts[name].setdefault(part, []).append(t)
            for side in sides:
                if side != "ours":
                    step = theirs[name, side]
                    times[name][side] += [time_torch(step, device)
                                          for _ in range(3)]
    return [{"step": name,
             **{side: statistics.median(t) for side, t in times[name].items()},
             "parts": {part: statistics.median(t)
                       for part, t in parts[name].items()},
             "peak MB": memory.get(name)}
            for name in STEPS]


def add_flags(parser):
    """--device, and --precision and --batch, whose defaults depend on it."""
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--precision", choices=("float32", "bfloat16"),
                        help="default: float32 on a CPU, bfloat16 on a GPU")
    parser.add_argument("--batch", type=int, help=f"default: {BATCH}, on a GPU "
                        f"{GPU_BATCH}")


def fill_flags(args):
    """Sets what was not given."""
    on_gpu = args.device != "cpu"
    args.precision = args.precision or ("bfloat16" if on_gpu else "float32")
    args.batch = args.batch or (GPU_BATCH if on_gpu else BATCH)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--program", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--recipe", choices=RECIPES, default="cifar10_fast")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--nocompile", action="store_true")
    parser.add_argument("--nomemory", action="store_true", help="leave out the memory "
                        "on a CPU, for which PyTorch's steps run in new processes")
    parser.add_argument("--compile_mode", help="torch.compile's mode")
    add_flags(parser)
    args = parser.parse_args()
    fill_flags(args)
    sides = SIDES[:-1] if args.nocompile else SIDES
    rows = measure(args.program, args.recipe, args.threads, args.rounds,
                   args.batch, sides, args.device, args.precision,
                   args.compile_mode)

    place = (f"{args.threads} threads" if args.device == "cpu" else
             torch.cuda.get_device_name())
    print(f"{args.recipe}, torch {torch.__version__}, {place}, batch "
          f"{args.batch}, {args.precision}; milliseconds a step")
    print(f"| step | {' | '.join(sides)} | faster than the best |")
    print("|---|" + len(sides) * "---|" + "---|")
    for row in rows:
        best = min(row[side] for side in sides[1:])
        times = " | ".join(f"{row[side]:.4g}" for side in sides)
        print(f"| {row['step']} | {times} | {best / row['ours']:.2f} x |")
    if rows[0]["parts"]:
        print("\n| of our step | " + " | ".join(PARTS) + " |")
        print("|---|" + len(PARTS) * "---|")
        for row in rows:
            parts = " | ".join(f"{row['parts'][part]:.1f}" for part in PARTS)
            print(f"| {row['step']} | {parts} |")
    if rows[0]["parts"] and not args.nomemory:
        print("\n| peak memory, MB | " + " | ".join(sides) + " |")
        print("|---|" + len(sides) * "---|")
        for row in rows:
            memory = [row["peak MB"]] + [
                memory_of_torch(args.recipe, row["step"], side, args.batch,
                                args.precision, args.threads) for side in sides[1:]]
            print(f"| {row['step']} | " + " | ".join(f"{m:.0f}" for m in memory) +
                  " |")
    ours = {row["step"]: row["ours"] for row in rows}
    ratio = ours["guided, four views"] / ours["guided, shared views"]
    print(f"\nfour views cost {ratio:.2f} times shared views")
    share = ours["guided, shared views"] / ours["SimSiam"]
    print(f"guiding shared views costs {share:.2f} times SimSiam")


if __name__ == "__main__":
    main()
