"""gsg.jax through the kernels of //cuda, which a host emulates here.

XLA's handler for a GPU is compiled, and needs one. What it does with the buffers is
done here for those of JAX's CPU backend.
"""

import importlib.util
import os
import pathlib
import subprocess
import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import export
from jax.experimental import enable_x64

import guided_stop_gradient as gsg
import guided_stop_gradient.jax
from tests.bindings import run_pytest

FOLDER = pathlib.Path(os.environ["TEST_SRCDIR"], "gsg/tests/bindings/emulated")
SELECTIONS = ("min", "max", "random", "none", "soft", "margin")


def load(name):
    path, = FOLDER.glob(f"{name}.*so")
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


EMULATED = load("_emulated_xla")
jax.ffi.register_ffi_target("emulated.guided_loss", EMULATED.guided_loss,
                            platform="cpu")


@pytest.fixture(autouse=True)
def emulated(monkeypatch):
    monkeypatch.setattr(gsg.jax, "_GUIDED_LOSS", "emulated.guided_loss")
    jax.clear_caches()
    EMULATED.waits()


def some_views(count, n=9, d=24, dtype=jnp.float32):
    rng = np.random.default_rng(count)
    return [jnp.asarray(x, dtype) for x in rng.standard_normal((count, n, d))]


def check(function, expected, views, *pairing, local=(), **options):
    """Value and gradient, under jit, are those of gsg_core."""
    half = len(views) // 2

    @jax.jit
    def step(p, local, z, seed):
        def loss(p, local):
            more = dict(local_p=local) if local else {}
            return 3 * function(*p, *z, *pairing, seed=seed, **more, **options)

        return jax.value_and_grad(loss, argnums=(0, 1))(p, local)

    value, grads = step(tuple(views[:half]), tuple(local), tuple(views[half:]),
                        np.uint32(7))
    more = dict(local_p=list(local)) if local else {}
    result = expected(*views, *pairing, seed=7, **more, **options)
    assert float(value) == pytest.approx(3 * result.loss, abs=1e-5)
    epsilon = float(jnp.finfo(views[0].dtype).eps)
    for actual, g in zip((*grads[0], *grads[1]), result.grads):
        assert actual.dtype == views[0].dtype
        g = 3 * np.asarray(g, np.float64)
        np.testing.assert_allclose(np.asarray(actual, np.float64), g, rtol=0,
                                   atol=4 * max(epsilon, 2**-19) * abs(g).max())


@pytest.mark.parametrize("dtype", (jnp.float16, jnp.bfloat16, jnp.float32))
@pytest.mark.parametrize("selection", SELECTIONS)
def test_is_the_core(dtype, selection):
    options = dict(selection=selection, temperature=0.3, margin=0.1)
    for distance in ("euclidean", "squared_euclidean", "cosine"):
        check(gsg.jax.guided_loss, gsg.guided_loss, some_views(8, dtype=dtype),
              distance=distance, **options)
        check(gsg.jax.guided_loss_shared, gsg.guided_loss_shared,
              some_views(4, dtype=dtype), distance=distance, **options)


def test_what_is_waited_for():
    views = some_views(8)
    jax.block_until_ready(gsg.jax.guided_loss(*views, selection="random", seed=3))
    assert EMULATED.waits() == 0
    for arguments in ((), (gsg.pairing(9, seed=1),)):
        jax.block_until_ready(gsg.jax.guided_loss_shared(*views[:4], *arguments))
        assert EMULATED.waits() == 1


def test_pairings():
    check(gsg.jax.guided_loss_shared, gsg.guided_loss_shared, some_views(4),
          np.array([1, 1, 1, 0, 0, 8, 8, 2, 3]))
    views = some_views(4)
    step = jax.jit(lambda r: gsg.jax.guided_loss_shared(*views, r))
    expected = step(jnp.arange(9) // 2)
    for dtype in ("int8", "int16", "uint8", "uint16", "uint32"):
        assert step(jnp.asarray(jnp.arange(9) // 2, dtype)) == expected
    with pytest.raises(Exception, match=r"pairing\[2\] is -1"):
        step(jnp.arange(9).at[2].set(-1)).block_until_ready()
    check(gsg.jax.guided_loss_shared, gsg.guided_loss_shared,
          some_views(4, n=1), selection="none")


def test_every_seed():
    views = some_views(4)
    for seed in (0, 2**32, 2**63, 2**64 - 1):
        expected = gsg.guided_loss_shared(*views, seed=seed).loss
        actual = gsg.jax.guided_loss_shared(*views, seed=seed)
        assert float(actual) == pytest.approx(expected, abs=1e-6)
    step = jax.jit(lambda seed: gsg.jax.guided_loss_shared(*views, seed=seed))
    with pytest.raises(Exception, match="seed is negative"):
        step(jnp.int32(-1)).block_until_ready()


def test_local_crops():
    p1, p2, z1, z2, *local = some_views(7)
    check(gsg.jax.guided_loss_shared, gsg.guided_loss_shared, [p1, p2, z1, z2],
          local=local)
    with pytest.raises(Exception, match="local_p has 17 matrices"):
        gsg.jax.guided_loss_shared(p1, p2, z1, z2,
                                   local_p=17 * [p1]).block_until_ready()


def test_vmap():
    batches = [jnp.stack(some_views(3 + k)[:3]) for k in range(4)]
    losses = jax.jit(jax.vmap(gsg.jax.guided_loss_shared))(*batches)
    for k, loss in enumerate(losses):
        expected = gsg.guided_loss_shared(*(b[k] for b in batches)).loss
        assert float(loss) == pytest.approx(expected, abs=1e-6)


def test_a_value_that_is_not_finite_makes_the_loss_nan():
    p1, p2, z1, z2 = some_views(4)
    assert jnp.isnan(gsg.jax.guided_loss_shared(p1, p2.at[1, 3].set(jnp.nan), z1,
                                                z2))


def test_float64_is_refused():
    with enable_x64():
        with pytest.raises(Exception, match="or float32 on a GPU"):
            gsg.jax.guided_loss_shared(
                *some_views(4, dtype=jnp.float64)).block_until_ready()


def test_is_registered_where_it_is_built_in():
    # In a process of its own: gsg.jax registers when it is imported.
    path, = FOLDER.glob("_cuda.*so")
    program = f"""
import importlib.util, sys
spec = importlib.util.spec_from_file_location("_cuda", {str(path)!r})
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
if sys.argv[1] == "built in":
    sys.modules["guided_stop_gradient._cuda"] = module
import jax
register, calls = jax.ffi.register_ffi_target, []
def record(name, handler, platform):
    calls.append((name, platform, handler is module.xla_guided_loss))
    register(name, handler, platform=platform)
jax.ffi.register_ffi_target = record
import guided_stop_gradient.jax
print(calls)
"""
    always = [("guided_stop_gradient.guided_loss", "cpu", False),
              ("guided_stop_gradient.nearest_pairing", "cpu", False)]
    cuda = ("guided_stop_gradient.guided_loss", "CUDA", True)
    for argument, expected in (("built in", [*always, cuda]), ("not", always)):
        if argument == "not" and gsg.jax._cuda is not None:
            continue  # with --config=cuda
        output = subprocess.check_output([sys.executable, "-c", program, argument],
                                         text=True)
        assert output == f"{expected}\n"


def test_is_lowered_for_a_gpu(monkeypatch):
    monkeypatch.undo()  # the name that is registered for a GPU
    exported = export.export(
        jax.jit(jax.value_and_grad(gsg.jax.guided_loss_shared)),
        platforms=["cuda"],
        disabled_checks=[export.DisabledSafetyCheck.custom_call(
            "guided_stop_gradient.guided_loss")])(*some_views(4))
    text = exported.mlir_module()
    assert "@guided_stop_gradient.guided_loss" in text
    assert "callback" not in text


if __name__ == "__main__":
    run_pytest.main(__file__)
