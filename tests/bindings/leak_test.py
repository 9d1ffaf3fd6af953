"""10,000 calls leave no memory behind, whatever way arguments come."""

import gc
import resource
import tracemalloc

import numpy as np
import pytest
import torch

import guided_stop_gradient as gsg
import guided_stop_gradient.torch
from guided_stop_gradient import _steps
from tests.bindings import run_pytest

CALLS = 10_000
N, D = 16, 256

rng = np.random.default_rng(6)
ARRAYS = [rng.standard_normal((N, D)).astype(np.float32) for _ in range(4)]
TENSORS = [torch.from_numpy(x) for x in ARRAYS]
BFLOAT16 = [x.bfloat16() for x in TENSORS]
OUT = [torch.empty_like(x) for x in BFLOAT16[:2]]
module = gsg.torch.GuidedStopGradientLoss()
# How many draws a module remembers: so few that they are soon complete.
_steps._REMEMBERED = 500


def fails():
    with pytest.raises(ValueError):
        gsg.guided_loss_shared(*ARRAYS[:3], ARRAYS[3][1:])


def trains():
    p = [x.clone().requires_grad_() for x in TENSORS[:2]]
    module(*p, *TENSORS[2:]).backward()


@pytest.mark.parametrize("call", [
    lambda: gsg.guided_loss_shared(*ARRAYS, seed=1),
    lambda: gsg.guided_loss_shared(*map(np.asfortranarray, ARRAYS), seed=1),
    lambda: gsg.guided_loss_shared(*TENSORS, seed=1),
    lambda: gsg.guided_loss_shared(*BFLOAT16, seed=1, out=OUT),
    lambda: gsg.guided_loss_shared(*map(memoryview, ARRAYS), threads=2),
    fails,
    trains,
], ids=["numpy", "copied", "dlpack", "out", "buffer", "error", "torch"])
def test_no_leak(call):
    tracemalloc.start()
    for _ in range(1000):  # caches, lazy imports, the last steps of a module
        call()
    gc.collect()
    before = resident_bytes()
    traced = tracemalloc.get_traced_memory()[0]
    for _ in range(CALLS):
        call()
    gc.collect()
    traced = tracemalloc.get_traced_memory()[0] - traced
    tracemalloc.stop()
    grown = resident_bytes() - before
    # One result or capsule a call would be 16 KB or 100 bytes, 10,000 times.
    assert traced < 20 * CALLS
    # Memory that tracemalloc does not see; a gradient a call would be 160 MB.
    assert grown < 32 << 20


def resident_bytes():
    with open("/proc/self/statm", encoding="ascii") as statm:
        return int(statm.read().split()[1]) * resource.getpagesize()


if __name__ == "__main__":
    run_pytest.main(__file__)
