"""Packs what measure.py needs for a GPU machine that has no Bazel.

    ./bazelw run --config=cuda //benchmarks/gpu:pack -- \\
        --data_dir=$HOME/cifar-10-batches-bin --output=$HOME/gsg-pack

writes OUTPUT/programs (stripped), OUTPUT/data (CIFAR-10, a file for each of its
six, each under 50 MB), measure.py and pack.json, which names the commit. Where
copying has a limit, data/ may travel file by file.
"""

import argparse
import json
import lzma
import os
import shutil
import subprocess
import sys

LARGEST = 50 * 2**20
# Below the root of the repository, as in the BUILD file.
SCRIPTS = ["benchmarks/gpu/measure.py",
           "benchmarks/training_step_versus_pytorch.py"]
PROGRAMS = ["benchmarks/training_step", "trainers/byol", "trainers/byol_gsg",
            "trainers/simsiam", "trainers/simsiam_gsg"]
DATA = [f"data_batch_{i}.bin" for i in range(1, 6)] + ["test_batch.bin",
                                                       "batches.meta.txt"]


def commit():
    """Of the workspace this was run in; "+" if files differ from it."""
    git = ["git", "-C", os.environ.get("BUILD_WORKSPACE_DIRECTORY", ".")]
    try:
        name = subprocess.run([*git, "rev-parse", "--short", "HEAD"],
                              check=True, capture_output=True, text=True)
        changed = subprocess.run([*git, "status", "--porcelain"], check=True,
                                 capture_output=True, text=True)
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return name.stdout.strip() + ("+" if changed.stdout.strip() else "")


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--data_dir", help="CIFAR-10's binary version")
    parser.add_argument("--output", required=True)
    args = parser.parse_args()
    # Bazel starts programs elsewhere.
    start = os.environ.get("BUILD_WORKING_DIRECTORY", ".")
    output = os.path.join(start, args.output)
    programs = os.path.join(output, "programs")
    data = os.path.join(output, "data")
    os.makedirs(programs, exist_ok=True)
    os.makedirs(data, exist_ok=True)

    root = os.path.abspath(__file__)
    for _ in range(3):
        root = os.path.dirname(root)
    for path in SCRIPTS:
        shutil.copy(os.path.join(root, path), output)
    for path in PROGRAMS:
        source = os.path.realpath(os.path.join(root, path))
        target = os.path.join(programs, os.path.basename(path))
        subprocess.run(["strip", "-o", target, source], check=True)
    if args.data_dir:
        for name in DATA:
            source = os.path.join(start, args.data_dir, name)
            if not os.path.exists(source):
                sys.exit(f"pack: {source} does not exist; --data_dir is the "
                         "folder of CIFAR-10's binary version")
            target = os.path.join(data, name + ".xz")
            with open(source, "rb") as f, lzma.open(target, "wb") as out:
                shutil.copyfileobj(f, out)
            if os.path.getsize(target) > LARGEST:
                sys.exit(f"pack: {target} has more than 50 MB")
    with open(os.path.join(output, "pack.json"), "w") as f:
        json.dump({"commit": commit(), "data": DATA}, f, indent=1)
    size = sum(os.path.getsize(os.path.join(folder, name))
               for folder, _, names in os.walk(output) for name in names)
    print(f"{output}: {size / 2**20:.0f} MB, commit {commit()}")


if __name__ == "__main__":
    main()
