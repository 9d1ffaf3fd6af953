"""Training on a machine that does other things too.

    bazel run //benchmarks:busy_machine [-- --burners=0,2,4 --rounds=3 --sides=ours]

Beside `burners` processes that each keep one core busy, a program with a thread
a core gets its fair share if it does T / (T + burners) of what it does alone (T
threads, as many as there are cores). Measured are images a second of the default
recipe's steps, of //trainers:simsiam_gsg as it is and with OpenMP's threads
spinning (OMP_WAIT_POLICY=active), and of SimSiam's step in eager PyTorch, whose
threads spin. The sides take turns; values are medians over rounds. 1.00 is the
fair share.
"""

import argparse
import contextlib
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

from benchmarks import training_step_versus_pytorch as versus

SIDES = ("ours", "ours spinning", "eager PyTorch")


@contextlib.contextmanager
def burners(count):
    loops = [subprocess.Popen([sys.executable, "-c", "while True: pass"])
             for _ in range(count)]
    time.sleep(1 if count else 0)  # until they are at work
    try:
        yield
    finally:
        for loop in loops:
            loop.kill()
            loop.wait()


def ours(program, steps, spinning):
    """Images a second, as the run's metrics have it."""
    environment = {name: value for name, value in os.environ.items()
                   if name not in ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT")}
    if spinning:
        environment["OMP_WAIT_POLICY"] = "active"
    with tempfile.TemporaryDirectory() as folder:
        run = subprocess.Popen(
            [program, f"--output_dir={folder}/run", f"--max_steps={steps}",
             "--nobaselines", "--knn_every=0"],
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=environment)
        # The evaluation behind the steps, which takes longer than they do, is
        # not waited for.
        metrics = pathlib.Path(folder, "run/metrics.jsonl")
        while not (metrics.exists() and metrics.read_text().endswith("\n")):
            if run.poll() is not None:
                sys.exit(f"{program}: {run.stderr.read().decode()}")
            time.sleep(0.1)
        run.kill()
        run.communicate()
        return json.loads(metrics.read_text())["images_per_second"]


def eager(seconds):
    """Steps a second for so long, in a process of its own."""
    code = ("import sys, time, torch\n"
            "from benchmarks import training_step_versus_pytorch as versus\n"
            "step = versus.torch_step('cifar10_fast', 2, versus.simsiam_loss,"
            " 'eager')\n"
            "start = time.perf_counter(); done = 0\n"
            f"while time.perf_counter() - start < {seconds}:\n"
            "    step(); done += 1\n"
            "print(done / (time.perf_counter() - start))\n")
    output = subprocess.run([sys.executable, "-c", code], check=True,
                            stdout=subprocess.PIPE,
                            env={**os.environ,
                                 "PYTHONPATH": os.pathsep.join(sys.path)}).stdout
    return versus.BATCH * float(output)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--program", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--burners", default="0,2,4",
                        help="numbers of busy processes; 0 comes first")
    parser.add_argument("--sides", default=",".join(SIDES), help="what is measured")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=60, help="of ours")
    parser.add_argument("--seconds", type=float, default=15, help="of PyTorch's")
    args = parser.parse_args()
    counts = [int(count) for count in args.burners.split(",")]
    if counts[0] != 0:
        parser.error("--burners must begin with 0: shares are of that")
    sides = [side.strip() for side in args.sides.split(",")]
    if not set(sides) <= set(SIDES):
        parser.error(f"--sides: of {', '.join(SIDES)}")
    threads = len(os.sched_getaffinity(0))
    rates = {(side, count): [] for side in sides for count in counts}
    for _ in range(args.rounds):
        for count in counts:
            with burners(count):
                time.sleep(0.5)
                for side in sides:
                    rates[side, count].append(
                        eager(args.seconds) if side == SIDES[2] else ours(
                            args.program, args.steps, side == SIDES[1]))

    print(f"{threads} cores; images a second (times the fair share)")
    print("| busy processes beside it | " + " | ".join(sides) + " |")
    print("|---:|" + "---:|" * len(sides))
    for count in counts:
        fair = threads / (threads + count)
        cells = []
        for side in sides:
            alone = statistics.median(rates[side, 0])
            rate = statistics.median(rates[side, count])
            cells.append(f"{rate:.0f} ({rate / (alone * fair):.2f})")
        print(f"| {count} | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()
