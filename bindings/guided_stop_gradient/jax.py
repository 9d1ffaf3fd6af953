"""The guided stop-gradient loss as differentiable JAX functions.

    seed = gsg.jax.seed_words(gsg.step_seed(0, step))
    loss = gsg.jax.guided_loss_shared(p1, p2, z1, z2, seed=seed)
    grads = jax.grad(lambda p: gsg.jax.guided_loss_shared(*p, z1, z2))((p1, p2))

Lee & Lee, arXiv 2503.09058; see help(gsg). XLA calls gsg on its own buffers, in
one pass for the loss and its gradient; the functions work under jit, grad and vmap
(row by row of the batch). Shapes, dtypes, the pairing's form and options are checked
when JAX traces; values that gsg rejects raise from where the result is waited for.
threads: of XLA's own threads, at most as many as it has.

They are for JAX's CPU backend, and the loss, in builds with --config=cuda, for NVIDIA
GPUs: there it takes no float64, makes the loss NaN where a value is not finite, and
waits for the seed or the pairing of shared views. Elsewhere XLA says that it has no
implementation.
"""

import functools
from typing import Any, Dict, Optional, Sequence, Tuple, Union, cast

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from guided_stop_gradient import _kernels, _xla
from guided_stop_gradient._arguments import (as_seed, at_most, loss_options,
                                             nearest_options)
from guided_stop_gradient._types import Distance, Selection

__all__ = ["guided_loss", "guided_loss_shared", "nearest_pairing", "seed_words"]

_FOUR = ("p11", "p12", "p21", "p22", "z11", "z12", "z21", "z22")
_SHARED = ("p1", "p2", "z1", "z2")
_Array = Union[jax.Array, NDArray[Any]]
_DTYPES = ("float16", "bfloat16", "float32", "float64")

_GUIDED_LOSS = "guided_stop_gradient.guided_loss"
_NEAREST_PAIRING = "guided_stop_gradient.nearest_pairing"
jax.ffi.register_ffi_target(_GUIDED_LOSS, _xla.guided_loss, platform="cpu")
jax.ffi.register_ffi_target(_NEAREST_PAIRING, _xla.nearest_pairing,
                            platform="cpu")
_cuda = _kernels.load()
if _cuda is not None:
    jax.ffi.register_ffi_target(_GUIDED_LOSS, _cuda.xla_guided_loss,
                                platform="CUDA")


def seed_words(seed: int) -> NDArray[np.uint32]:
    """A seed of 0..2^64-1 as uint32 [2], its low half first.

    For what JAX traces, whose integers have 64 bits with jax_enable_x64 alone:
    without it jax.jit, vmap and scan cut np.uint64 to its low half and say nothing,
    so that the loss is that of another seed; of a Python integer above 2^31-1 jit
    makes an OverflowError. Raises TypeError and ValueError, see help(gsg).
    """
    value = as_seed(seed)
    return np.array([value % 2**32, value >> 32], np.uint32)


def _as_seed(seed: Any) -> jax.Array:
    """Its halves, uint32 [2]: JAX has 64 bits only where it is asked to.

    A third number is 1 if it is negative, which is known when it has a value.
    """
    if isinstance(seed, (jax.Array, np.ndarray)) and seed.shape == (2,):
        if seed.dtype != np.uint32:
            raise TypeError(f"seed is {seed.dtype}[2]; of two words it must be "
                            "uint32, as gsg.jax.seed_words makes them")
        return jnp.pad(seed, (0, 1))
    if not isinstance(seed, jax.core.Tracer):
        return jnp.asarray([*seed_words(seed), 0], np.uint32)
    if seed.shape != () or not jnp.issubdtype(seed.dtype, jnp.integer):
        raise TypeError(f"seed is {seed.dtype}{list(seed.shape)}; it must be an "
                        "integer, or what gsg.jax.seed_words makes of one")
    high = (jax.lax.shift_right_logical(seed, jnp.asarray(32, seed.dtype))
            if seed.dtype.itemsize == 8 else jnp.zeros((), np.uint32))
    return jnp.stack([seed.astype(np.uint32), high.astype(np.uint32),
                      (seed < 0).astype(np.uint32)])


def _check_array(name: str, value: Any, what: str) -> None:
    if not isinstance(value, (jax.Array, np.ndarray)):
        raise TypeError(f"{name} is a value of type {type(value).__name__}; it "
                        f"must be {what}")


def _check(views: Sequence[Any], names: Sequence[str]) -> None:
    """What gsg_core would say when the result is waited for, said at once."""
    first = views[0]
    for name, view in zip(names, views):
        _check_array(name, view, "a JAX or NumPy array")
        if str(view.dtype) not in _DTYPES:
            raise TypeError(f"{name} is {view.dtype}; it must be float16, "
                            "bfloat16, float32 or float64")
        if len(view.shape) != 2:
            raise ValueError(f"{name} has shape {tuple(view.shape)}; it must be "
                             "[N, D]")
        if view.dtype != first.dtype:
            raise TypeError(f"{name} is {view.dtype}; {names[0]} is "
                            f"{first.dtype}; their dtypes must be equal")
        if view.shape != first.shape:
            raise ValueError(
                f"{name} is {view.shape[0]} x {view.shape[1]}; {names[0]} is "
                f"{first.shape[0]} x {first.shape[1]}; their shapes must be "
                "equal")
    if 0 in first.shape:
        raise ValueError(f"{names[0]} is {first.shape[0]} x {first.shape[1]}; "
                         "it needs at least one row and one column")


def _check_local(local_p: Any) -> None:
    if not isinstance(local_p, (Sequence, jax.Array, np.ndarray)):
        raise TypeError(f"local_p is a value of type {type(local_p).__name__}; "
                        "it must be a sequence of arrays")
    if not isinstance(local_p, Sequence) and local_p.ndim != 3:
        raise ValueError(f"local_p has shape {tuple(local_p.shape)}; it must be "
                         "[m, N, D]")


def _as_pairing(pairing: Any, n: int) -> jax.Array:
    _check_array("pairing", pairing, "a JAX or NumPy array of integers")
    if not jnp.issubdtype(pairing.dtype, jnp.integer):
        raise TypeError(f"pairing is {pairing.dtype}; it must be integers")
    if tuple(pairing.shape) != (n,):
        raise ValueError(f"pairing has shape {tuple(pairing.shape)}; it must be "
                         f"[N], and N is {n}")
    if isinstance(pairing, jax.core.Tracer):
        return pairing
    # Here it has values already, whatever the views are.
    values = np.asarray(pairing)
    wrong = np.flatnonzero((values < 0) | (values >= n))
    if len(wrong) > 0:
        raise ValueError(f"pairing[{wrong[0]}] is {values[wrong[0]]}; entries "
                         f"are rows, 0..{n - 1}")
    return jnp.asarray(values.astype(np.int32))


def _widened(views: Sequence[Any]) -> Tuple[jax.Array, ...]:
    """As JAX arrays, float16 as float32.

    A gradient of float16 cannot be kept until the backward pass, which alone
    knows its scale: some are out of its range. JAX rounds it after that.
    """
    arrays = [jnp.asarray(view) for view in views]
    return tuple(x.astype(np.float32) if x.dtype == np.float16 else x
                 for x in arrays)


def guided_loss(p11: _Array, p12: _Array, p21: _Array, p22: _Array,
                z11: _Array, z12: _Array, z21: _Array, z22: _Array,
                *, distance: Distance = "euclidean", selection: Selection = "min",
                temperature: float = 1.0, margin: float = 0.01,
                seed: Any = 0, threads: int = 1) -> jax.Array:
    """gsg.guided_loss as a 0-d array, differentiable in the predictions p.

    All are [N, D], of one floating-point dtype. The gradient in projections z
    is 0 (stop-gradient). The loss is float32, or float64 for float64. float16 is
    computed in float32; values of it that are not finite make loss and gradients
    NaN, so that a step can be skipped. seed: an integer in 0..2^64-1, an array of
    one, or what seed_words makes of one. Each may be traced; but without
    jax_enable_x64 JAX cuts an integer of 64 bits that it traces to 32, which cannot
    be seen here, so that gsg.step_seed needs seed_words there. Other arguments and
    errors as in gsg.guided_loss.
    """
    views = (p11, p12, p21, p22, z11, z12, z21, z22)
    _check(views, _FOUR)
    static = _static(distance, selection, temperature, margin, threads,
                     p11.dtype == np.float16)
    wide = _widened(views)
    return _loss(static, wide[:4], wide[4:], None, _as_seed(seed))


def guided_loss_shared(p1: _Array, p2: _Array, z1: _Array,
                       z2: _Array, pairing: Optional[Any] = None, *,
                       distance: Distance = "euclidean", selection: Selection = "min",
                       temperature: float = 1.0, margin: float = 0.01,
                       seed: Any = 0, threads: int = 1,
                       local_p: Sequence[_Array] = ()) -> jax.Array:
    """gsg.guided_loss_shared as a 0-d array, differentiable in predictions.

    pairing: integers [N] of 0..N-1, such as gsg.jax.nearest_pairing gives. None:
    gsg.pairing(N, seed), so give each training step a seed of its own:
    seed_words(gsg.step_seed(seed, step)). Otherwise as guided_loss.
    """
    _check_local(local_p)
    names = [f"local_p[{k}]" for k in range(len(local_p))]
    _check((p1, p2, z1, z2, *local_p), (*_SHARED, *names))
    static = _static(distance, selection, temperature, margin, threads,
                     p1.dtype == np.float16)
    if pairing is not None:
        pairing = _as_pairing(pairing, p1.shape[0])
    elif p1.shape[0] == 1 and selection != "none":
        raise ValueError("p1 has 1 row, which no other image can be paired "
                         'with: give two, or selection="none"')
    p = _widened((p1, p2, *local_p))
    return _loss(static, p, _widened((z1, z2)), pairing, _as_seed(seed))


def nearest_pairing(z11: _Array, z12: _Array,
                    z21: Optional[_Array] = None,
                    z22: Optional[_Array] = None, *, candidates: int = 16,
                    distance: Distance = "euclidean", seed: Any = 0,
                    threads: int = 1) -> jax.Array:
    """gsg.nearest_pairing as int32 [N], under jit as well.

    seed: as in guided_loss. Other arguments and errors as in
    gsg.nearest_pairing.
    """
    nearest_options(candidates, distance, 0, threads)  # checks them
    if (z21 is None) != (z22 is None):
        raise TypeError("z21 and z22 are the two views of second images: give "
                        "both, or neither")
    z = (z11, z12) if z21 is None else (z11, z12, z21, z22)
    _check(z, _FOUR[4:] if len(z) == 4 else ("z11", "z12"))
    if z11.shape[0] == 1:
        raise ValueError("z11 has 1 row, which no other image can be paired "
                         "with: give two")
    struct: Any = jax.ShapeDtypeStruct  # not annotated by JAX
    call: Any = jax.ffi.ffi_call(
        _NEAREST_PAIRING, struct((*z11.shape[:1], 1), np.int32),  # as in _call
        vmap_method="sequential")
    result: Any = call(
        _as_seed(seed), *(jax.lax.stop_gradient(jnp.asarray(x)) for x in z),
        distance=distance, threads=np.int64(threads),
        candidates=np.int64(at_most(candidates, z11.shape[0])))
    return cast(jax.Array, result.reshape(z11.shape[:1]))


# The options, and whether values that are not finite are no error.
_Static = Tuple[str, str, float, float, int, bool]
_Arrays = Tuple[jax.Array, ...]


def _static(distance: str, selection: str, temperature: float, margin: float,
            threads: int, half: bool) -> _Static:
    checked = loss_options(distance, selection, temperature, margin, 0, threads)
    return (*checked[:4], threads, bool(half))


def _loss_dtype(p: Any) -> Any:
    return np.float64 if p.dtype == np.float64 else np.float32


def _call(static: _Static, wants_grad: bool, p: _Arrays, z: _Arrays,
          pairing: Any, seed: Any) -> Tuple[jax.Array, ...]:
    """The loss and, if wanted, its gradients."""
    distance, selection, temperature, margin, threads, half = static
    struct: Any = jax.ShapeDtypeStruct  # not annotated by JAX
    # [1], and reshaped below: where a concatenation is in a program whose result is
    # that of a foreign function, XLA (jaxlib 0.6.2) reads its attributes as what
    # they are not and aborts the process.
    shapes = [struct((1,), _loss_dtype(p[0]))]
    if wants_grad:
        shapes += [struct(x.shape, x.dtype) for x in p]
    paired = () if pairing is None else (pairing,)
    # Attributes have the types that the handler reads.
    options: Dict[str, Any] = dict(
        distance=distance, selection=selection,
        temperature=np.float64(temperature), margin=np.float64(margin),
        threads=np.int64(threads), half=half, projections=np.int64(len(z)),
        paired=bool(paired))
    call: Any = jax.ffi.ffi_call(_GUIDED_LOSS, tuple(shapes),
                                 vmap_method="sequential")
    loss, *grads = call(seed, *paired, *z, *p, **options)
    return (loss.reshape(()), *grads)


@functools.partial(jax.custom_vjp, nondiff_argnums=(0,))
def _loss(static: _Static, p: _Arrays, z: _Arrays, pairing: Any,
          seed: Any) -> jax.Array:
    return _call(static, False, p, z, pairing, seed)[0]


def _forward(static: _Static, p: _Arrays, z: _Arrays, pairing: Any,
             seed: Any) -> Tuple[jax.Array, Any]:
    loss, *grads = _call(static, True, p, z, pairing, seed)
    return loss, (tuple(grads), z)


def _backward(static: _Static, residuals: Any,
              cotangent: Any) -> Tuple[Any, ...]:
    grads, z = residuals
    # Called by hand, jax.vjp hands over what it was given: 1.0, say.
    cotangent = jnp.asarray(cotangent, _loss_dtype(grads[0]))
    return (tuple((g.astype(cotangent.dtype) * cotangent).astype(g.dtype)
                  for g in grads),
            tuple(jnp.zeros_like(x) for x in z), None, None)


_loss.defvjp(_forward, _backward)
