"""gsg.torch through the kernels of //cuda, which a host emulates here.

The tensors are the CPU's: what gsg.torch does for a GPU is done for them, but
for streams and pinned memory. On a GPU, with --config=cuda, the last test runs
the kernels themselves.
"""

import importlib.util
import os
import pathlib

import pytest
import torch

import guided_stop_gradient as gsg
import guided_stop_gradient.torch
from guided_stop_gradient import _operators, _torch_cuda
from guided_stop_gradient.torch import GuidedStopGradientLoss
from tests.bindings import run_pytest

SELECTIONS = ("min", "max", "random", "none", "soft", "margin")
PARAMETERS = dict(temperature=0.7, margin=0.1)
ERRORS = {torch.float16: 2**-10, torch.bfloat16: 2**-7, torch.float32: 2**-19}
COUNTS = {"four": 8, "shared": 4}
BUILT_IN = _torch_cuda._cuda


def load_emulated():
    folder = pathlib.Path(os.environ["TEST_SRCDIR"], "gsg/tests/bindings")
    path, = folder.glob("emulated/_cuda*.so")
    spec = importlib.util.spec_from_file_location("_cuda", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


EMULATED = load_emulated()
_operators.KERNELS["cpu"] = _operators.KERNELS["cuda"]
for operator, kernel in zip(
        (_operators.guided_loss, _operators.guided_loss_shared),
        _operators.KERNELS["cuda"]):
    operator.register_kernel("cpu")(kernel)


@pytest.fixture(autouse=True)
def emulated(monkeypatch):
    """The kernels, and a list of the calls that they had."""
    calls = []

    class Counted:
        MAX_LOCAL_VIEWS = EMULATED.MAX_LOCAL_VIEWS
        workspace_bytes = staticmethod(EMULATED.workspace_bytes)
        make_pairing_plan = staticmethod(EMULATED.make_pairing_plan)

        @staticmethod
        def guided_loss(*arguments):
            calls.append("four")
            EMULATED.guided_loss(*arguments)

        @staticmethod
        def guided_loss_shared(*arguments):
            calls.append("shared")
            EMULATED.guided_loss_shared(*arguments)

    torch.manual_seed(5)
    monkeypatch.setattr(_torch_cuda, "_cuda", Counted)
    monkeypatch.setattr(_torch_cuda, "_serves", lambda device: True)
    return calls


def some_views(form, dtype=torch.float32, n=9, d=24):
    """Only p requires grad."""
    views = [torch.randn(n, d).to(dtype) for _ in range(COUNTS[form])]
    for p in views[:len(views) // 2]:
        p.requires_grad_()
    return views


def expect_core(form, module, views, loss, *pairing, local=None, seed=3):
    """The loss and gradients of 2 loss are those of gsg_core."""
    half = len(views) // 2
    local = [] if local is None else list(local)
    plain = [x.detach().contiguous() for x in views]
    out = [torch.empty_like(x) for x in plain[:half]]
    out += [torch.empty(x.shape, dtype=x.dtype) for x in local]
    options = dict(distance=module.distance, selection=module.selection,
                   temperature=module.temperature, margin=module.margin,
                   seed=seed, out=out)
    if form == "four":
        expected = gsg.guided_loss(*plain, **options)
    else:
        expected = gsg.guided_loss_shared(
            *plain, *pairing, local_p=[x.detach() for x in local], **options)
    assert loss.dtype == torch.float32 and loss.shape == ()
    assert loss.item() == pytest.approx(expected.loss, abs=2e-6)
    for p in views[:half]:
        p.grad = None
    (2 * loss).backward()
    error = ERRORS[views[0].dtype]
    for p, g in zip(views[:half], out):
        assert p.grad.dtype == p.dtype
        torch.testing.assert_close(
            p.grad.double(), 2 * g.double(), rtol=4 * error,
            atol=2**-20 if p.dtype != torch.float32 else 1e-7)
    return out[half:]


def test_a_graph_cannot_record_a_drawn_pairing(monkeypatch):
    monkeypatch.setattr(_torch_cuda, "_is_recorded", lambda device: True)
    with pytest.raises(RuntimeError, match="pairing= as a tensor on the device"):
        GuidedStopGradientLoss()(*some_views("shared"))
    GuidedStopGradientLoss(views="four")(*some_views("four"))


@pytest.mark.parametrize("form", COUNTS)
@pytest.mark.parametrize("dtype", ERRORS)
def test_is_the_core(form, dtype, emulated):
    views = some_views(form, dtype)
    for distance in ("euclidean", "squared_euclidean", "cosine"):
        for selection in SELECTIONS:
            module = GuidedStopGradientLoss(distance, selection, form,
                                            **PARAMETERS)
            expect_core(form, module, views, module(*views, seed=3))
    assert emulated == [form] * 18


@pytest.mark.parametrize("plan", ("host", "device"))
@pytest.mark.parametrize("pairing", ([1, 2, 3, 4, 0], [3, 3, 0, 3, 1],
                                     [0, 0, 0, 0, 0], [4, 3, 2, 1, 0]))
def test_pairings(plan, pairing, monkeypatch):
    if plan == "device":
        monkeypatch.setattr(_torch_cuda, "_plan_on_host",
                            lambda r, _: _torch_cuda._plan_on_device(r))
    # One that is not contiguous, either.
    pairing = torch.tensor(pairing).repeat_interleave(2)[::2]
    views = some_views("shared", n=5)
    module = GuidedStopGradientLoss()
    loss = module(*views, pairing=pairing)
    expect_core("shared", module, views, loss, pairing.contiguous())


def test_a_single_row():
    views = some_views("four", n=1)
    views = [x.detach()[:, ::3].requires_grad_(x.requires_grad) for x in views]
    module = GuidedStopGradientLoss(views="four")
    expect_core("four", module, views, module(*views, seed=3))


def test_nearest_pairings():
    views = some_views("shared", n=12)
    module = GuidedStopGradientLoss(pairing="nearest", candidates=4)
    pairing = gsg.nearest_pairing(*(z.detach() for z in views[2:]),
                                  candidates=4, seed=3)
    expect_core("shared", module, views, module(*views, seed=3), pairing)


@pytest.mark.parametrize("form", COUNTS)
@pytest.mark.parametrize("n, d", ((2, 5), (4, 2), (3, 40), (70, 33)))
def test_layouts(form, n, d):
    """Columns apart, rows apart, rows that are one and the same, transposed."""
    makers = (lambda: torch.randn(n, 2 * d)[:, ::2],
              lambda: torch.randn(n, d + 3)[:, :d],
              lambda: torch.randn(d).expand(n, d),
              lambda: torch.randn(d, n).T)
    count = COUNTS[form]
    for shift in range(4):
        views = [makers[(k + shift) % 4]() for k in range(count)]
        for p in views[:count // 2]:
            p.requires_grad_()
        module = GuidedStopGradientLoss(views=form)
        expect_core(form, module, views, module(*views, seed=3))


@pytest.mark.parametrize("dtype", ERRORS)
def test_local_crops(dtype, emulated):
    views = some_views("shared", dtype)
    local = torch.randn(3, 9, 24).to(dtype).requires_grad_()
    module = GuidedStopGradientLoss()
    loss = module(*views, local_p=local, seed=3)
    out = expect_core("shared", module, views, loss, local=local)
    for actual, g in zip(local.grad, out):
        torch.testing.assert_close(
            actual.double(), 2 * g.double(), rtol=4 * ERRORS[dtype],
            atol=2**-20 if dtype != torch.float32 else 1e-7)
    assert emulated == ["shared"]


def test_what_the_kernels_do_not_take(emulated):
    views = some_views("shared")
    many = torch.randn(EMULATED.MAX_LOCAL_VIEWS + 1, 9, 24, requires_grad=True)
    module = GuidedStopGradientLoss()
    loss = module(*views, local_p=many, seed=3)
    expect_core("shared", module, views, loss, local=many)
    wide = [x.detach().double() for x in views]
    assert module(*wide, seed=3).dtype == torch.float64
    assert not emulated


def test_no_gradient_wanted(emulated):
    views = [x.detach() for x in some_views("four")]
    module = GuidedStopGradientLoss(views="four")
    loss = module(*views)
    assert not loss.requires_grad
    assert loss.item() == pytest.approx(gsg.guided_loss(*views).loss, abs=1e-6)
    assert emulated == ["four"]


@pytest.mark.parametrize("form", COUNTS)
def test_opcheck(form):
    views = some_views(form)
    rest = ("euclidean", "soft", 0.7, 0.1, torch.tensor(3), 0, False, True)
    if form == "four":
        torch.library.opcheck(_operators.guided_loss, (*views, *rest))
        return
    for local in (None, torch.randn(3, 9, 24, requires_grad=True)):
        torch.library.opcheck(
            _operators.guided_loss_shared,
            (*views[:2], local, *views[2:], None, "cyclic", 3, *rest))


def test_compile_without_graph_breaks(emulated):
    views = some_views("shared")
    module = GuidedStopGradientLoss()
    loss = torch.compile(module, fullgraph=True)(*views, seed=3)
    expect_core("shared", module, views, loss)
    assert emulated == ["shared"]


def test_a_pairing_that_is_wrong():
    views = some_views("shared")
    module = GuidedStopGradientLoss()
    with pytest.raises(ValueError, match=r"pairing\[2\] is 9; entries are "
                       r"rows, 0\.\.8"):
        module(*views, torch.tensor([1, 2, 9, 0, 4, 5, 6, 7, 8]))
    with pytest.raises(TypeError, match="pairing is float32; it must be "
                       "integers that int64 holds"):
        module(*views, torch.arange(9.0))
    with pytest.raises(ValueError, match=r"pairing has shape \(8,\); it must "
                       r"be \[N\], and N is 9"):
        module(*views, torch.arange(8))


@pytest.mark.parametrize("bad", (-1, 9))
def test_a_pairing_on_the_device_that_is_wrong(bad, monkeypatch):
    monkeypatch.setattr(_torch_cuda, "_plan_on_host",
                        lambda r, _: _torch_cuda._plan_on_device(r))
    views = some_views("shared")
    pairing = torch.tensor([1, 2, bad, 0, 4, 5, 6, 7, 8])
    assert GuidedStopGradientLoss()(*views, pairing).isnan()


@pytest.mark.parametrize("form", COUNTS)
@pytest.mark.parametrize("value", (float("nan"), float("inf")))
def test_values_that_are_not_finite(form, value):
    for k in range(COUNTS[form]):
        views = [x.detach() for x in some_views(form)]
        views[k][4, 7] = value
        assert GuidedStopGradientLoss(views=form)(*views).isnan()


def test_options_reach_the_kernels_checked():
    views = some_views("four")
    arguments = (*views, "euclidean", "soft", -1.0, 0.1, None, 0, False, True)
    with pytest.raises(ValueError, match="temperature"):
        _operators.guided_loss(*arguments)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_says_what_hinders_it(monkeypatch):
    monkeypatch.undo()
    assert "driver" in EMULATED.what_hinders(0)
    monkeypatch.setattr(_torch_cuda, "_cuda", EMULATED)
    monkeypatch.setattr(torch.version, "cuda", "13.0")
    device = torch.device("cuda", 0)
    _torch_cuda._serves.cache_clear()
    with pytest.warns(RuntimeWarning, match="not with its kernels: there is no "
                      "driver for an NVIDIA GPU"):
        assert not _torch_cuda._serves(device)
    # torch's name for AMD's GPUs is the same.
    monkeypatch.setattr(torch.version, "cuda", None)
    _torch_cuda._serves.cache_clear()
    assert not _torch_cuda._serves(device)
    _torch_cuda._serves.cache_clear()


@pytest.mark.skipif(BUILT_IN is None or not torch.cuda.is_available(),
                    reason="needs a GPU and --config=cuda")
@pytest.mark.parametrize("form", COUNTS)
@pytest.mark.parametrize("dtype", ERRORS)
def test_on_a_gpu(form, dtype, monkeypatch):
    monkeypatch.undo()
    _torch_cuda._serves.cache_clear()
    views = some_views(form, dtype, n=300, d=256)
    there = [x.detach().cuda().requires_grad_(x.requires_grad) for x in views]
    assert _torch_cuda.takes(there)
    module = GuidedStopGradientLoss(views=form)
    loss = module(*there, seed=3)
    (2 * loss).backward()
    expected = module(*views, seed=3)
    (2 * expected).backward()
    assert loss.item() == pytest.approx(expected.item(), abs=2e-6)
    for p, q in zip(views[:len(views) // 2], there):
        torch.testing.assert_close(q.grad.cpu(), p.grad)


if __name__ == "__main__":
    run_pytest.main(__file__)
