"""gsg against a plain torch formula, on whatever hypothesis thinks of.

The same examples in each run; with GSG_TEST_SEED set, others.
"""

import os

import numpy as np
import pytest
import torch
from hypothesis import given, settings, strategies as st

import guided_stop_gradient as gsg
from tests.bindings import formula, run_pytest

DTYPES = {torch.float16: 2**-10, torch.bfloat16: 2**-7,
          torch.float32: 2**-23, torch.float64: 2**-52}

settings.register_profile("gsg", deadline=None,
                          derandomize="GSG_TEST_SEED" not in os.environ)
settings.load_profile("gsg")

# From a contiguous tensor to an equal one in another layout.
LAYOUTS = {
    "contiguous": lambda x: x,
    "padded": lambda x: torch.nn.functional.pad(x, (1, 2), value=7)[:, 1:-2],
    "every other row": lambda x: x.repeat_interleave(2, dim=0)[1::2],
    "every third column": lambda x: x.repeat_interleave(3, dim=1)[:, ::3],
    "transposed": lambda x: x.t().contiguous().t(),
    "inside a 3-d tensor": lambda x: torch.stack([x, x + 1], 1)[:, 0],
}


def as_numpy(x):
    """NumPy's view where it has the type, else the tensor (DLPack)."""
    return x if x.dtype == torch.bfloat16 else x.numpy()


def as_backwards(x):
    """Rows and columns that run backwards, which torch has none of."""
    if x.dtype == torch.bfloat16:
        return x
    return x.flip(0, 1).contiguous().numpy()[::-1, ::-1]


FORMS = {"torch": lambda x: x, "numpy": as_numpy, "backwards": as_backwards}


@st.composite
def batches(draw, count, most_rows=12, most_columns=40):
    rows = draw(st.integers(1, most_rows))
    columns = draw(st.integers(1, most_columns))
    generator = torch.Generator().manual_seed(draw(st.integers(0, 2**32)))
    dtype = draw(st.sampled_from(list(DTYPES)))
    scale = draw(st.sampled_from([1e-2, 1.0, 30.0]))
    views = []
    for _ in range(count):
        x = torch.randn(rows, columns, generator=generator, dtype=torch.float64)
        views.append((scale * x).to(dtype))
    return views


layouts = st.sampled_from(sorted(LAYOUTS))
forms = st.sampled_from(sorted(FORMS))
options = st.fixed_dictionaries({
    "distance": st.sampled_from(["euclidean", "squared_euclidean", "cosine"]),
    "selection": st.sampled_from(["min", "max", "random", "none", "soft",
                                  "margin"]),
    "temperature": st.sampled_from([0.1, 1.0, 20.0]),
    "margin": st.sampled_from([0.0, 0.05, 0.5]),
    "seed": st.integers(0, 2**64 - 1),
    "threads": st.integers(1, 3),
})


def arranged(data, views):
    return [FORMS[data.draw(forms)](LAYOUTS[data.draw(layouts)](x))
            for x in views]


def sum_error(dtype, columns):
    """Of a sum of products, relative: a rounding for each term and its sum."""
    return (columns + 4) * DTYPES[max(dtype, torch.float32,
                                      key=lambda d: d.itemsize)]


def check(result, p, z, settings_, dtype):
    """p and z: of the four views of each row, in float64."""
    columns = p[0].shape[1]
    error = sum_error(dtype, columns)
    pair = torch.from_numpy(result.pair).long()
    d = formula.distances(z, settings_["distance"]).detach()
    distance_error = 4 * error * (1 + d.amax(0))
    if settings_["selection"] in ("min", "max", "soft"):
        # As good a choice as the best, but for rounding.
        chosen = d.gather(0, pair[None])[0]
        best = d.amax(0) if settings_["selection"] == "max" else d.amin(0)
        assert ((chosen - best).abs() <= distance_error).all()
    elif settings_["selection"] == "none":
        assert (pair == 4).all()
    elif settings_["selection"] == "margin":
        closest, following = d.sort(0).values[:2]
        gap = (1 - settings_["margin"]) * following - closest
        assert ((gap > 0) == (pair < 4))[gap.abs() > distance_error].all()
        chosen = d.gather(0, pair[None].clamp_max(3))[0]
        assert ((chosen - closest).abs() <= distance_error)[pair < 4].all()
    if settings_["selection"] == "soft":
        # A softmax moves, added up, by no more than its arguments.
        temperature = settings_["temperature"]
        error += (distance_error.amax() / temperature).clamp_max(1).item()
        loss = formula.soft_loss(p, z, settings_["distance"], temperature)
    else:
        loss = formula.loss(p, z, pair)
    assert abs(result.loss - loss.item()) <= 2 * error
    return loss, error


def check_gradient(actual, expected, p, error, dtype, roles=1):
    """No element of dD/dp is larger than 1 / |p|; roles of an image add up."""
    actual = torch.as_tensor(np.asarray(actual, np.float64))
    bound = roles / (len(p) * p.norm(dim=1, keepdim=True).clamp_min(1e-8))
    smallest = 2**-24 if dtype == torch.float16 else 0
    assert ((actual - expected).abs()
            <= (8 * error + DTYPES[dtype]) * bound + smallest).all()


@settings(max_examples=150)
@given(st.data(), batches(8), options)
def test_four_views(data, views, settings_):
    dtype = views[0].dtype
    out = None
    if dtype == torch.bfloat16:
        out = [torch.empty_like(x) for x in views[:4]]
    result = gsg.guided_loss(*arranged(data, views), out=out, **settings_)
    wide = [x.double() for x in views]
    p = [x.requires_grad_() for x in wide[:4]]
    loss, error = check(result, p, wide[4:], settings_, dtype)
    expected = torch.autograd.grad(loss, p)
    for actual, g, x in zip(result.grads, expected, p):
        actual = actual.float() if out else actual
        check_gradient(actual, g, x.detach(), error, dtype)
    assert (result.pair == gsg.select(*views[4:], **settings_)).all()


@settings(max_examples=150)
@given(st.data(), batches(4), options)
def test_shared_views(data, views, settings_):
    dtype, rows = views[0].dtype, len(views[0])
    pairing = data.draw(st.one_of(
        st.permutations(range(rows)),
        st.lists(st.integers(0, rows - 1), min_size=rows, max_size=rows)))
    pairing = np.array(pairing, np.int64)
    out = None
    if dtype == torch.bfloat16:
        out = [torch.empty_like(x) for x in views[:2]]
    result = gsg.guided_loss_shared(*arranged(data, views), pairing, out=out,
                                    **settings_)
    wide = [x.double() for x in views]
    p = [x.requires_grad_() for x in wide[:2]]
    r = torch.from_numpy(pairing)
    loss, error = check(result, formula.of_rows(p, r),
                        formula.of_rows(wide[2:], r), settings_, dtype)
    expected = torch.autograd.grad(loss, p)
    for actual, g, x in zip(result.grads, expected, p):
        actual = actual.float() if out else actual
        roles = 1 + np.bincount(pairing).max()
        check_gradient(actual, g, x.detach(), error, dtype, roles)
    assert (result.pair
            == gsg.select_shared(*views[2:], pairing, **settings_)).all()


@settings(max_examples=30)
@given(st.sampled_from(list(DTYPES)), st.integers(0, 3), forms)
def test_empty(dtype, other, form):
    for rows, columns in ((0, other), (other, 0)):
        x = FORMS[form](torch.empty(rows, columns, dtype=dtype))
        message = f"p1 is {rows} x {columns}; it needs at least one row"
        with pytest.raises(ValueError, match=message):
            gsg.guided_loss_shared(x, x, x, x, np.arange(rows), out=())
        with pytest.raises(ValueError, match="z is .* it needs at least one"):
            gsg.feature_std(x)


@settings(max_examples=60)
@given(st.data(), batches(4), st.integers(0, 3),
       st.sampled_from([np.nan, np.inf, -np.inf]))
def test_values_that_are_not_finite(data, views, which, value):
    row = data.draw(st.integers(0, len(views[0]) - 1))
    column = data.draw(st.integers(0, views[0].shape[1] - 1))
    views[which][row, column] = value
    name = ("p1", "p2", "z1", "z2")[which]
    message = f"{name} has {value} in row {row}, column {column};"
    with pytest.raises(ValueError, match=message):
        gsg.guided_loss_shared(*views, np.arange(len(views[0])), out=())


if __name__ == "__main__":
    run_pytest.main(__file__)
