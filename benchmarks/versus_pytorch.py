"""Us beside PyTorch, eager and compiled: the loss and the whole training step.

    ./bazelw run //benchmarks:versus_pytorch [-- --output=versus.md]

One run on one machine, in which the sides take turns; prints tables in Markdown,
with the machine they are of. About ten minutes on two cores, of which
torch.compile takes some: run nothing else meanwhile. What is compared, and how, is in
python_loss.py and training_step_versus_pytorch.py, which measure the parts alone.
"""

import argparse
import os
import platform
import re
import sys

import torch

from benchmarks import python_loss, training_step_versus_pytorch

SIZES = ((512, 2048), (4096, 2048))


def machine():
    """A line that says where figures are from."""
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


def loss_table(form, n, d, threads, repetitions):
    """Times of the loss and its gradients, and the memory they move."""
    calls = python_loss.calls_of(form, n, d, threads)
    times = python_loss.medians(calls, repetitions)
    moved = python_loss.bytes_moved(form, n, d)
    lines = [f"**Loss, {form} views, {n} x {d}**", "",
             "| | ms | GB/s | times the first |", "|---|---|---|---|"]
    first = times["gsg, out="]
    for name, milliseconds in times.items():
        lines.append(f"| {name} | {milliseconds:.2f} | "
                     f"{moved / milliseconds / 1e6:.1f} | "
                     f"{milliseconds / first:.2f} |")
    return lines


def step_tables(program, threads, rounds):
    """Times of a training step, and what ours is made of."""
    rows = training_step_versus_pytorch.measure(program, threads=threads,
                                                rounds=rounds)
    sides = training_step_versus_pytorch.SIDES
    lines = [f"**Training step, cifar10_fast, batch "
             f"{training_step_versus_pytorch.BATCH}**, ms, and how many times "
             "ours", "",
             f"| | {' | '.join(sides)} |", "|---" * (len(sides) + 1) + "|"]
    for row in rows:
        ours = row["ours"]
        cells = [f"{ours:.0f}"] + [f"{row[side]:.0f} ({row[side] / ours:.2f})"
                                   for side in sides[1:]]
        lines.append(f"| {row['step']} | {' | '.join(cells)} |")
    parts = list(rows[0]["parts"])
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
    args = parser.parse_args()
    torch.set_num_threads(args.threads)

    lines = [f"{machine()}. {args.threads} threads, float32, medians.", ""]
    for form in ("four", "shared"):
        for n, d in SIZES:
            print(f"loss, {form} views, {n} x {d} ...", file=sys.stderr)
            lines += [*loss_table(form, n, d, args.threads, args.repetitions), ""]
    if args.rounds > 0:
        print("training steps ...", file=sys.stderr)
        lines += step_tables(args.program, args.threads, args.rounds)
    text = "\n".join(lines)
    print(text)
    if args.output:
        # Where the user is, not where Bazel runs this.
        folder = os.environ.get("BUILD_WORKING_DIRECTORY", "")
        with open(os.path.join(folder, args.output), "w") as file:
            file.write(text + "\n")


if __name__ == "__main__":
    main()
