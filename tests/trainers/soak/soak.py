"""Trains for an hour and watches what the process holds on to.

  ./bazelw run //tests/trainers/soak -- [--minutes=60] [--output=FILE]

A run on a folder of JPEG files with two loader threads, evaluation and a
checkpoint after each of its short epochs; a third and two thirds of the way it
is told to stop and continued. Memory, open files and threads are read from
/proc every few seconds. Ends in an error if a part of the run ends with more
files or threads than it had after a quarter of its time, or with more than 5 %
more memory.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time

# What tests have from Bazel, for the library below.
os.environ.setdefault("TEST_TMPDIR", tempfile.mkdtemp(prefix="gsg-soak-"))
os.environ.setdefault("TEST_WORKSPACE", "gsg")
os.environ.setdefault(
    "TEST_SRCDIR",
    os.environ.get("RUNFILES_DIR") or
    os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(
        os.path.dirname(os.path.abspath(__file__)))))))

from tests.trainers import training_run as tr  # pylint: disable=C0413

PARTS = 3
SAMPLE = 5  # seconds


def sample(pid):
    """What process `pid` holds now."""
    fields = {}
    with open("/proc/%d/status" % pid) as f:
        for line in f:
            key, _, value = line.partition(":")
            fields[key] = value.split()
    return {
        "resident_kb": int(fields["VmRSS"][0]),
        "threads": int(fields["Threads"][0]),
        "files": len(os.listdir("/proc/%d/fd" % pid)),
    }


def watch(process, seconds):
    """Samples of a running process, until the time is over."""
    samples = []
    start = time.time()
    while time.time() < start + seconds:
        time.sleep(SAMPLE)
        if process.poll() is not None:
            sys.exit("the run ended by itself")
        samples.append(dict(sample(process.pid), second=time.time() - start))
    return samples


def median(values):
    return sorted(values)[len(values) // 2]


def summary(samples):
    """Of its second and its last quarter: medians."""
    quarter = len(samples) // 4
    early = samples[quarter:2 * quarter]
    late = samples[-quarter:]
    return {
        key: (median([s[key] for s in early]), median([s[key] for s in late]))
        for key in ("resident_kb", "threads", "files")
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--output", help="JSON file for the samples")
    options = parser.parse_args()

    folder = tr.new_folder()
    flags = ["--output_dir=" + folder]
    first = [
        "--recipe=fashion_mnist", "--dataset=folder",
        "--data_dir=" + tr.image_folder(1200),
        "--epochs=100000", "--batch_size=64", "--crop_size=32", "--threads=1",
        "--loader_threads=2", "--projector_hidden=64", "--projector_dim=64",
        "--knn_k=20", "--nostop_on_collapse", "--linear_probe=false",
        "--checkpoint_minutes=1"
    ]
    parts, failed = [], False
    for part in range(PARTS):
        # Not into pipes, which nobody would empty.
        with open(folder + ".errors", "w") as errors:
            process = subprocess.Popen(
                [tr.program(), *flags, *(["--resume"] if part else first)],
                stdout=subprocess.DEVNULL, stderr=errors)
        samples = watch(process, options.minutes * 60 / PARTS)
        process.send_signal(signal.SIGTERM)
        if process.wait() != 128 + signal.SIGTERM:
            sys.exit("the run did not stop as told, see %s.errors" % folder)
        parts.append(samples)
        for key, (early, late) in summary(samples).items():
            allowed = early * 1.05 if key == "resident_kb" else early
            grew = late > allowed
            failed |= grew
            print("part %d: %s %d -> %d%s" %
                  (part + 1, key, early, late, "  GREW" if grew else ""),
                  flush=True)
    records = tr.metrics(folder)
    print("%d epochs, %d steps in %g minutes" %
          (len(records), records[-1]["step"], options.minutes))
    if options.output:
        path = os.path.join(
            os.environ.get("BUILD_WORKING_DIRECTORY", os.getcwd()),
            options.output)
        with open(path, "w") as f:
            json.dump(parts, f)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
