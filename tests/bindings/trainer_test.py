"""gsg.torch takes the steps that the C++ trainer's loss takes."""

import os
import pathlib
import subprocess

import pytest
import torch

import guided_stop_gradient as gsg
from guided_stop_gradient.torch import GuidedStopGradientLoss
from tests.bindings import run_pytest

ROWS, INPUTS, WIDTH, SEED, RATE = 20, 6, 8, 9, 0.5
PROGRAM = "gsg/tests/trainers/loss/ten_steps"


def sines(rows, columns, first):
    count = torch.arange(rows * columns, dtype=torch.float64)
    return (count + first).sin().reshape(rows, columns)


def test_ten_steps():
    program = pathlib.Path(os.environ["TEST_SRCDIR"], PROGRAM)
    lines = subprocess.check_output([program], text=True).splitlines()
    weights = [sines(INPUTS, WIDTH, 1).requires_grad_(),
               sines(WIDTH, WIDTH, 2).requires_grad_(),
               sines(WIDTH, WIDTH, 3).requires_grad_()]
    optimizer = torch.optim.SGD(weights, lr=RATE)
    loss_fn = GuidedStopGradientLoss(seed=SEED)
    losses = []
    for step in range(10):
        z = [torch.tanh(sines(ROWS, INPUTS, 10 * step + 0.3 * view)
                        @ weights[0]) @ weights[1] for view in range(2)]
        p = [view @ weights[2] for view in z]
        seed = gsg.step_seed(SEED, loss_fn.step)
        pair = gsg.select_shared(*(view.detach() for view in z),
                                 gsg.pairing(ROWS, seed))
        loss = loss_fn(*p, *z)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        expected_loss, *counts = lines[step].split()
        # Two LibTorch builds: their sines and products differ by roundings,
        # which ten steps of training amplify.
        assert loss.item() == pytest.approx(float(expected_loss), abs=1e-9)
        assert [int((pair == k).sum()) for k in range(4)] == list(
            map(int, counts))
        losses.append(loss.item())
    assert len(lines) == 10
    assert losses[-1] < losses[0]


if __name__ == "__main__":
    run_pytest.main(__file__)
