"""What replays, traces, transforms or copies a step of the PyTorch module."""

import copy
import io

import numpy as np
import pytest
import torch
from torch.utils.checkpoint import checkpoint

import guided_stop_gradient as gsg
from guided_stop_gradient.torch import GuidedStopGradientLoss
from tests.bindings import run_pytest


@pytest.fixture(autouse=True)
def views():
    torch.manual_seed(5)
    torch._dynamo.reset()  # it compiles what all tests call so many times only
    return torch.randn(4, 16, 7)


def gradient(loss, views):
    p = views[0].clone().requires_grad_()
    loss(p, *views[1:]).backward()
    return p.grad


def test_a_checkpointed_step_has_the_gradient_of_its_loss(views):
    plain, module = GuidedStopGradientLoss(), GuidedStopGradientLoss()
    for step in range(3):
        expected = gradient(plain, views)
        reentrant = step == 1
        actual = gradient(lambda *v: checkpoint(
            module, *v, use_reentrant=reentrant), views)
        assert torch.equal(actual, expected)
        assert module.step == plain.step == step + 1


def test_several_steps_are_replayed_after_all_of_them(views):
    plain, module = GuidedStopGradientLoss(), GuidedStopGradientLoss()
    expected = gradient(lambda *v: plain(*v) + 2 * plain(*v), views)
    actual = gradient(lambda *v: checkpoint(module, *v, use_reentrant=False) +
                      2 * checkpoint(module, *v, use_reentrant=False), views)
    torch.testing.assert_close(actual, expected)


@pytest.mark.parametrize("checkpointed", (False, True))
def test_accumulated_gradients_are_those_of_the_parts(views, checkpointed):
    module = GuidedStopGradientLoss()
    p = views[0].clone().requires_grad_()
    expected = torch.zeros_like(p)
    for step, part in enumerate((slice(0, 10), slice(10, 16))):
        arguments = (p[part], *views[1:, part])
        loss = (checkpoint(module, *arguments, use_reentrant=False)
                if checkpointed else module(*arguments))
        (len(p[part]) / len(p) * loss).backward()
        # By the core itself, each part's images paired among themselves.
        result = gsg.guided_loss_shared(*views[:, part],
                                        seed=gsg.step_seed(0, step))
        expected[part] = len(p[part]) / len(p) * torch.from_numpy(result.grads[0])
    torch.testing.assert_close(p.grad, expected)
    assert module.step == 2


@pytest.mark.parametrize("outer", ("compile", "checkpoint"))
def test_compiled_and_checkpointed(views, outer):
    plain, module = GuidedStopGradientLoss(), GuidedStopGradientLoss()
    if outer == "compile":
        loss = torch.compile(lambda *v: checkpoint(module, *v,
                                                   use_reentrant=False),
                             fullgraph=True)
    else:
        compiled = torch.compile(module, fullgraph=True)

        def loss(*v):
            return checkpoint(compiled, *v, use_reentrant=False)

    for _ in range(2):
        torch.testing.assert_close(gradient(loss, views),
                                   gradient(plain, views))
    assert module.step == 2


def test_two_calls_of_one_compiled_step(views):
    plain, module = GuidedStopGradientLoss(), GuidedStopGradientLoss()
    both = torch.compile(lambda *v: module(*v) + 2 * module(*v), fullgraph=True)
    expected = plain(*views) + 2 * plain(*views)
    torch.testing.assert_close(both(*views), expected)
    assert module.step == 2


def test_compiled_modules_share_a_graph(views):
    graphs = []

    def backend(graph, _):
        graphs.append(graph)
        return graph.forward

    for _ in range(12):  # more than dynamo's recompile_limit
        plain, module = GuidedStopGradientLoss(), GuidedStopGradientLoss()
        compiled = torch.compile(module, fullgraph=True, backend=backend)
        for step in range(2):
            assert compiled(*views) == plain(*views)
            assert module.step == step + 1
    assert len(graphs) == 1


def test_the_same_generator_gives_the_same_pairings(views):
    module = GuidedStopGradientLoss(selection="random")
    torch.manual_seed(1)
    first = [module(*views).item() for _ in range(4)]
    torch.manual_seed(1)
    assert [module(*views).item() for _ in range(4)] == first
    assert len({*first, module(*views).item()}) == 5


def test_export_counts_for_itself(views):
    module = GuidedStopGradientLoss()
    program = torch.export.export(module, tuple(views), strict=False)
    plain = GuidedStopGradientLoss()
    for _ in range(2):
        assert program.module()(*views) == plain(*views)
    assert module.step == 0


def test_trace_is_refused_where_it_would_keep_a_pairing(views):
    module = GuidedStopGradientLoss()
    with pytest.raises(RuntimeError, match="give seed=, or trace the module"):
        torch.jit.trace(module, tuple(views))
    traced = torch.jit.trace(module.eval(), tuple(views))
    assert traced(*views) == module(*views)


def test_copies(views):
    module = GuidedStopGradientLoss()
    module(*views)
    file = io.BytesIO()
    torch.save(module, file)
    file.seek(0)
    for twin in (copy.deepcopy(module), torch.load(file, weights_only=False)):
        expected = GuidedStopGradientLoss()
        expected(*views)
        assert twin(*views) == expected(*views)
        assert (twin.step, module.step) == (2, 1)


def test_state_dicts_of_before(views):
    model = torch.nn.Sequential(torch.nn.Linear(2, 2), GuidedStopGradientLoss())
    state = model.state_dict()
    old = {name: x for name, x in state.items() if "_extra_state" not in name}
    model[1](*views)
    model.load_state_dict(old)
    assert model[1].step == 1 and len(old) == 2
    model.load_state_dict({**old, "1._extra_state": torch.tensor(41)})
    assert model[1].step == 41


def test_default_devices(views):
    module = GuidedStopGradientLoss()
    module(*views)
    with torch.device("meta"):
        state = module.state_dict()
        loss = module(*views)
    assert state["_extra_state"] == 1 and not loss.is_meta
    # A state dict of a model that was made on meta says nothing of the count.
    module.load_state_dict({"_extra_state": torch.tensor(0, device="meta")})
    assert module.step == 2


def test_transforms(views):
    rest = views[1:]

    def loss(a):
        return GuidedStopGradientLoss()(a, *rest)

    want = gradient(GuidedStopGradientLoss(), views)
    both = torch.stack([views[0], 2 * views[0]])
    assert torch.equal(torch.func.grad(loss)(views[0]), want)
    assert torch.equal(torch.func.jacrev(loss)(views[0]), want)
    assert torch.equal(torch.func.vjp(loss, views[0])[1](torch.tensor(3.))[0],
                       3 * want)
    torch.testing.assert_close(torch.func.vmap(loss)(both),
                               torch.stack([loss(x) for x in both]))
    torch.testing.assert_close(torch.func.vmap(torch.func.grad(loss))(both),
                               torch.stack([want, want / 2]))
    module = GuidedStopGradientLoss()
    assert torch.func.functional_call(module, {}, tuple(views)) == loss(views[0])
    # Of tensors that require grad, which do not say so inside vmap.
    both.requires_grad_()
    losses = torch.func.vmap(loss)(both)
    torch.testing.assert_close(torch.autograd.grad(losses.sum(), both)[0],
                               torch.stack([want, want / 2]))
    p = views[0].clone().requires_grad_()
    grads, = torch.autograd.grad(torch.stack([loss(p), 2 * loss(p)]), p,
                                 torch.eye(2), is_grads_batched=True)
    torch.testing.assert_close(grads, torch.stack([want, 2 * want]))


def test_what_is_no_derivative_is_refused(views):
    def loss(a):
        return GuidedStopGradientLoss()(a, *views[1:])

    with pytest.raises(NotImplementedError, match="no forward-mode"):
        torch.func.jvp(loss, (views[0],), (views[0],))
    with pytest.raises(RuntimeError, match="no second derivatives"):
        torch.func.jacrev(torch.func.grad(loss))(views[0])


def all_losses():
    for selection in ("min", "max", "random", "none", "soft", "margin"):
        for pairing in ("cyclic", "random", "nearest"):
            yield dict(selection=selection, pairing=pairing, candidates=3,
                       margin=0.1)
        yield dict(selection=selection, views="four", margin=0.1)


@pytest.mark.parametrize("options", list(all_losses()))
def test_rows(views, options):
    four = "views" in options
    views = [*views, *views.flip(0)] if four else [*views]
    local = {} if four else dict(local_p=torch.randn(2, 16, 7))
    mean, rows, total = (GuidedStopGradientLoss(**options, reduction=r)
                         for r in ("mean", "none", "sum"))
    assert rows(*views, **local).shape == (16,)
    expected, pairs = mean(*views, **local, seed=2, return_pairs=True)
    losses, same = rows(*views, **local, seed=2, return_pairs=True)
    assert torch.equal(pairs, same)
    torch.testing.assert_close(losses.mean(), expected)
    torch.testing.assert_close(total(*views, **local, seed=2), 16 * expected)
    torch.testing.assert_close(
        gradient(lambda *v: rows(*v, **local, seed=2).mean(), views),
        gradient(lambda *v: mean(*v, **local, seed=2), views))


def test_rows_have_all_derivatives(views):
    module = GuidedStopGradientLoss(reduction="none").eval()
    views = views[:, :4].double()
    p = views[0].clone().requires_grad_()

    def loss(a):
        return module(a, *views[1:])

    assert torch.autograd.gradcheck(loss, p, check_forward_ad=True)
    assert torch.autograd.gradgradcheck(loss, p)


def test_roles(views):
    p1, p2, z1, z2 = views
    loss = GuidedStopGradientLoss()(z1, z2, p1, p2)
    assert not loss.requires_grad
    swapped = [x.clone().requires_grad_() for x in (p1, p2)]
    with pytest.raises(ValueError, match="z1 requires grad and p1 does not"):
        GuidedStopGradientLoss()(z1, z2, *swapped)
    named = dict(p1=p1, p2=p2, z1=z1, z2=z2)
    assert GuidedStopGradientLoss()(**named) == GuidedStopGradientLoss()(*views)
    assert (GuidedStopGradientLoss()(p1, p2, z2=z2, z1=z1)
            == GuidedStopGradientLoss()(*views))
    four = dict(zip(("p11", "p12", "p21", "p22", "z11", "z12", "z21", "z22"),
                    (*views, *views)))
    assert (GuidedStopGradientLoss(views="four")(**four)
            == GuidedStopGradientLoss(views="four")(*views, *views))
    for message, arguments, names in (
            ("p11 given", (p1, p2, z1), dict(p11=p1)),
            ("p1 given twice", (p1, p2, z1, z2), dict(p1=p1)),
            ("got 2 tensors without p2, z2", (), dict(p1=p1, z1=z1))):
        with pytest.raises(TypeError, match=message):
            GuidedStopGradientLoss()(*arguments, **names)


def test_every_seed(views):
    for seed in (0, 2**63 - 1, 2**63, 2**64 - 1, gsg.step_seed(0, 1)):
        expected = gsg.guided_loss_shared(*views, seed=seed).loss
        module = GuidedStopGradientLoss()
        assert module(*views, seed=seed).item() == pytest.approx(expected)
        assert torch.compile(module)(*views, seed=seed) == module(*views,
                                                                  seed=seed)
        assert (GuidedStopGradientLoss(seed=seed)(*views)
                == module(*views, seed=gsg.step_seed(seed, 0)))
    with pytest.raises(ValueError, match="seed is 18446744073709551616; it"):
        module(*views, seed=2**64)


@pytest.mark.parametrize("message, arguments", [
    ("seed is a value of type float; it must be an integer", dict(seed=1.5)),
    ("pairing is a value of type list; it must be a torch.Tensor",
     dict(pairing=[1, 0])),
    ("pairing is uint64; it must be integers that int64 holds",
     dict(pairing=np.arange(16, dtype=np.uint64))),
    ("pairing is object; it must be integers that int64 holds",
     dict(pairing=np.array(16 * [None]))),
    ("pairing is float32; it must be integers that int64 holds",
     dict(pairing=torch.ones(16))),
    (r"local_p\[0\] is a value of type int; it must", dict(local_p=[3])),
    ("local_p is a value of type float; it must", dict(local_p=1.0)),
    ("got 5 tensors|p1 given twice", dict(p1=torch.ones(16, 7))),
])
def test_types_are_named(views, message, arguments):
    with pytest.raises(TypeError, match=message):
        GuidedStopGradientLoss()(*views, **arguments)


def test_local_crops_of_different_dtypes(views):
    wide = views.double()
    for k, local in enumerate(([wide[0], views[1]], [views[0], wide[1]])):
        with pytest.raises(TypeError, match=rf"local_p\[{k}\] is float64; p1 is "
                           "float32; their dtypes must be equal"):
            GuidedStopGradientLoss()(*views, local_p=local)
        with torch.autocast("cpu"):
            GuidedStopGradientLoss()(*views, local_p=local)


def test_local_crops_of_different_shapes(views):
    with pytest.raises(ValueError, match=r"local_p\[1\] has shape \(8, 7\)"):
        GuidedStopGradientLoss()(*views, local_p=[views[0], views[1, :8]])
    for none in ([], (), torch.empty(0, 16, 7)):
        assert (GuidedStopGradientLoss()(*views, local_p=none)
                == GuidedStopGradientLoss()(*views))


def test_what_is_not_dense(views):
    for wrong in (views[3].to_sparse(), torch.nested.nested_tensor([views[3]])):
        with pytest.raises(TypeError, match="z2 is .*; it must be a dense"):
            GuidedStopGradientLoss()(*views[:3], wrong)


def test_what_is_no_tensor(views):
    for wrong in (None, 3, views[0].numpy()):
        with pytest.raises(TypeError, match="z2 is a value of type .*; it must "
                           "be a torch.Tensor"):
            GuidedStopGradientLoss()(*views[:3], wrong)


def test_a_pairing_of_numpy(views):
    pairing = gsg.pairing(16, seed=3)
    module = GuidedStopGradientLoss()
    compiled = torch.compile(module, fullgraph=True, backend="aot_eager")
    expected = module(*views, seed=3)
    assert module(*views, pairing=pairing.astype(">i8")) == expected
    for dtype in (np.int64, np.int32):
        same = pairing.astype(dtype)
        for function in (module, compiled):
            assert function(*views, pairing=same) == expected
            assert function(*views, pairing=torch.from_numpy(same)) == expected
    # Another array, not a constant of the graph.
    other = gsg.pairing(16, seed=4)
    assert compiled(*views, pairing=other) == module(*views, seed=4)


def test_short_batches(views):
    for n in (2, 16):
        module = GuidedStopGradientLoss(pairing="nearest")
        pairing = gsg.nearest_pairing(*views[2:, :n], candidates=n - 1, seed=1)
        assert (module(*views[:, :n], seed=1)
                == module(*views[:, :n], pairing=pairing))
    one = views[:, :1]
    expected = gsg.guided_loss_shared(*one, selection="none").loss
    for pairing in ("cyclic", "random", "nearest"):
        module = GuidedStopGradientLoss(selection="none", pairing=pairing)
        assert module(*one).item() == pytest.approx(expected)
    for pairing in ("cyclic", "nearest"):
        for place in (one, one.to("meta")):
            with pytest.raises(ValueError, match="n = 1 images"):
                GuidedStopGradientLoss(pairing=pairing)(*place)
    numpy = gsg.nearest_pairing(*views[2:])
    assert (numpy == gsg.nearest_pairing(*views[2:], candidates=15)).all()


def test_meta(views):
    meta = views.to("meta")
    assert GuidedStopGradientLoss()(*meta).is_meta
    with pytest.raises(ValueError, match="z2 has shape"):
        GuidedStopGradientLoss()(*meta[:3], meta[3, :5])
    with pytest.raises(TypeError, match="p1 is int64"):
        GuidedStopGradientLoss()(*meta.long())
    with pytest.raises(TypeError, match="z2 is float64; p1 is float32"):
        GuidedStopGradientLoss()(*meta[:3], meta[3].double())
    with pytest.raises(ValueError, match="z22 has shape"):
        GuidedStopGradientLoss(views="four")(*meta, *meta[:3], meta[3, :5])
    with pytest.raises(ValueError, match="z1 is on meta; p1 is on cpu"):
        GuidedStopGradientLoss()(*views[:2], *meta[2:])
    with pytest.raises(ValueError, match="pairing is on meta"):
        GuidedStopGradientLoss()(*views, pairing=torch.arange(16, device="meta"))


def test_float16_that_runs_over_skips_the_step(views):
    layer = torch.nn.Linear(7, 7)
    optimizer = torch.optim.SGD(layer.parameters(), lr=1)
    scaler = torch.amp.GradScaler("cpu")
    before = layer.weight.clone()
    for factor, moves in ((1e9, False), (1, True)):
        p = (layer(views[0]) * factor).half()
        loss = GuidedStopGradientLoss()(p, *views[1:].half())
        optimizer.zero_grad()
        scaler.scale(loss).backward()
        scaler.step(optimizer)
        scaler.update()
        assert loss.isfinite() == moves
        assert torch.equal(layer.weight, before) != moves
    assert scaler.get_scale() < 2.0**16
    # What float16 layers made may have become float32 since.
    with torch.autocast("cpu", dtype=torch.float16):
        assert GuidedStopGradientLoss()(views[0] / 0, *views[1:]).isnan()
    with pytest.raises(ValueError, match="p1 has inf"):
        GuidedStopGradientLoss()(views[0] / 0, *views[1:])


def test_a_float16_gradient_is_finite_where_float32_is():
    # The gradient times N would be out of float16's range, divided it is not.
    views = 1e-6 * torch.randn(4, 1024, 7)
    views = views.half()
    wide = gradient(GuidedStopGradientLoss(), views.float())
    actual = gradient(GuidedStopGradientLoss(), views)
    assert wide.abs().max() < 6e4 < 1024 * wide.abs().max()
    torch.testing.assert_close(actual, wide.half())


if __name__ == "__main__":
    run_pytest.main(__file__)
