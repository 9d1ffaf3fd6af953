"""Us beside PyTorch, eager and compiled: the loss and the whole training step.

    ./bazelw run //benchmarks:versus_pytorch [-- --output=versus.md]

One run on one machine, in which the sides take turns; prints tables in Markdown,
with the machine they are of. About ten minutes on two cores, of which
torch.compile takes some: run nothing else meanwhile. What is compared, and how, is in
python_loss.py and training_step_versus_pytorch.py, which measure the parts alone.
On a GPU: ./bazelw run --config=cuda //benchmarks:versus_pytorch -- --device=cuda
"""

import argparse
import os
import platform
import re
import sys

import torch

from benchmarks import python_loss, training_step_versus_pytorch

SIZES = ((512, 2048), (4096, 2048))


def machine(device):
    """What figures are from."""
    if device != "cpu":
        return (f"{torch.cuda.get_device_name()}, CUDA {torch.version.cuda}; "
                f"torch {torch.__version__}, Python {platform.python_version()}")
    with open("/proc/cpuinfo") as file:
        info = file.read()
    name = re.search(r"model name\s*:\s*(.*)", info)
    flags = re.search(r"flags\s*:\s*(.*)", info)
    simd = [flag for flag in ("avx512f", "avx2")
            if flags and flag in flags.group(1).split()]
    return (f"{name.group(1) if name else platform.machine()}, "
            f"{os.cpu_count()} logical processors, "
            f"{simd[0] if simd else 'neither AVX2 nor AVX-512'}; "
            f"torch {torch.__version__}, Python {platform.python_version()}")


def loss_table(form, n, d, threads, repetitions, device):
    """Times of the loss and its gradients, and the memory they move."""
    calls = python_loss.calls_of(form, n, d, threads, device)
    times = python_loss.medians(calls, repetitions, device)
    moved = python_loss.bytes_moved(form, n, d)
    lines = [f"**Loss, {form} views, {n} x {d}**", "",
             "| | ms | GB/s | times the first |", "|---|---|---|---|"]
    first = next(iter(times.values()))
    for name, milliseconds in times.items():
        lines.append(f"| {name} | {milliseconds:.3f} | "
                     f"{moved / milliseconds / 1e6:.1f} | "
                     f"{milliseconds / first:.2f} |")
    return lines


def step_tables(args):
    """Times of a training step, and what ours is made of."""
    rows = training_step_versus_pytorch.measure(
        args.program, threads=args.threads, rounds=args.rounds,
        batch=args.batch, device=args.device, precision=args.precision)
    sides = training_step_versus_pytorch.SIDES
    lines = [f"**Training step, cifar10_fast, batch {args.batch}, "
             f"{args.precision}**, ms, and how many times ours", "",
             f"| | {' | '.join(sides)} |", "|---" * (len(sides) + 1) + "|"]
    for row in rows:
        ours = row["ours"]
        cells = [f"{ours:.4g}"] + [f"{row[side]:.4g} ({row[side] / ours:.2f})"
                                   for side in sides[1:]]
        lines.append(f"| {row['step']} | {' | '.join(cells)} |")
    parts = list(rows[0]["parts"])
    if not parts:
        return lines
    lines += ["", f"| of our step, ms | {' | '.join(parts)} | together |",
              "|---" * (len(parts) + 2) + "|"]
    for row in rows:
        cells = [f"{row['parts'][part]:.1f}" for part in parts]
        lines.append(f"| {row['step']} | {' | '.join(cells)} | "
                     f"{sum(row['parts'].values()):.1f} |")
    return lines


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--program", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--repetitions", type=int, default=50,
                        help="of each side of the loss")
    parser.add_argument("--rounds", type=int, default=3,
                        help="of the training steps; 0: none")
    parser.add_argument("--output", help="a file to write the tables to, too")
    training_step_versus_pytorch.add_flags(parser)
    args = parser.parse_args()
    training_step_versus_pytorch.fill_flags(args)
    torch.set_num_threads(args.threads)

    # Where the user is, not where Bazel runs this. Each table is shown and
    # written as soon as it is there: what comes later may fail.
    folder = os.environ.get("BUILD_WORKING_DIRECTORY", "")
    file = open(os.path.join(folder, args.output), "w") if args.output else None

    def show(lines):
        for out in (sys.stdout, file):
            if out:
                print(*lines, "", sep="\n", file=out, flush=True)

    threads = f"{args.threads} threads, " if args.device == "cpu" else ""
    show([f"{machine(args.device)}. {threads}medians; the loss in float32."])
    for form in ("four", "shared"):
        for n, d in SIZES:
            print(f"loss, {form} views, {n} x {d} ...", file=sys.stderr)
            show(loss_table(form, n, d, args.threads, args.repetitions,
                            args.device))
    if args.rounds > 0:
        print("training steps ...", file=sys.stderr)
        show(step_tables(args))


if __name__ == "__main__":
    main()
