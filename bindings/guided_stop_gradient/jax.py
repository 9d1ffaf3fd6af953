"""The guided stop-gradient loss as differentiable JAX functions.

    loss = gsg.jax.guided_loss_shared(p1, p2, z1, z2, seed=step)
    grads = jax.grad(lambda p: gsg.jax.guided_loss_shared(*p, z1, z2))((p1, p2))

Lee & Lee, arXiv 2503.09058; see help(gsg). gsg computes on the host, by
jax.pure_callback, in one pass for the loss and its gradient; the functions work
under jit, grad and vmap (row by row of the batch). Arrays on an accelerator are
copied to the host and back. Values that gsg rejects raise from where the result
is waited for.
"""

import functools
from typing import Any, Optional, Sequence, Tuple

import jax
import jax.numpy as jnp
import numpy as np

from guided_stop_gradient import _native
from guided_stop_gradient._arguments import loss_options, nearest_options

__all__ = ["guided_loss", "guided_loss_shared", "nearest_pairing"]

_SEED = np.dtype(np.uint32)


def guided_loss(p11: jax.Array, p12: jax.Array, p21: jax.Array, p22: jax.Array,
                z11: jax.Array, z12: jax.Array, z21: jax.Array, z22: jax.Array,
                *, distance: str = "euclidean", selection: str = "min",
                temperature: float = 1.0, margin: float = 0.01,
                seed: Any = 0, threads: int = 1) -> jax.Array:
    """gsg.guided_loss as a 0-d array, differentiable in the predictions p.

    All are [N, D], of one floating-point dtype. The gradient in projections z
    is 0 (stop-gradient). The loss is float32, or float64 for float64. seed: an
    integer in 0..2^32-1, or an array of one, which may be traced. Other
    arguments and errors as in gsg.guided_loss.
    """
    static = _static(distance, selection, temperature, margin, threads)
    return _loss(static, (p11, p12, p21, p22), (z11, z12, z21, z22), None,
                 jnp.asarray(seed, _SEED))


def guided_loss_shared(p1: jax.Array, p2: jax.Array, z1: jax.Array,
                       z2: jax.Array, pairing: Optional[Any] = None, *,
                       distance: str = "euclidean", selection: str = "min",
                       temperature: float = 1.0, margin: float = 0.01,
                       seed: Any = 0, threads: int = 1,
                       local_p: Sequence[jax.Array] = ()) -> jax.Array:
    """gsg.guided_loss_shared as a 0-d array, differentiable in predictions.

    pairing: integers [N] of 0..N-1, such as gsg.jax.nearest_pairing gives. None:
    gsg.pairing(N, seed), so give each training step a seed of its own. Otherwise
    as guided_loss.
    """
    static = _static(distance, selection, temperature, margin, threads)
    if pairing is not None:
        pairing = jnp.asarray(pairing)
    return _loss(static, (p1, p2, *local_p), (z1, z2), pairing,
                 jnp.asarray(seed, _SEED))


def nearest_pairing(z11: jax.Array, z12: jax.Array,
                    z21: Optional[jax.Array] = None,
                    z22: Optional[jax.Array] = None, *, candidates: int = 16,
                    distance: str = "euclidean", seed: Any = 0,
                    threads: int = 1) -> jax.Array:
    """gsg.nearest_pairing as int32 [N], under jit as well. seed: as above."""
    nearest_options(candidates, distance, 0, threads)  # checks them
    if (z21 is None) != (z22 is None):
        raise TypeError("z21 and z22 are the two views of second images: give "
                        "both, or neither")
    z = (z11, z12) if z21 is None else (z11, z12, z21, z22)
    struct: Any = jax.ShapeDtypeStruct

    def on_host(seed: Any, *z: Any) -> Any:
        options = nearest_options(candidates, distance, int(seed), threads)
        pairing = _native.nearest_pairing(tuple(map(np.asarray, z)), options)
        return pairing.astype(np.int32)

    result: jax.Array = jax.pure_callback(
        on_host, struct(z11.shape[:1], np.int32), jnp.asarray(seed, _SEED),
        *map(jax.lax.stop_gradient, z), vmap_method="sequential")
    return result


_Static = Tuple[str, str, float, float, int]
_Arrays = Tuple[jax.Array, ...]


def _static(distance: str, selection: str, temperature: float, margin: float,
            threads: int) -> _Static:
    checked = loss_options(distance, selection, temperature, margin, 0, threads)
    return (*checked[:4], threads)


def _grad_scale(p: Any) -> float:
    # As in gsg.torch: the gradients of a mean are below float16's range.
    return float(p.shape[0]) if p.dtype == np.float16 else 1.0


def _loss_dtype(p: Any) -> Any:
    return np.float64 if p.dtype == np.float64 else np.float32


def _on_host(static: _Static, wants_grad: bool, p: Any, z: Any, pairing: Any,
             seed: Any) -> Tuple[Any, ...]:
    """The loss and, if wanted, its gradients times _grad_scale."""
    p, z = tuple(map(np.asarray, p)), tuple(map(np.asarray, z))
    distance, selection, temperature, margin, threads = static
    options = loss_options(distance, selection, temperature, margin, int(seed),
                           threads, _grad_scale(p[0]))
    out = None if wants_grad else ()
    if len(z) == 4:
        loss, _, grads = _native.guided_loss((*p, *z), options, out)
    else:
        if pairing is not None:
            pairing = np.asarray(pairing).astype(np.int64)
        loss, _, grads = _native.guided_loss_shared(
            (*p[:2], *z), pairing, options, out, p[2:])
    return (np.asarray(loss, _loss_dtype(p[0])), *grads)


def _call(static: _Static, wants_grad: bool, p: _Arrays, z: _Arrays,
          pairing: Any, seed: Any) -> Tuple[jax.Array, ...]:
    struct: Any = jax.ShapeDtypeStruct  # not annotated by JAX
    shapes = [struct((), _loss_dtype(p[0]))]
    if wants_grad:
        shapes += [struct(x.shape, x.dtype) for x in p]
    callback = functools.partial(_on_host, static, wants_grad)
    results: Tuple[jax.Array, ...] = jax.pure_callback(
        callback, tuple(shapes), p, z, pairing, seed, vmap_method="sequential")
    return results


@functools.partial(jax.custom_vjp, nondiff_argnums=(0,))
def _loss(static: _Static, p: _Arrays, z: _Arrays, pairing: Any,
          seed: Any) -> jax.Array:
    return _call(static, False, p, z, pairing, seed)[0]


def _forward(static: _Static, p: _Arrays, z: _Arrays, pairing: Any,
             seed: Any) -> Tuple[jax.Array, Any]:
    loss, *grads = _call(static, True, p, z, pairing, seed)
    return loss, (tuple(grads), z)


def _backward(static: _Static, residuals: Any,
              cotangent: jax.Array) -> Tuple[Any, ...]:
    grads, z = residuals
    scale = cotangent / _grad_scale(grads[0])
    return (tuple((g.astype(scale.dtype) * scale).astype(g.dtype)
                  for g in grads),
            tuple(jnp.zeros_like(x) for x in z), None, None)


_loss.defvjp(_forward, _backward)
