"""Our batch loader beside torchvision's DataLoader, in one run, on one machine.

    ./bazelw run //benchmarks/loader:loader_versus_torchvision -- \
        --python=/path/to/python/with/torchvision

Both make two views of each image with the same augmentation (random resized
crop with antialiasing, flip, color jitter with probability 0.8, gray 0.2,
normalized), with as many threads or worker processes as there are cores:

    memory    32 x 32 images that are held in memory, to 32 x 32
    folder    JPEG files of about 160 x 160 pixels, to 128 x 128, decoded each
              time; made by this program
    imagenet  the same of about 440 x 440 pixels, which is as large as ImageNet's
              are, to 224 x 224, half of them blurred

torchvision in both its ways: transforms on PIL images, decoded by Pillow, and
transforms.v2 on uint8 tensors, decoded by torchvision.io. The ratio is to the
faster of the two. Rounds alternate, and medians are shown with the least and
the most.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
# The files' side (0: none), the loaders' flags, and how many times as fast as the
# faster of torchvision's we want to be.
SOURCES = {
    "memory": (0, ["--source=memory", "--crop=32"], 3.0),
    "folder": (160, ["--source=folder", "--crop=128"], 1.5),
    "imagenet": (440, ["--source=folder", "--crop=224", "--blur"], 1.5),
}


def measure(*command):
    output = subprocess.run(command, stdout=subprocess.PIPE, check=True,
                            universal_newlines=True).stdout
    return json.loads(output.splitlines()[-1])


def main():
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--python", default=os.environ.get(
        "GSG_TORCHVISION_PYTHON", sys.executable),
                        help="a Python that has torchvision")
    parser.add_argument("--threads", type=int,
                        default=len(os.sched_getaffinity(0)))
    parser.add_argument("--seconds", type=float, default=5,
                        help="measured in each round")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--images", type=int, default=2000,
                        help="JPEG files to make")
    parser.add_argument("--sources", default=",".join(SOURCES),
                        help="some of them, by commas")
    args = parser.parse_args()
    for source in args.sources.split(","):
        if source not in SOURCES:
            parser.error("--sources: %s is none of %s" %
                         (source, ", ".join(SOURCES)))
    if subprocess.run([args.python, "-c", "import torchvision"],
                      stderr=subprocess.DEVNULL).returncode != 0:
        sys.exit("%s cannot import torchvision; pass --python=<one that can>" %
                 args.python)

    ours = os.path.join(HERE, "throughput")
    theirs = os.path.join(HERE, "torchvision_loader.py")
    print("%d threads or workers" % args.threads)
    print("%-8s %-16s %10s   %s" % ("source", "loader", "images/s",
                                    "least and most"))
    for source in args.sources.split(","):
        side, flags, goal = SOURCES[source]
        with tempfile.TemporaryDirectory() as folder:
            if side:
                made = measure(ours, "--write=" + folder,
                               "--count=%d" % args.images, "--side=%d" % side)
                print("%s: %d JPEG files of %d bytes on average" %
                      (source, made["images"], made["bytes_per_image"]))
            where = [*flags, "--dir=" + folder, "--seconds=%g" % args.seconds]
            loaders = {
                "gsg": [ours, "--threads=%d" % args.threads, *where],
                "torchvision PIL": [args.python, theirs, "--api=pil",
                                    "--workers=%d" % args.threads, *where],
                "torchvision v2": [args.python, theirs, "--api=v2",
                                   "--workers=%d" % args.threads, *where],
            }
            rates = {name: [] for name in loaders}
            for _ in range(args.rounds):
                for name, command in loaders.items():
                    rates[name].append(
                        measure(*command)["images_per_second"])
        median = {name: statistics.median(r) for name, r in rates.items()}
        for name, r in rates.items():
            print("%-8s %-16s %10.0f   %.0f .. %.0f" %
                  (source, name, median[name], min(r), max(r)))
        best = max(median["torchvision PIL"], median["torchvision v2"])
        print("%-8s gsg is %.1f times as fast as the faster of the others "
              "(goal: %.1f)" % (source, median["gsg"] / best, goal), flush=True)


if __name__ == "__main__":
    main()
