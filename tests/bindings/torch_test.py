"""gsg.torch: the operator, its gradient, compilation, autocast, state."""

import concurrent.futures
import copy
import io
import os
import re

import numpy as np
import pytest
import torch

import guided_stop_gradient as gsg
import guided_stop_gradient.torch
from guided_stop_gradient import _formula, _operators
from guided_stop_gradient.torch import GuidedStopGradientLoss
from tests.bindings import formula, run_pytest

DISTANCES = ("euclidean", "squared_euclidean", "cosine")
SELECTIONS = ("min", "max", "random", "none", "soft", "margin")
PARAMETERS = dict(temperature=0.7, margin=0.1)
DTYPES = {torch.float16: 2**-10, torch.bfloat16: 2**-7,
          torch.float32: 2**-23, torch.float64: 2**-52}
COUNTS = {"four": 8, "shared": 4}


@pytest.fixture(autouse=True)
def seeded():
    torch.manual_seed(5)


def some_views(form, dtype=torch.float32, n=9, d=7):
    """Only p requires grad."""
    count = COUNTS[form]
    views = [torch.randn(n, d, dtype=torch.float64).to(dtype)
             for _ in range(count)]
    for p in views[:count // 2]:
        p.requires_grad_()
    return views


def detached(views):
    return [view.detach() for view in views]


def core(form, views, **options):
    function = {"four": gsg.guided_loss, "shared": gsg.guided_loss_shared}[form]
    out = [torch.empty_like(x) for x in views[:len(views) // 2]]
    return function(*detached(views), out=out, **options)


@pytest.mark.parametrize("form", COUNTS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_is_the_core(form, dtype):
    views = some_views(form, dtype)
    for distance in DISTANCES:
        for selection in SELECTIONS:
            module = GuidedStopGradientLoss(distance, selection, form,
                                            **PARAMETERS)
            for view in views:
                view.grad = None
            loss = module(*views, seed=3)
            assert loss.dtype == torch.promote_types(dtype, torch.float32)
            assert loss.shape == ()
            (2 * loss).backward()
            expected = core(form, views, distance=distance,
                            selection=selection, seed=3, **PARAMETERS)
            assert loss.item() == pytest.approx(expected.loss, rel=1e-6)
            for p, g in zip(views, expected.grads):
                assert p.grad.dtype == dtype
                torch.testing.assert_close(
                    p.grad.double(), 2 * g.double(), rtol=2 * DTYPES[dtype],
                    atol=2**-22 if dtype == torch.float16 else 0)


@pytest.mark.parametrize("form", COUNTS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_the_formula_of_other_devices_is_the_core(form, dtype):
    views = some_views(form, dtype, n=33, d=40)
    pairing = None
    if form == "shared":
        pairing = torch.from_numpy(gsg.pairing(33, seed=2))
    error = 50 * DTYPES[max(dtype, torch.float32, key=lambda d: d.itemsize)]
    for distance in DISTANCES:
        for selection in SELECTIONS:
            expected = core(form, views, distance=distance,
                            selection=selection, seed=2, **PARAMETERS)
            loss, pair, grads = _formula.guided_loss(
                views, pairing, distance,
                _formula.Selection(selection, **PARAMETERS, seed=2), 1.0)
            assert (pair.numpy() == expected.pair).all()
            assert loss.item() == pytest.approx(expected.loss, abs=error)
            for actual, g in zip(grads, expected.grads):
                assert actual.dtype == dtype
                torch.testing.assert_close(
                    actual.double(), g.double(), rtol=2 * DTYPES[dtype],
                    atol=error / 33 + (2**-22 if dtype == torch.float16 else 0))


@pytest.mark.parametrize("dtype", DTYPES)
def test_the_nearest_pairing(dtype):
    p1, p2, z1, z2 = views = some_views("shared", dtype, n=33, d=40)
    for distance in DISTANCES:
        module = GuidedStopGradientLoss(distance, pairing="nearest",
                                        candidates=6, seed=4)
        r = gsg.nearest_pairing(z1, z2, candidates=6, distance=distance, seed=3)
        expected = core("shared", views, distance=distance, pairing=r)
        loss = module(*views, seed=3)
        assert loss.item() == pytest.approx(expected.loss, rel=1e-6)
        there = _formula.nearest_pairing(z1, z2, distance, 6, 3)
        assert there.tolist() == r.tolist()
        loss, _, grads = _formula.guided_loss(
            views, there, distance, _formula.Selection("min", 1, 0, 3), 1.0)
        error = 50 * DTYPES[max(dtype, torch.float32, key=lambda d: d.itemsize)]
        assert loss.item() == pytest.approx(expected.loss, abs=error)
        for actual, g in zip(grads, expected.grads):
            torch.testing.assert_close(
                actual.double(), g.double(), rtol=2 * DTYPES[dtype],
                atol=error + (2**-22 if dtype == torch.float16 else 0))
    assert "candidates=6" in repr(module)
    # Of a training step: (seed, step).
    r = gsg.nearest_pairing(z1, z2, candidates=6, distance=distance,
                            seed=gsg.step_seed(4, 0))
    expected = core("shared", views, distance=distance, pairing=r)
    assert module(*views).item() == pytest.approx(expected.loss, rel=1e-6)


def test_the_formula_with_rows_of_zeros():
    views = some_views("four", torch.float64)
    for view in views:
        view.data[::2] = 0
    expected = core("four", views)
    loss, pair, grads = _formula.guided_loss(
        views, None, "euclidean", _formula.Selection("min", **PARAMETERS, seed=0),
        1.0)
    assert loss.item() == pytest.approx(expected.loss, rel=1e-12)
    for actual, g in zip(grads, expected.grads):
        torch.testing.assert_close(actual, g, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("form", COUNTS)
@pytest.mark.parametrize("selection", SELECTIONS)
def test_gradcheck(form, selection):
    # Choices are made from z alone, which stays: they are frozen.
    views = some_views(form, torch.float64, n=4, d=3)
    half = len(views) // 2
    module = GuidedStopGradientLoss("euclidean", selection, form,
                                    **PARAMETERS).eval()
    assert torch.autograd.gradcheck(
        lambda *p: module(*p, *views[half:]), views[:half])


@pytest.mark.parametrize("form", COUNTS)
def test_projections_have_no_gradient(form):
    views = some_views(form)
    for view in views:
        view.requires_grad_()
    GuidedStopGradientLoss(views=form)(*views).backward()
    half = len(views) // 2
    assert all(view.grad is not None for view in views[:half])
    assert all(view.grad is None for view in views[half:])


def operator_arguments(form, dtype, local=None):
    views = some_views(form, dtype)
    rest = ("euclidean", "soft", 0.7, 0.1, torch.tensor(3), 0, False, True)
    if form == "four":
        return _operators.guided_loss, (*views, *rest)
    return _operators.guided_loss_shared, (
        *views[:2], local, *views[2:], None, "nearest", 3, *rest)


@pytest.mark.parametrize("form", COUNTS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_opcheck(form, dtype):
    torch.library.opcheck(*operator_arguments(form, dtype))


def test_opcheck_with_local_crops():
    local = torch.randn(3, 9, 7, requires_grad=True)
    torch.library.opcheck(
        *operator_arguments("shared", torch.float32, local))


@pytest.mark.parametrize("dtype", DTYPES)
def test_local_crops(dtype):
    """Of the operator, of the formula of other devices, and of the core."""
    views = some_views("shared", dtype)
    local = torch.randn(3, 9, 7).to(dtype).requires_grad_()
    for selection in SELECTIONS:
        module = GuidedStopGradientLoss(selection=selection, **PARAMETERS)
        for x in (*views, local):
            x.grad = None
        loss = module(*views, local_p=local, seed=3)
        (2 * loss).backward()
        out = [torch.empty(9, 7, dtype=dtype) for _ in range(5)]
        expected = gsg.guided_loss_shared(
            *detached(views), local_p=list(local.detach()), seed=3, out=out,
            selection=selection, **PARAMETERS)
        assert loss.item() == pytest.approx(expected.loss, rel=1e-6)
        atol = 2**-22 if dtype == torch.float16 else 0
        for actual, g in zip((views[0].grad, views[1].grad, *local.grad), out):
            torch.testing.assert_close(actual.double(), 2 * g.double(),
                                       rtol=2 * DTYPES[dtype], atol=atol)
        pairing = torch.from_numpy(gsg.pairing(9, seed=3))
        there, _, grads = _formula.guided_loss(
            views, pairing, "euclidean",
            _formula.Selection(selection, **PARAMETERS, seed=3), 1.0, local)
        error = 20 * DTYPES[max(dtype, torch.float32, key=lambda d: d.itemsize)]
        assert there.item() == pytest.approx(expected.loss, abs=error)
        for actual, g in zip((*grads[:2], *grads[2]), out):
            torch.testing.assert_close(actual.double(), g.double(),
                                       rtol=2 * DTYPES[dtype],
                                       atol=error + atol)


def test_local_crops_as_autograd_through_the_formula():
    views = some_views("shared", torch.float64)
    local = torch.randn(2, 9, 7, dtype=torch.float64, requires_grad=True)
    p, z = views[:2], views[2:]
    module = GuidedStopGradientLoss().eval()
    pairing = gsg.pairing(9, seed=1)
    pair = torch.from_numpy(gsg.select_shared(*z, pairing)).long()
    loss = module(*views, local_p=local.unbind(), pairing=torch.from_numpy(pairing))
    # In each row, for each image: of its source and the local crops, the mean
    # agreement with its target.
    expected = 0
    for i in range(9):
        for image, source in ((i, pair[i] // 2), (pairing[i], pair[i] % 2)):
            target = z[1 - source][image]
            for x in (p[source][image], *local[:, image]):
                expected -= torch.cosine_similarity(x, target, dim=0) / 3 / 2 / 9
    assert loss.item() == pytest.approx(expected.item(), rel=1e-12)
    for actual, g in zip(torch.autograd.grad(loss, (*p, local)),
                         torch.autograd.grad(expected, (*p, local))):
        torch.testing.assert_close(actual, g)


@pytest.mark.parametrize("form", COUNTS)
def test_ordinary_tensors_go_by_the_shortest_way(form):
    """And others by the operator, with the same result."""
    operator_calls = []

    class Other(torch.Tensor):
        pass

    class Recorded(torch.utils._python_dispatch.TorchDispatchMode):
        def __torch_dispatch__(self, function, types, args=(), kwargs=None):
            if function.namespace == "guided_stop_gradient":
                operator_calls.append(function)
            return function(*args, **(kwargs or {}))

    views = some_views(form)
    module = GuidedStopGradientLoss(views=form)
    trained = views[:len(views) // 2]
    results = []
    for tensor_type in (torch.Tensor, Other):
        with Recorded():
            loss = module(*(x.as_subclass(tensor_type) for x in views), seed=2)
        results.append((loss, *torch.autograd.grad(loss, trained)))
        assert len(operator_calls) == (tensor_type is Other)
    assert all(torch.equal(a, b) for a, b in zip(*results))


@pytest.mark.parametrize("form", COUNTS)
def test_views_that_are_negative_by_a_mark(form):
    """Memory that torch negates as it is read."""
    views = detached(some_views(form))
    marked = [torch.complex(x, -x).conj().imag for x in views]
    assert all(x.is_neg() and torch.equal(x, y) for x, y in zip(marked, views))
    module = GuidedStopGradientLoss(views=form)
    assert torch.equal(module(*marked, seed=2), module(*views, seed=2))


@pytest.mark.parametrize("form", COUNTS)
def test_what_make_fx_records_computes_anew(form):
    module = GuidedStopGradientLoss(views=form)
    views = detached(some_views(form))
    graph = torch.fx.experimental.proxy_tensor.make_fx(
        lambda *views: module(*views, seed=2))(*views)
    others = detached(some_views(form))
    assert torch.equal(graph(*others), module(*others, seed=2))


def test_an_error_of_the_core_is_not_taken_for_a_transform():
    p1, p2, z1, z2 = some_views("shared")
    z1[2, 3] = torch.nan
    module = GuidedStopGradientLoss()
    with pytest.raises(ValueError, match="z1.*finite"):
        module(p1, p2, z1, z2)
    assert module.step == 1  # one call, one number


@pytest.mark.parametrize("form", COUNTS)
def test_compile_without_graph_breaks(form):
    eager, module = (GuidedStopGradientLoss(views=form, seed=9)
                     for _ in range(2))
    compiled = torch.compile(module, fullgraph=True)
    for n in (9, 9, 12, 13):  # the last by a graph for any N
        views = some_views(form, n=n)
        loss = compiled(*views)
        loss.backward()
        grads = [p.grad for p in views[:len(views) // 2]]
        for view in views:
            view.grad = None
        expected = eager(*views)
        expected.backward()
        assert loss.item() == expected.item()
        for p, g in zip(views, grads):
            assert torch.equal(p.grad, g)
    assert module.step == eager.step == 4


def test_compile_inside_a_training_step():
    encoder = torch.nn.Sequential(torch.nn.Linear(7, 8), torch.nn.ReLU(),
                                  torch.nn.Linear(8, 8))
    predictor = torch.nn.Linear(8, 8)
    loss_fn = GuidedStopGradientLoss()

    def step(x1, x2):
        z1, z2 = encoder(x1), encoder(x2)
        return 5 * loss_fn(predictor(z1), predictor(z2), z1, z2)

    x1, x2 = torch.randn(2, 16, 7)
    parameters = [*encoder.parameters(), *predictor.parameters()]
    expected = torch.autograd.grad(step(x1, x2), parameters)
    loss_fn.set_extra_state(torch.tensor(0))
    compiled = torch.compile(step, fullgraph=True)
    actual = torch.autograd.grad(compiled(x1, x2), parameters)
    for a, e in zip(actual, expected):
        torch.testing.assert_close(a, e)


def test_autocast():
    views = some_views("shared", torch.float32, n=16, d=8)
    layer = torch.nn.Linear(8, 8)
    module = GuidedStopGradientLoss()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        p = [layer(x) for x in views[:2]]
        assert p[0].dtype == torch.bfloat16
        loss = module(*p, *views[2:], seed=1)  # z stayed float32
    assert loss.dtype == torch.float32
    loss.backward()
    expected = gsg.guided_loss_shared(
        *(x.detach().float() for x in p), *detached(views[2:]), seed=1)
    assert loss.item() == pytest.approx(expected.loss, rel=1e-6)
    assert layer.weight.grad.abs().sum() > 0
    with pytest.raises(TypeError, match="z1 is float32; p1 is bfloat16"):
        module(*p, *views[2:], seed=1)


@pytest.mark.parametrize("reduction", ("mean", "sum", "none"))
def test_float16_that_ran_over_makes_all_nan(reduction):
    p1, p2, z1, z2 = some_views("shared", torch.float16, 8, 4)
    with torch.no_grad():
        p1[2, 1] = float("inf")
    loss = GuidedStopGradientLoss(reduction=reduction, seed=1)(p1, p2, z1, z2)
    assert loss.isnan().all()
    loss.sum().backward()
    assert p1.grad.isnan().all() and p2.grad.isnan().all()


def test_float16_gradients_survive_scaling():
    # Of a mean over 4096 rows of 512: below float16's range, times 2^16 not.
    p1, p2, z1, z2 = some_views("shared", torch.float16, 4096, 512)
    loss = GuidedStopGradientLoss()(p1, p2, z1, z2, seed=0)
    (loss * 2.0**16).backward()
    expected = gsg.guided_loss_shared(
        *(x.detach().float() for x in (p1, p2, z1, z2)), seed=0)
    g = torch.from_numpy(expected.grads[0]) * 2.0**16
    error = (p1.grad.float() - g).norm() / g.norm()
    assert error < 2**-10


def test_ten_steps_as_autograd_through_the_formula():
    """The same losses, choices and gradients, step by step."""
    generator = torch.Generator().manual_seed(1)

    def network():
        torch.manual_seed(2)
        return torch.nn.ModuleDict({
            "encoder": torch.nn.Sequential(
                torch.nn.Linear(12, 16), torch.nn.BatchNorm1d(16),
                torch.nn.ReLU(), torch.nn.Linear(16, 16)),
            "predictor": torch.nn.Sequential(
                torch.nn.Linear(16, 4), torch.nn.ReLU(),
                torch.nn.Linear(4, 16)),
        }).double()

    ours, plain = network(), network()
    loss_fn = GuidedStopGradientLoss(seed=4)
    optimizers = [torch.optim.SGD(net.parameters(), lr=0.2, momentum=0.9)
                  for net in (ours, plain)]
    losses = []
    for step in range(10):
        x = torch.randn(24, 12, generator=generator, dtype=torch.float64)
        noise = torch.randn(2, 24, 12, generator=generator, dtype=torch.float64)
        results = []
        for net in (ours, plain):
            z = [net["encoder"](x + 0.3 * e) for e in noise]
            results.append(([net["predictor"](view) for view in z], z))
        loss = loss_fn(*results[0][0], *results[0][1])
        r = torch.from_numpy(gsg.pairing(24, seed=gsg.step_seed(4, step)))
        p, z = (formula.of_rows(views, r) for views in results[1])
        pair = formula.choose(z, "euclidean", "min")
        expected = formula.loss(p, z, pair)
        assert (gsg.select_shared(*detached(results[0][1]), r)
                == pair.numpy()).all()
        for optimizer, value in zip(optimizers, (loss, expected)):
            optimizer.zero_grad()
            value.backward()
        for a, b in zip(ours.parameters(), plain.parameters()):
            torch.testing.assert_close(a.grad, b.grad, rtol=1e-9, atol=1e-12)
        for optimizer in optimizers:
            optimizer.step()
        assert loss.item() == pytest.approx(expected.item(), abs=1e-10)
        losses.append(loss.item())
    assert losses[-1] < losses[0] - 0.1  # it was training


def test_a_resumed_run_draws_the_same():
    views = detached(some_views("shared", n=50))
    module = GuidedStopGradientLoss(selection="random", seed=7)
    first = [module(*views).item() for _ in range(3)]
    saved = io.BytesIO()
    torch.save(module.state_dict(), saved)
    rest = [module(*views).item() for _ in range(3)]
    assert len(set(first + rest)) == 6
    resumed = GuidedStopGradientLoss(selection="random", seed=7)
    saved.seek(0)
    resumed.load_state_dict(torch.load(saved, weights_only=True))
    assert [resumed(*views).item() for _ in range(3)] == rest
    # A copy counts for itself.
    twin = copy.deepcopy(resumed)
    twin(*views)
    assert (resumed.step, twin.step) == (6, 7)


def test_only_training_counts():
    views = detached(some_views("shared", n=50))
    module = GuidedStopGradientLoss()
    module.eval()
    assert module(*views) == module(*views) and module.step == 0
    module.train()
    module(*views, seed=8)
    assert module.step == 0
    module(*views)
    assert module.step == 1


def test_moving_the_module():
    module = GuidedStopGradientLoss()
    module.half().to("meta")
    module(*some_views("shared"))
    assert module.step == 1


def test_fake_tensors():
    for form in COUNTS:
        views = [torch.empty(9, 7, device="meta") for _ in range(COUNTS[form])]
        operator, arguments = operator_arguments(form, torch.float32)
        if form == "shared":
            local = torch.empty(3, 9, 7, device="meta")
            views = [*views[:2], local, *views[2:]]
        loss, pair, *grads = operator(*views, *arguments[len(views):])
        assert loss.shape == () and loss.device.type == "meta"
        assert pair.shape == (9,) and pair.dtype == torch.uint8
        assert [g.shape for g in grads] == (
            [(9, 7)] * 4 if form == "four" else [(9, 7), (9, 7), (3, 9, 7)])


def test_no_gradient_wanted():
    views = some_views("shared")
    module = GuidedStopGradientLoss()
    with torch.no_grad():
        loss = module(*views, seed=1)
    assert not loss.requires_grad
    assert loss == module(*views, seed=1)


def test_backward_twice_and_part_of_a_sum():
    views = some_views("four")
    module = GuidedStopGradientLoss(views="four")
    loss = module(*views, seed=0)
    loss.backward(retain_graph=True)
    once = views[0].grad.clone()
    loss.backward()
    torch.testing.assert_close(views[0].grad, 2 * once)
    for view in views:
        view.grad = None
    (module(*views, seed=0) + views[0].sum()).backward()
    torch.testing.assert_close(views[0].grad, once + 1)


def test_second_derivatives_are_refused():
    views = some_views("shared")
    loss = GuidedStopGradientLoss()(*views)
    grads = torch.autograd.grad(loss, views[:2], create_graph=True)
    with pytest.raises(RuntimeError, match="no second derivatives"):
        torch.autograd.grad(grads[0].sum(), views[:2])


def test_threads():
    modules = [GuidedStopGradientLoss(seed=s) for s in range(16)]
    batches = [some_views("shared", n=65, d=33) for _ in modules]

    def run(index):
        loss = modules[index](*batches[index])
        return loss.item(), torch.autograd.grad(loss, batches[index][:2])

    expected = [run(i) for i in range(16)]
    for module in modules:
        module.set_extra_state(torch.tensor(0))
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        for actual, (loss, grads) in zip(pool.map(run, range(16)), expected):
            assert actual[0] == loss
            assert all(map(torch.equal, actual[1], grads))


def test_runs_on_the_threads_of_torch(monkeypatch):
    def threads():
        return len(os.listdir("/proc/self/task"))

    views = some_views("four", n=257, d=33)
    module = GuidedStopGradientLoss(views="four")
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    try:
        torch.ones(1 << 20).exp()  # torch starts its threads
        started = threads()
        loss = module(*views)
        assert threads() == started
        # And without an OpenMP runtime to be found, the same on its own.
        monkeypatch.setattr(_operators, "_GOMP_PARALLEL", 0)
        assert torch.equal(module(*views), loss)
        assert threads() > started
    finally:
        torch.set_num_threads(before)


def page_flags(address):
    """Of the mapping that an address is in: "rd wr mr mw me ac hg"."""
    inside = False
    with open("/proc/self/smaps") as file:
        for line in file:
            bounds = re.match(r"([0-9a-f]+)-([0-9a-f]+) ", line)
            if bounds:
                first, last = (int(bound, 16) for bound in bounds.groups())
                inside = first <= address < last
            elif inside and line.startswith("VmFlags:"):
                return line.split()[1:]
    raise AssertionError(f"{address:#x} is nowhere")


@pytest.mark.skipif(not os.path.exists("/sys/kernel/mm/transparent_hugepage"),
                    reason="this kernel has no large pages")
def test_large_gradients_have_large_pages():
    # As large as never to come from memory that was there.
    views = some_views("shared", n=2048, d=5000)
    GuidedStopGradientLoss()(*views).backward()
    for p in views[:2]:
        assert "hg" in page_flags(p.grad.data_ptr() + p.grad.nbytes // 2)


def test_layouts():
    views = some_views("shared", n=8, d=6)
    expected = GuidedStopGradientLoss()(*views, seed=1)
    padded = [torch.nn.functional.pad(x, (2, 1))[:, 2:-1] for x in views]
    transposed = [x.t().contiguous().t() for x in views]
    for same in (padded, transposed):
        loss = GuidedStopGradientLoss()(*same, seed=1)
        assert loss == expected
        grads = torch.autograd.grad(loss, views[:2])
        wanted = torch.autograd.grad(
            GuidedStopGradientLoss()(*views, seed=1), views[:2])
        assert all(map(torch.equal, grads, wanted))


@pytest.mark.parametrize("kind, message, arguments", [
    (ValueError, 'distance is "l1"; use one of euclidean, squared_euclidean, '
     "cosine", dict(distance="l1")),
    (ValueError, 'views is "two"; use one of four, shared', dict(views="two")),
    (TypeError, "selection is a value of type int; it must be a string",
     dict(selection=3)),
    (ValueError, "temperature is 0; it must be finite and above 0",
     dict(temperature=0)),
    (ValueError, "candidates is 0; it must be in 1", dict(candidates=0)),
    (ValueError, 'pairing="nearest" is for views="shared"',
     dict(pairing="nearest", views="four")),
    (ValueError, "margin is 1; it must be at least 0 and below 1",
     dict(margin=1)),
    (TypeError, "temperature is a value of type NoneType; it must be a number",
     dict(temperature=None)),
    (ValueError, r"seed is -1; it must be in 0\.\.", dict(seed=-1)),
])
def test_constructor_errors(kind, message, arguments):
    with pytest.raises(kind, match=message):
        GuidedStopGradientLoss(**arguments)


def test_repr():
    assert "temperature=0.5" in repr(
        GuidedStopGradientLoss(selection="soft", temperature=0.5))
    assert "margin=0.25" in repr(
        GuidedStopGradientLoss(selection="margin", margin=0.25))
    assert "temperature" not in repr(GuidedStopGradientLoss())


def test_forward_errors():
    p1, p2, z1, z2 = detached(some_views("shared"))
    module = GuidedStopGradientLoss()
    with pytest.raises(TypeError, match="got 3 tensors; views='shared' takes "
                       "p1, p2, z1, z2"):
        module(p1, p2, z1)
    with pytest.raises(ValueError, match="z2 is 8 x 7; p1 is 9 x 7"):
        module(p1, p2, z1, z2[:8])
    with pytest.raises(TypeError, match="z1 is float64; p1 is float32"):
        module(p1, p2, z1.double(), z2)
    with pytest.raises(TypeError, match="p1 is int64; it must be float16"):
        module(*(x.long() for x in (p1, p2, z1, z2)))
    with pytest.raises(ValueError, match=r"p1 has shape \(9,\)"):
        module(p1[:, 0], p2, z1, z2)
    with pytest.raises(ValueError, match="p2 has nan in row 1, column 2"):
        bad = p2.clone()
        bad[1, 2] = np.nan
        module(p1, bad, z1, z2)
    with pytest.raises(TypeError, match='pairing is for views="shared"'):
        GuidedStopGradientLoss(views="four")(*[p1] * 8,
                                             pairing=torch.arange(9))
    with pytest.raises(ValueError, match=r"pairing\[0\] is 9; entries are"):
        module(p1, p2, z1, z2, torch.full((9,), 9))
    with pytest.raises(ValueError, match=r"local_p has shape \(9, 7\); it must"):
        module(p1, p2, z1, z2, local_p=p1)
    with pytest.raises(ValueError, match=r"local_p\[0\] is 8 x 7; p1 is 9 x 7"):
        module(p1, p2, z1, z2, local_p=torch.ones(2, 8, 7))


def test_checks_of_other_devices():
    """The messages of _check, which has no GPU to run on here."""
    p1, p2, z1, z2 = detached(some_views("shared"))
    names = ("p1", "p2", "z1", "z2")
    check = _operators._check
    check((p1, p2, z1, z2), names)
    with pytest.raises(ValueError, match=r"z2 has shape \(8, 7\); p1 has shape"):
        check((p1, p2, z1, z2[:8]), names)
    with pytest.raises(TypeError, match="z1 is float64; p1 is float32"):
        check((p1, p2, z1.double(), z2), names)
    with pytest.raises(ValueError, match="z1 is on meta; p1 is on cpu"):
        check((p1, p2, z1.to("meta"), z2), names)
    with pytest.raises(TypeError, match="p1 is int64; it must be float16"):
        check((p1.long(), p2, z1, z2), names)
    with pytest.raises(ValueError, match="p1 is 0 x 7; it needs at least one"):
        check((p1[:0], p2[:0], z1[:0], z2[:0]), names)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize("form", COUNTS)
def test_on_a_gpu(form):
    views = some_views(form, n=64, d=32)
    module = GuidedStopGradientLoss(views=form)
    loss = module(*views, seed=2)
    grads = torch.autograd.grad(loss, views[:len(views) // 2])
    there = [x.detach().cuda().requires_grad_(x.requires_grad) for x in views]
    for function in (module, torch.compile(module, fullgraph=True)):
        loss_there = function(*there, seed=2)
        torch.testing.assert_close(loss_there.cpu(), loss)
        for actual, g in zip(
                torch.autograd.grad(loss_there, there[:len(grads)]), grads):
            torch.testing.assert_close(actual.cpu(), g, rtol=1e-4, atol=1e-7)


if __name__ == "__main__":
    run_pytest.main(__file__)
