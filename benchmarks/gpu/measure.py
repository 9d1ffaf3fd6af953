"""The paper's table on a machine with one GPU, in the minutes that there are.

    python3 measure.py --pack=PACK --output=OUT --minutes=14

PACK is what pack.py made; the machine needs Python, torch (2.11, CUDA 13) and
torchvision, no Bazel. The pieces of PLAN are worked through in their order, the
runs of one piece at once. A run that is out of time is told to save; the same
command goes on with it. OUT/results.md and OUT/results.json are written anew
after each piece, OUT/runs/NAME has each run with its log.txt.

    python3 measure.py --pack=PACK --output=OUT --dry_run --device=cpu

tries every command line: two steps each, on made-up images.
"""

import argparse
import glob
import json
import lzma
import os
import random
import signal
import subprocess
import sys
import time

# A run that was told to save gets this long, in seconds.
GRACE = 40
# What a step of unpacking and starting takes from the time, at least.
LEAST_MINUTES = 0.5


def train(name, method, seed=0, **flags):
    return {"name": f"{name}-{method}-{seed}", "program": method,
            "flags": {"recipe": "cifar10", "seed": seed, "linear_probe": True,
                      **flags}}


def pair(name, methods=("simsiam", "simsiam_gsg"), seed=0, **flags):
    return [train(name, method, seed, **flags) for method in methods]


SHARED = {"recipe": "cifar10_fast", "epochs": 200}

# (title, what it is held against, runs that train at once), the most important
# first. "versus_pytorch" is training_step_versus_pytorch.py.
PLAN = [
    ("SimSiam, four views, 200 epochs", "paper: 82.7 and 86.4",
     pair("four")),
    ("BYOL, four views, 200 epochs", "paper: 88.0 and 90.3",
     pair("four", ("byol", "byol_gsg"))),
    ("SimSiam, seed 1", "", pair("four", seed=1)),
    ("SimSiam, seed 2", "", pair("four", seed=2)),
    ("BYOL, seed 1", "", pair("four", ("byol", "byol_gsg"), seed=1)),
    ("BYOL, seed 2", "", pair("four", ("byol", "byol_gsg"), seed=2)),
    *[(f"Shared views, 200 epochs, seed {seed}", "guided at SimSiam's cost",
       pair("shared", seed=seed, **SHARED)) for seed in range(3)],
    ("A step beside torch.compile", "max-autotune, CUDA graphs",
     [{"name": "step", "program": "versus_pytorch", "minutes": 8,
       "flags": {"compile_mode": "max-autotune"}}]),
    ("No predictor, 200 epochs", "paper: plain collapses, guided does not",
     pair("no-predictor", predictor="none", stop_on_collapse=False)),
]


def flag(name, value):
    """Booleans as both parsers here take them: --x or --nox."""
    if value is True:
        return f"--{name}"
    if value is False:
        return f"--no{name}"
    return f"--{name}={value}"


def unpack_data(pack, output):
    """The folder of CIFAR-10's binary files, from the pieces that came."""
    folder = os.path.join(output, "cifar10")
    os.makedirs(folder, exist_ok=True)
    for piece in sorted(glob.glob(os.path.join(pack, "data", "*.xz"))):
        path = os.path.join(folder, os.path.basename(piece)[:-len(".xz")])
        if os.path.exists(path):
            continue
        with lzma.open(piece) as f, open(path + ".part", "wb") as out:
            out.write(f.read())
        os.rename(path + ".part", path)
    with open(os.path.join(pack, "pack.json")) as f:
        missing = [name for name in json.load(f)["data"]
                   if not os.path.exists(os.path.join(folder, name))]
    if missing:
        sys.exit(f"measure.py: {', '.join(missing)} did not come with {pack}: "
                 "copy the rest of its data/ there and start again")
    return folder


def made_up_data(output):
    """CIFAR-10's layout with enough images for two steps."""
    folder = os.path.join(output, "made-up")
    os.makedirs(folder, exist_ok=True)
    generator = random.Random(0)
    names = [f"data_batch_{i}.bin" for i in range(1, 6)] + ["test_batch.bin"]
    for name in names:
        with open(os.path.join(folder, name), "wb") as f:
            for i in range(4):
                f.write(bytes([i]) + generator.randbytes(3072))
    with open(os.path.join(folder, "batches.meta.txt"), "w") as f:
        f.write("\n".join(f"class{i}" for i in range(10)))
    return folder


class Machine:
    """Where the programs are and how they are started."""

    def __init__(self, args):
        self.args = args
        self.here = os.path.dirname(os.path.abspath(__file__))
        self.environment = dict(os.environ)
        try:
            import torch
            libraries = os.path.join(os.path.dirname(torch.__file__), "lib")
            self.environment["LD_LIBRARY_PATH"] = ":".join(
                [libraries, *filter(None, [os.environ.get("LD_LIBRARY_PATH")])])
        except ImportError:
            pass  # the programs may find their own
        self.data = (made_up_data(args.output) if args.dry_run else
                     unpack_data(args.pack, args.output))

    def command(self, run, folder):
        programs = os.path.join(self.args.pack, "programs")
        flags = {**run["flags"], "device": self.args.device}
        if run["program"] == "versus_pytorch":
            flags["program"] = os.path.join(programs, "training_step")
            if self.args.dry_run:
                flags.update(nocompile=True, nomemory=True, rounds=1, batch=2,
                             threads=1, recipe="fashion_mnist")
            script = os.path.join(self.here, "training_step_versus_pytorch.py")
            start = [sys.executable, script]
        else:
            flags["data_dir"] = self.data
            flags["output_dir"] = folder
            if self.args.dry_run:
                flags.update(batch_size=10, epochs=1, threads=1, knn_k=2,
                             baselines=False, backbone="resnet_small",
                             projector_hidden=64, projector_dim=64)
            if os.path.exists(os.path.join(folder, "config.json")):
                flags["resume"] = True
            start = [os.path.join(programs, run["program"])]
        return start + [flag(name, value) for name, value in flags.items()]

    def start(self, run):
        folder = os.path.join(self.args.output, "runs", run["name"])
        os.makedirs(folder + ".log", exist_ok=True)
        command = self.command(run, folder)
        log = open(os.path.join(folder + ".log", "log.txt"), "a")
        print(" ".join(command), file=log, flush=True)
        return subprocess.Popen(command, stdout=log, stderr=log,
                                stdin=subprocess.DEVNULL, env=self.environment)


def finish(processes, deadline):
    """Waits, tells those that are out of time to save, and returns how each
    ended: its exit code, or None if it was stopped."""
    ends = {}
    told = None
    while len(ends) < len(processes):
        for name, process in processes.items():
            if name not in ends and process.poll() is not None:
                ends[name] = None if told else process.returncode
        now = time.monotonic()
        if told is None and now > deadline:
            told = now
            for process in processes.values():
                if process.poll() is None:
                    process.send_signal(signal.SIGINT)
        if told is not None and now > told + GRACE:
            for process in processes.values():
                if process.poll() is None:
                    process.kill()
        time.sleep(0.2)
    return ends


def row_of(run, output, end, started):
    """What is known of a run, from its files."""
    folder = os.path.join(output, "runs", run["name"])
    row = {"run": run["name"], "seed": run["flags"].get("seed", ""),
           "epochs": 0, "knn_top1": None, "linear_top1": None,
           "minutes": None, "state": "not measured yet"}
    try:
        with open(os.path.join(folder, "metrics.jsonl")) as f:
            epochs = [json.loads(line) for line in f]
        row["epochs"] = len(epochs)
        row["minutes"] = sum(e["seconds"] for e in epochs) / 60
        row["state"] = "stopped, can go on"
    except OSError:
        pass
    try:
        with open(os.path.join(folder, "result.json")) as f:
            row.update(json.load(f)["trained"], state="done")
    except OSError:
        pass
    if started and end == 0:
        row["state"] = "done"
    elif started and end is not None:
        row["state"] = f"failed, exit code {end}: see {run['name']}.log"
    return row


def write_results(rows, pack, args):
    with open(os.path.join(args.output, "results.json"), "w") as f:
        json.dump({"commit": pack["commit"], "device": args.device,
                   "dry_run": args.dry_run, "rows": rows}, f, indent=1)

    def cell(value):
        return "" if value is None else (
            f"{value:.2f}" if isinstance(value, float) else str(value))

    columns = ("run", "seed", "epochs", "knn_top1", "linear_top1", "minutes",
               "state")
    with open(os.path.join(args.output, "results.md"), "w") as f:
        print(f"Commit {pack['commit']}, {args.device}\n", file=f)
        print("| " + " | ".join(columns) + " |", file=f)
        print("|---" * len(columns) + "|", file=f)
        for row in rows:
            print("| " + " | ".join(cell(row[c]) for c in columns) + " |",
                  file=f)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--pack", required=True, help="what pack.py made")
    parser.add_argument("--output", required=True)
    parser.add_argument("--minutes", type=float, help="for all of it")
    parser.add_argument("--device", default="cuda", choices=("cuda", "cpu"))
    parser.add_argument("--dry_run", action="store_true")
    args = parser.parse_args()
    if not args.dry_run and args.minutes is None:
        parser.error("--minutes says how long it may take")
    started_at = time.monotonic()
    with open(os.path.join(args.pack, "pack.json")) as f:
        pack = json.load(f)
    args.pack, args.output = (os.path.abspath(p)
                              for p in (args.pack, args.output))
    os.makedirs(args.output, exist_ok=True)
    machine = Machine(args)
    end_of_all = (float("inf") if args.dry_run else
                  started_at + 60 * args.minutes - GRACE)

    rows = {}
    tried = set()
    failed = False
    for title, against, runs in PLAN:
        left = (end_of_all - time.monotonic()) / 60
        # Other seeds differ by a number: the dry run tries one.
        due = [run for run in runs
               if not (args.dry_run and run["flags"].get("seed", 0) > 0)]
        for run in runs:
            rows[run["name"]] = row_of(run, args.output, None, False)
        due = [run for run in due if rows[run["name"]]["state"] != "done"]
        if due and left > LEAST_MINUTES:
            print(f"{title}{' (' + against + ')' if against else ''}",
                  flush=True)
            limit = min(run.get("minutes", left) for run in due)
            processes = {run["name"]: machine.start(run) for run in due}
            ends = finish(processes, time.monotonic() + 60 * min(limit, left))
            for run in due:
                tried.add(run["name"])
                row = row_of(run, args.output, ends[run["name"]], True)
                rows[run["name"]] = row
                failed = failed or row["state"].startswith("failed")
                print(f"  {run['name']}: {row['state']}", flush=True)
        write_results(list(rows.values()), pack, args)
    print(f"{os.path.join(args.output, 'results.md')} has the table")
    if args.dry_run and not all(rows[name]["state"] == "done" for name in tried):
        failed = True
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
