"""Runs the training programs on a small part of Fashion-MNIST, for tests."""

import glob
import gzip
import json
import os
import random
import struct
import subprocess
import tarfile
import tempfile

METHODS = ("simsiam", "simsiam_gsg", "byol", "byol_gsg")

# Quick settings: 8 steps an epoch, a fifth of a second. One thread, for tests run
# side by side.
QUICK = [
    "--dataset=mnist", "--epochs=3", "--warmup_epochs=1", "--batch_size=32",
    "--crop_size=12", "--threads=1", "--projector_hidden=64",
    "--projector_dim=64", "--knn_k=20", "--linear_probe=false", "--seed=7"
]

# The CIFAR-10 recipe on a smaller network.
SMALL_CIFAR10 = [
    "--recipe=cifar10", "--backbone=resnet_small", "--stem=small_stride2",
    "--batch_size=8", "--epochs=2", "--threads=1",
    "--projector_hidden=32", "--projector_dim=32", "--knn_k=5", "--seed=3"
]

# Keys of metrics.jsonl that tell the time and so differ from run to run.
TIMES = ("seconds", "images_per_second")


def _runfile(path):
    return os.path.join(os.environ["TEST_SRCDIR"], os.environ["TEST_WORKSPACE"],
                        path)


def _first_images(name, count):
    """The first `count` items of an IDX file, as an IDX file."""
    pattern = os.path.join(os.environ["TEST_SRCDIR"],
                           "fashion_mnist/**/" + name + ".gz")
    with gzip.open(glob.glob(pattern, recursive=True)[0]) as f:
        data = f.read()
    header = 4 + 4 * data[3]
    sizes = struct.unpack(">%dI" % data[3], data[4:header])
    item = 1
    for size in sizes[1:]:
        item *= size
    return (data[:4] + struct.pack(">%dI" % data[3], count, *sizes[1:]) +
            data[header:header + count * item])


def small_data(train=264, test=100):
    """A folder with a data set of that size in MNIST's layout."""
    folder = tempfile.mkdtemp(dir=os.environ["TEST_TMPDIR"])
    for kind, count in (("train", train), ("t10k", test)):
        for what in ("images-idx3-ubyte", "labels-idx1-ubyte"):
            name = kind + "-" + what
            with open(os.path.join(folder, name), "wb") as f:
                f.write(_first_images(name, count))
    return folder


def small_cifar10(per_file=4):
    """A folder in CIFAR-10's binary layout: a color for each class, noisy."""
    folder = tempfile.mkdtemp(dir=os.environ["TEST_TMPDIR"])
    generator = random.Random(1)
    names = ["data_batch_%d.bin" % i for i in range(1, 6)] + ["test_batch.bin"]
    for name in names:
        with open(os.path.join(folder, name), "wb") as f:
            for i in range(per_file):
                label = generator.randrange(10)
                pixels = bytes((20 * label + c * 40 + generator.randrange(30)) %
                               256 for c in range(3) for _ in range(1024))
                f.write(bytes([label]) + pixels)
    with open(os.path.join(folder, "batches.meta.txt"), "w") as f:
        f.write("".join("class%d\n" % i for i in range(10)))
    return folder


def image_folder(train):
    """A folder of JPEG files with that many in train/ and a quarter in val/."""
    folder = new_folder()
    writer = _runfile("tests/trainers/write_image_folder")
    subprocess.check_call([writer, folder, str(train)])
    return folder


def pack(folder, archives, only="", below=""):
    """Packs the files of `folder` that begin with `only` into tar archives.

    Each goes into the next archive, called without `only` and with `below`.
    """
    names = sorted(os.path.relpath(os.path.join(top, name), folder)
                   for top, _, names in os.walk(folder) for name in names)
    names = [name for name in names if name.startswith(only)]
    for k, path in enumerate(archives):
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with tarfile.open(path, "w") as tar:
            for name in names[k::len(archives)]:
                tar.add(os.path.join(folder, name), below + name[len(only):])


def new_folder():
    return os.path.join(tempfile.mkdtemp(dir=os.environ["TEST_TMPDIR"]), "run")


def program(name="simsiam_gsg"):
    """The path of //trainers:<name>."""
    return _runfile("trainers/" + name)


def run(*flags, method="simsiam_gsg", **kwargs):
    """Runs the program to its end; returns a CompletedProcess with text."""
    return subprocess.run([program(method), *flags], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, universal_newlines=True,
                          **kwargs)


def start(*flags):
    """Starts simsiam_gsg and returns its Popen."""
    return subprocess.Popen([program(), *flags], stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, universal_newlines=True)


def metrics(folder):
    """The records of metrics.jsonl without those that tell the time."""
    with open(os.path.join(folder, "metrics.jsonl")) as f:
        records = [json.loads(line) for line in f]
    return [{k: v for k, v in record.items() if k not in TIMES}
            for record in records]


def result(folder):
    with open(os.path.join(folder, "result.json")) as f:
        return json.load(f)
