"""The guided stop-gradient loss and its gradient, for NumPy arrays.

Lee & Lee, "Implicit Contrastive Representation Learning with Guided
Stop-gradient", NeurIPS 2023, arXiv 2503.09058; with selection="none" the loss
of SimSiam, Chen & He, arXiv 2011.10566.

Arrays. p and z are predictions and projections, [N, D], one image or pair of
images per row. They may be anything on the CPU with the buffer protocol or
__dlpack__: NumPy arrays, torch tensors without gradient, JAX arrays. All of a
call are float32, or all float64. Nothing is copied if the elements of each row
are next to each other; rows may be any distance apart. Results are new NumPy
arrays.

Errors. TypeError: an argument is of the wrong type or dtype. ValueError: it has
a wrong shape, is empty, is not on the CPU, is a torch tensor that requires
grad, has a value that is not finite, or is out of its range. The message names
the argument.

Threads. Functions on p and z release the GIL; nothing may write to their
arguments meanwhile. `threads` changes the time taken, never a bit of the
result; the threads are started for the call.
"""

from typing import Any, NamedTuple, Optional, Tuple

import numpy as np
from numpy.typing import NDArray

from gsg import _native
from gsg._arrays import as_integer, as_matrices, as_string, as_vector

__all__ = [
    "GuidedLoss", "effective_rank", "feature_spread", "guided_loss",
    "guided_loss_shared", "pairing", "select", "select_shared", "source_mask"
]

_INT64 = np.dtype(np.int64)
_UINT8 = np.dtype(np.uint8)


class GuidedLoss(NamedTuple):
    """A loss, the choices behind it and its gradient.

    loss: the mean over rows.
    pair: uint8 [N], which two views of each row are sources: 0..3 for (11,21),
        (11,22), (12,21), (12,22), or 4 for all views (selection="none").
    grads: dloss/dp for each p in the order of the arguments, each [N, D] and
        of the arguments' dtype; exactly 0 in rows whose view is no source.
    """

    loss: float
    pair: NDArray[np.uint8]
    grads: Tuple[NDArray[Any], ...]


def guided_loss(p11: Any, p12: Any, p21: Any, p22: Any,
                z11: Any, z12: Any, z21: Any, z22: Any, *,
                distance: str = "euclidean", selection: str = "min",
                seed: int = 0, threads: int = 1) -> GuidedLoss:
    """The loss of N pairs of images with two views each.

    pVW and zVW are view W of image V of each pair, [N, D], float32 or float64.
    With the sources that `selection` names,

        loss = 1/N sum_i 1/2 sum_sources -<p, z'> / (|p| |z'|),

    z' the projection of the other view of the same image, norms below 1e-8
    counted as 1e-8. Projections and choices are constants: the gradient is in
    p alone. Four sources (selection="none") have half the weight each.

    distance: between views of different images; projections are not
        normalised first. "euclidean" (the paper's), "squared_euclidean" or
        "cosine".
    selection: which of the four pairs of views of different images are the
        sources: "min", the closest (the paper's); "max", the farthest;
        "random", by (seed, row); "none", all four views (SimSiam). Ties go to
        the lowest pair.
    seed: 0..2^64-1, of selection="random".
    threads: 1..256.

    Raises TypeError and ValueError, see help(gsg).
    Source: arXiv 2503.09058.
    """
    arrays = as_matrices(p11=p11, p12=p12, p21=p21, p22=p22,
                         z11=z11, z12=z12, z21=z21, z22=z22)
    options = _options(distance, selection, seed, threads)
    return GuidedLoss(*_native.guided_loss(arrays[:4], arrays[4:], options))


def guided_loss_shared(p1: Any, p2: Any, z1: Any, z2: Any,
                       pairing: Optional[Any] = None, *,
                       distance: str = "euclidean", selection: str = "min",
                       seed: int = 0, threads: int = 1) -> GuidedLoss:
    """The loss of N images with two views each, paired among themselves.

    guided_loss with p21 = p1[pairing], p22 = p2[pairing] and z likewise: each
    image is the first of one pair and the second of another, and its gradient
    is the sum of both roles. Half the encoder passes of guided_loss.

    p1, p2, z1, z2: [N, D], float32 or float64.
    pairing: int64 [N], a permutation of 0..N-1. None: gsg.pairing(N, seed), so
        give each training step a seed of its own.
    distance, selection, seed, threads: as in guided_loss.

    Raises TypeError and ValueError, see help(gsg).
    Source: arXiv 2503.09058; sharing views between pairs is this library's.
    """
    p1, p2, z1, z2 = as_matrices(p1=p1, p2=p2, z1=z1, z2=z2)
    options = _options(distance, selection, seed, threads)
    if pairing is None:
        second = _native.pairing(len(p1), options[2], "cyclic")
    else:
        second = as_vector("pairing", pairing, _INT64)
    return GuidedLoss(
        *_native.guided_loss_shared((p1, p2), (z1, z2), second, options))


def select(z11: Any, z12: Any, z21: Any, z22: Any, *,
           distance: str = "euclidean", selection: str = "min",
           seed: int = 0, threads: int = 1) -> NDArray[np.uint8]:
    """GuidedLoss.pair of guided_loss, uint8 [N], from projections alone.

    Arguments and errors as in guided_loss.
    """
    arrays = as_matrices(z11=z11, z12=z12, z21=z21, z22=z22)
    return _native.select(arrays,
                          _options(distance, selection, seed, threads))


def select_shared(z1: Any, z2: Any, pairing: Any, *,
                  distance: str = "euclidean", selection: str = "min",
                  seed: int = 0, threads: int = 1) -> NDArray[np.uint8]:
    """GuidedLoss.pair of guided_loss_shared, uint8 [N], from projections alone.

    Arguments and errors as in guided_loss_shared; `pairing` is not optional.
    """
    arrays = as_matrices(z1=z1, z2=z2)
    return _native.select_shared(arrays, as_vector("pairing", pairing, _INT64),
                                 _options(distance, selection, seed, threads))


def source_mask(pair: Any) -> NDArray[np.uint8]:
    """Which views are sources: uint8 [N, 4], 1 or 0, views 11, 12, 21, 22.

    pair: uint8 [N] of values 0..4, as in GuidedLoss. Raises TypeError and
    ValueError, see help(gsg).
    """
    return _native.source_mask(as_vector("pair", pair, _UINT8))


def pairing(n: int, seed: int = 0, kind: str = "cyclic") -> NDArray[np.int64]:
    """Which image is the second image of each row: a permutation, int64 [n].

    The same on every platform.

    kind: "cyclic", one cycle through all images in a random order, so that no
        image is its own second image; n >= 2. "random", a uniform permutation,
        which may have fixed points (the paper's authors); n >= 1.
    seed: 0..2^64-1.

    Raises TypeError and ValueError, see help(gsg).
    """
    return _native.pairing(as_integer("n", n, 0, 2**63 - 1), _seed(seed),
                           as_string("kind", kind))


def feature_spread(z: Any) -> float:
    """How evenly the rows of z point in all directions: 1 evenly, 0 all alike.

    sqrt(D) times the mean over dimensions of the standard deviation (divisor N)
    of z / max(|z|, 1e-8): a sign of collapse if near 0.

    z: [N, D], float32, or float64 in float32's range, to which it is rounded.

    Raises TypeError and ValueError, see help(gsg).
    Source: arXiv 2011.10566, section 4.1.
    """
    return _native.feature_spread(_as_float32(z))


def effective_rank(z: Any) -> float:
    """Over how many dimensions the rows of z spread: 1 to min(N - 1, D).

    exp of the entropy of the eigenvalues of the covariance of the rows, divided
    by their sum; 0 if all rows are equal. A sign of collapse if low.

    z: [N, D], float32, or float64 in float32's range, to which it is rounded.

    Raises TypeError and ValueError, see help(gsg).
    Source: Roy & Vetterli, EUSIPCO 2007, on the centred covariance.
    """
    return _native.effective_rank(_as_float32(z))


def _seed(seed: int) -> int:
    return as_integer("seed", seed, 0, 2**64 - 1)


def _options(distance: str, selection: str, seed: int,
             threads: int) -> Tuple[str, str, int, int]:
    return (as_string("distance", distance), as_string("selection", selection),
            _seed(seed), as_integer("threads", threads, 1, 256))


def _as_float32(z: Any) -> np.ndarray:
    matrix, = as_matrices(z=z)
    return matrix.astype(np.float32, copy=False)
