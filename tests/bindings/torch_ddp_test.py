"""gather=True: two processes take the step that one takes with both batches.

This file is the program of the processes, too, which run every case once and
write down loss and gradients.
"""

import os
import pathlib
import re
import subprocess
import sys

import pytest
import torch
import torch.distributed as dist
from torch import nn
from torch.nn.parallel import DistributedDataParallel
from torch.utils.checkpoint import checkpoint

from guided_stop_gradient.torch import GuidedStopGradientLoss
from tests.bindings import run_pytest

WORLD, ROWS, WIDTH = 2, 6, 5
FOLDER = "GSG_DDP_TEST_FOLDER"

# Arguments of the module; "how" says how it is called.
CASES = {
    "cyclic": {},
    "double": dict(dtype=torch.float64),
    "random": dict(pairing="random", selection="max", distance="cosine"),
    "nearest": dict(pairing="nearest", candidates=3),
    "drawn": dict(selection="random", seed=2**64 - 5),
    "soft": dict(selection="soft", temperature=0.5),
    "margin": dict(selection="margin", margin=0.2),
    "sum": dict(reduction="sum"),
    "rows": dict(reduction="none"),
    "bfloat16": dict(dtype=torch.bfloat16),
    "one image each": dict(rows=1),
    "local crops": dict(how="local"),
    "given pairing": dict(how="pairing"),
    "accumulated": dict(how="accumulated"),
    "checkpointed": dict(how="checkpointed"),
    "reentrant": dict(how="reentrant"),
    "compiled": dict(how="compiled"),
    "evaluated": dict(how="evaluated"),
}


class Model(nn.Module):
    """Projections and predictions of two views; no BatchNorm, whose statistics
    are of each process."""

    def __init__(self):
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(4, 8), nn.Tanh(),
                                     nn.Linear(8, WIDTH))
        self.predictor = nn.Linear(WIDTH, WIDTH)

    def forward(self, *views):
        z = [self.encoder(x) for x in views]
        return [self.predictor(x) for x in z], z


def run_case(rank, world, dtype=torch.float32, how="plain", rows=ROWS, **options):
    """Two steps: the losses, and the parameters' gradients after each.

    With world 1 the batch is that of all processes.
    """
    torch.manual_seed(3)
    model = Model().to(dtype)
    parameters = list(model.parameters())
    images = torch.randn(2, 4, WORLD * rows, 4).to(dtype)
    if world > 1:
        images = images[:, :, rank * rows:(rank + 1) * rows]
        model = DistributedDataParallel(model)
    loss_fn = GuidedStopGradientLoss(gather=True, **options)
    # Not what the other process draws: the pairing must not depend on it.
    torch.manual_seed(100 + rank)
    if how == "compiled":
        loss_fn = torch.compile(loss_fn, backend="eager")
    if how == "evaluated":
        loss_fn.eval()
    result = []
    for step, views in enumerate(images):
        p, z = model(*(views if how == "local" else views[:2]))
        arguments = (*p[:2], *z[:2])
        if how == "local":
            loss = loss_fn(*arguments, local_p=p[2:])
        elif how == "pairing":
            loss = loss_fn(*arguments, pairing=torch.arange(WORLD * rows).roll(4))
        elif how in ("checkpointed", "reentrant"):
            loss = checkpoint(loss_fn, *arguments,
                              use_reentrant=how == "reentrant")
        else:
            loss = loss_fn(*arguments)
        if how == "evaluated":
            return [loss.detach()]
        if how == "accumulated" and step == 0 and world > 1:
            with model.no_sync():
                loss.mean().backward()
        else:
            loss.mean().backward()
        result.append(loss.detach())
        if how == "accumulated" and step == 0:
            continue
        result += [x.grad.clone() for x in parameters]
        for x in parameters:
            x.grad = None
    return result


def error_of(call):
    try:
        call()
    except (RuntimeError, ValueError) as error:
        return str(error)
    return "no error"


def errors(rank):
    """What every process must say if one is not like the others."""
    loss_fn = GuidedStopGradientLoss(gather=True)

    def views(n=4, d=3, dtype=torch.float32):
        return torch.ones(4, n, d, dtype=dtype) * torch.arange(1, d + 1)

    one = rank == 1
    found = {
        "images": error_of(lambda: loss_fn(*views(4 - one), seed=0)),
        "columns": error_of(lambda: loss_fn(*views(4, 3 + one), seed=0)),
        "dtype": error_of(lambda: loss_fn(
            *views(dtype=torch.float64 if one else torch.float32), seed=0)),
        "local crops": error_of(lambda: loss_fn(
            *views(), local_p=[views()[0]] * rank, seed=0)),
        "seed": error_of(lambda: loss_fn(*views(), seed=2**63 + rank)),
        "pairing": error_of(lambda: loss_fn(
            *views(), torch.arange(8).roll(1 + rank), seed=0)),
        "options": error_of(lambda: GuidedStopGradientLoss(
            distance=("cosine", "euclidean")[rank], gather=True)(
                *views(), seed=0)),
        "pairing of one batch": error_of(lambda: loss_fn(
            *views(), torch.arange(4).roll(1), seed=0)),
        "export": error_of(lambda: torch.export.export(
            loss_fn, tuple(views()), strict=False)),
    }
    loss_fn.set_extra_state(torch.tensor(5 * rank))
    found["step"] = error_of(lambda: loss_fn(*views()))
    return found


def worker():
    rank, folder = int(os.environ["RANK"]), os.environ[FOLDER]
    torch.set_num_threads(1)
    dist.init_process_group("gloo", init_method=f"file://{folder}/rendezvous",
                            rank=rank, world_size=WORLD)
    results = {name: run_case(rank, WORLD, **case)
               for name, case in CASES.items()}
    results["errors"] = errors(rank)
    # After them the processes still agree.
    results["last"] = run_case(rank, WORLD)
    torch.save(results, f"{folder}/{rank}.pt")
    dist.destroy_process_group()


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    folder = tmp_path_factory.mktemp("ddp")
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path),
           FOLDER: str(folder), "GLOO_SOCKET_IFNAME": "lo"}
    processes = [
        subprocess.Popen([sys.executable, __file__],
                         env={**env, "RANK": str(rank)},
                         stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                         text=True)
        for rank in range(WORLD)]
    try:
        outputs = [process.communicate(timeout=250)[0]
                   for process in processes]
    finally:
        for process in processes:
            process.kill()
    assert all(process.returncode == 0 for process in processes), outputs
    return [torch.load(pathlib.Path(folder, f"{rank}.pt"))
            for rank in range(WORLD)]


@pytest.mark.parametrize("name", [*CASES, "last"])
def test_two_processes_are_one_with_both_batches(results, name):
    case = CASES.get(name, {})
    expected = run_case(0, 1, **case)
    error = {torch.float64: 1e-14, torch.bfloat16: 1e-2}.get(
        case.get("dtype"), 1e-6)
    if name == "evaluated":
        # Without the others, as BatchNorm in eval().
        assert len({result[name][0].item() for result in results}) == WORLD
        return
    assert any(grad.abs().max() > 1e-2 for grad in expected[1:])
    for result in results:
        assert len(result[name]) == len(expected)
        for actual, wanted in zip(result[name], expected):
            assert actual.shape == wanted.shape
            scale = max(1, wanted.abs().max().item())
            torch.testing.assert_close(actual, wanted, rtol=0,
                                       atol=error * scale)


def test_pairs_are_across_the_processes():
    # Two images, one in each process: without the other there is no pair.
    with pytest.raises(ValueError, match="needs a second image"):
        GuidedStopGradientLoss()(*torch.randn(4, 1, WIDTH))


@pytest.mark.parametrize("name, message", {
    "images": "gather=True: images of ranks 0..1: 4, 3; give all the same number",
    "columns": "columns of ranks 0..1: 3, 4",
    "dtype": "dtype of ranks 0..1: float32, float64",
    "local crops": "local crops of ranks 0..1: 0, 1",
    "step": "step of ranks 0..1: 0, 5; load the same state dict",
    "seed": "seed of ranks 0..1: 9223372036854775808, 9223372036854775809",
    "options": "options of ranks 0 and 1 differ",
    "pairing": "pairing of ranks 0 and 1 differ",
    "pairing of one batch": "pairing has 4 entries; .* 8",
    "export": "take the module after eval",
}.items())
def test_every_process_says_what_differs(results, name, message):
    for result in results:
        assert re.search(message, result["errors"][name])


def test_without_a_process_group_it_is_one_process():
    views = torch.randn(4, 6, WIDTH)
    assert (GuidedStopGradientLoss(gather=True)(*views) ==
            GuidedStopGradientLoss()(*views))
    assert "gather=True" in repr(GuidedStopGradientLoss(gather=True))


def test_four_views_have_their_second_images():
    with pytest.raises(ValueError, match='gather=True is for views="shared"'):
        GuidedStopGradientLoss(views="four", gather=True)


if __name__ == "__main__":
    if FOLDER in os.environ:
        worker()
    else:
        run_pytest.main(__file__)
