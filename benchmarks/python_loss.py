"""The loss of 512 x 2048 in Python, forward and backward, side by side.

./bazelw run //benchmarks:python_loss [-- --threads=2 --repetitions=50]

In one process, float32, in turns, so that a busy moment of the machine hits all
alike: gsg on NumPy arrays, into gradients that are there (out=) and into new ones;
gsg.torch on tensors; the same formula in eager torch, and compiled by
torch.compile; and copying the same number of bytes (each input read once, each
gradient written once). Prints medians, and how many times the time of the first
each takes. Where new memory costs page faults, so do new gradients. On a GPU
(--config=cuda, --device=cuda) there is gsg.torch alone of ours, and times are those
of a call and of waiting for it.
"""

import argparse
import os
import statistics
import time

import numpy as np
import torch
import torch.nn.functional as F

import guided_stop_gradient as gsg
import guided_stop_gradient.torch

PAIRS = ((0, 2), (0, 3), (1, 2), (1, 3))


def formula(*views):
    """Four views, as one would write it in torch."""
    p, z = views[:4], [view.detach() for view in views[4:]]
    distances = torch.stack([(z[a] - z[b]).norm(dim=1) for a, b in PAIRS])
    pair = distances.argmin(0)
    d = [-F.cosine_similarity(p[v], z[v ^ 1], dim=1) for v in range(4)]
    first = torch.where(pair < 2, d[0], d[1])
    second = torch.where(pair % 2 == 0, d[2], d[3])
    return (first + second).mean() / 2


def formula_shared(pairing, p1, p2, z1, z2):
    return formula(p1, p2, p1[pairing], p2[pairing],
                   z1, z2, z1[pairing], z2[pairing])


def training(loss_fn, views):
    """Forward and backward, with gradients made anew as in a training step."""
    p = views[:len(views) // 2]

    def call():
        for view in p:
            view.grad = None
        loss_fn(*views).backward()

    return call


def synchronize(device):
    if device != "cpu":
        torch.cuda.synchronize()


def medians(calls, repetitions, device="cpu"):
    """{name: median of milliseconds}; the calls take turns.

    Before each there is time for the last one's threads to go to sleep. OpenMP's
    wait for more work by spinning for milliseconds, on the cores of the next.
    """
    times = {name: [] for name in calls}
    for repetition in range(-3, repetitions):
        for name, call in calls.items():
            end = time.perf_counter() + 0.01
            while time.perf_counter() < end:
                pass
            synchronize(device)
            start = time.perf_counter()
            call()
            synchronize(device)
            if repetition >= 0:
                times[name].append(1e3 * (time.perf_counter() - start))
    return {name: statistics.median(values) for name, values in times.items()}


COUNTS = {"four": 8, "shared": 4}  # of inputs


def bytes_moved(form, n, d):
    """Each input read once, and a gradient written for every second one."""
    return COUNTS[form] * n * d * 4 * 3 // 2


def calls_of(form, n, d, threads, device="cpu"):
    """The sides, as functions of one forward and backward pass each."""
    count = COUNTS[form]
    torch.manual_seed(0)
    views = [torch.randn(n, d) for _ in range(count)]
    arrays = [view.numpy() for view in views]
    out = [np.empty_like(array) for array in arrays[:count // 2]]
    views = [view.to(device) for view in views]
    for view in views[:count // 2]:
        view.requires_grad_()
    module = gsg.torch.GuidedStopGradientLoss(views=form)
    if form == "four":
        def numpy(out=None):
            gsg.guided_loss(*arrays, threads=threads, out=out)
        plain, ours = formula, module
    else:
        pairing = gsg.pairing(n, seed=0)
        index = torch.from_numpy(pairing).to(device)

        def numpy(out=None):
            gsg.guided_loss_shared(*arrays, pairing, threads=threads, out=out)

        def plain(*views):
            return formula_shared(index, *views)

        def ours(*views):
            return module(*views, index)
    # Read; as much is written.
    source = torch.ones(bytes_moved(form, n, d) // 8, device=device)
    target = torch.empty_like(source)
    on_arrays = {"gsg, out=": lambda: numpy(out), "gsg, new gradients": numpy}
    return {
        **(on_arrays if device == "cpu" else {}),
        "gsg.torch": training(ours, views),
        "eager torch": training(plain, views),
        "torch.compile": training(torch.compile(plain), views),
        "copying the bytes": lambda: target.copy_(source),
    }


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--n", type=int, default=512)
    parser.add_argument("--d", type=int, default=2048)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repetitions", type=int, default=50)
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    place = (f"{args.threads} threads, {os.cpu_count()} logical processors"
             if args.device == "cpu" else torch.cuda.get_device_name())
    print(f"{args.n} x {args.d} float32, {place}, torch {torch.__version__}, "
          f"numpy {np.__version__}, median of {args.repetitions}")
    for form in ("four", "shared"):
        calls = calls_of(form, args.n, args.d, args.threads, args.device)
        times = medians(calls, args.repetitions, args.device)
        first = next(iter(times.values()))
        print(f"\n{form + ' views':20}{'ms':>9}  times the first")
        for name, milliseconds in times.items():
            print(f"{name:20}{milliseconds:9.3f}{milliseconds / first:9.2f}")


if __name__ == "__main__":
    main()
