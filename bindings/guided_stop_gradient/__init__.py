"""The guided stop-gradient loss and its gradient, for arrays on the CPU.

Lee & Lee, "Implicit Contrastive Representation Learning with Guided
Stop-gradient", NeurIPS 2023, arXiv 2503.09058; with selection="none" the loss
of SimSiam, Chen & He, arXiv 2011.10566. gsg.torch has it as a PyTorch module,
gsg.jax as a differentiable function; this package imports torch or jax when one
of these is first used.

Arrays. p and z are predictions and projections, [N, D], one image or pair of
images per row. They may be anything on the CPU with the buffer protocol or
__dlpack__: NumPy arrays, torch tensors without gradient, JAX arrays. All of a
call are float16, bfloat16, float32 or float64; sums over 16-bit values are
taken in float32. Nothing is copied if the elements of each row are next to each
other; rows may be any distance apart. Results are new NumPy arrays, or written
where `out` says.

Errors. TypeError: an argument is of the wrong type or dtype. ValueError: it has
a wrong shape, is empty, is not on the CPU, is a torch tensor that requires
grad, has a value that is not finite, or is out of its range. The message names
the argument.

Threads. Functions on p and z release the GIL; nothing may write to their
arguments meanwhile. `threads` changes the time taken, never a bit of the
result.
"""

import importlib
from typing import (TYPE_CHECKING, Any, Literal, NamedTuple, Optional, Sequence,
                    Tuple)

import numpy as np
from numpy.typing import NDArray

from guided_stop_gradient import _native
from guided_stop_gradient._arguments import (
    as_integer, as_one_of, as_seed, as_sequence, as_string, loss_options,
    nearest_options)
from guided_stop_gradient._runs import Run, train
from guided_stop_gradient._types import (ArrayLike, Distance, PairingLike,
                                         Selection)

__all__ = [
    "GuidedLoss", "Run", "effective_rank", "feature_std", "guided_loss",
    "guided_loss_shared", "nearest_pairing", "pairing", "select",
    "select_shared", "source_mask", "step_seed", "train"
]
__version__ = _native.version

if TYPE_CHECKING:
    from guided_stop_gradient import jax as jax, torch as torch
else:

    def __getattr__(name):
        # The two that need a framework, where they are used.
        if name in ("jax", "torch"):
            return importlib.import_module(f"{__name__}.{name}")
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


class GuidedLoss(NamedTuple):
    """A loss, the choices behind it and its gradient.

    loss: the mean over rows.
    pair: uint8 [N], which two views of each row are sources: 0..3 for (11,21),
        (11,22), (12,21), (12,22), or 4 for all views (selection="none", or
        "margin" where no pair is clearly the closest). With selection="soft"
        all views are, and this is the most probable pair.
    grads: dloss/dp for each p in the order of the arguments, each [N, D] and
        of the arguments' dtype; exactly 0 in rows whose view is no source.
        float16 has a short range: gradients below 6e-8 are 0 in it.
    """

    loss: float
    pair: NDArray[np.uint8]
    grads: Tuple[NDArray[Any], ...]


def guided_loss(p11: ArrayLike, p12: ArrayLike, p21: ArrayLike, p22: ArrayLike,
                z11: ArrayLike, z12: ArrayLike, z21: ArrayLike, z22: ArrayLike,
                *, distance: Distance = "euclidean", selection: Selection = "min",
                temperature: float = 1.0, margin: float = 0.01,
                seed: int = 0, threads: int = 1,
                out: Optional[Sequence[ArrayLike]] = None) -> GuidedLoss:
    """The loss of N pairs of images with two views each.

    pVW and zVW are view W of image V of each pair, [N, D], floating-point.
    With the sources that `selection` names,

        loss = 1/N sum_i 1/2 sum_sources -<p, z'> / (|p| |z'|),

    z' the projection of the other view of the same image, norms below 1e-8
    counted as 1e-8. Projections and choices are constants: the gradient is in
    p alone. Four sources (selection="none") have half the weight each.

    distance: between views of different images; projections are not
        normalized first. "euclidean" (the paper's), "squared_euclidean" or
        "cosine".
    selection: which of the four pairs of views of different images are the
        sources: "min", the closest (the paper's); "max", the farthest;
        "random", by (seed, row); "none", all four views (SimSiam). Ties go to
        the lowest pair. "soft": pairs have probabilities proportional to
        exp(-distance / temperature), and a view the weight of how likely it is
        a source: "min" for temperatures near 0, "none" for large ones.
        "margin": "min" in rows whose closest pair is closer than each other by
        more than the part `margin`, "none" in the others.
    temperature: above 0, of selection="soft", in units of the distance.
    margin: from 0 to below 1, of selection="margin".
    seed: 0..2^64-1, of selection="random".
    threads: 1..256.
    out: four arrays like p to write the gradients to, which become the result's
        grads. None: new NumPy arrays; for bfloat16 of the argument's own NumPy
        dtype, or that of ml_dtypes. (): no gradients, for the loss alone.

    Raises TypeError and ValueError, see help(gsg).
    Source: arXiv 2503.09058.
    """
    options = loss_options(distance, selection, temperature, margin, seed,
                           threads)
    return GuidedLoss(*_native.guided_loss(
        (p11, p12, p21, p22, z11, z12, z21, z22), options, out))


def guided_loss_shared(p1: ArrayLike, p2: ArrayLike, z1: ArrayLike,
                       z2: ArrayLike, pairing: Optional[PairingLike] = None, *,
                       distance: Distance = "euclidean", selection: Selection = "min",
                       temperature: float = 1.0, margin: float = 0.01,
                       seed: int = 0, threads: int = 1,
                       out: Optional[Sequence[ArrayLike]] = None,
                       local_p: Sequence[ArrayLike] = ()) -> GuidedLoss:
    """The loss of N images with two views each, paired among themselves.

    guided_loss with p21 = p1[pairing], p22 = p2[pairing] and z likewise: each
    image is the first of one pair and the second of others, in a permutation of
    one, and its gradient is the sum of these roles. Half the encoder passes of
    guided_loss.

    p1, p2, z1, z2: [N, D], floating-point.
    pairing: [N] of 0..N-1: a permutation (gsg.pairing) or any other map
        (gsg.nearest_pairing), of any integers that int64 holds, or a list of
        them. None: gsg.pairing(N, seed), so give each training
        step a seed of its own (gsg.step_seed). A single image with
        selection="none" needs no other.
    distance, selection, temperature, margin, seed, threads: as in guided_loss.
    out: two arrays, as in guided_loss, and one for each of local_p.
    local_p: multi-crop: predictions of further, smaller views of each image,
        [N, D] each. They predict the two large views with the weights that
        these have as targets, and are no targets themselves; all sources count
        alike, so that the loss is a mean over 1 + m terms an image. The result's
        grads are of p1, p2 and these.

    Raises TypeError and ValueError, see help(gsg).
    Source: arXiv 2503.09058; sharing views between pairs is this library's.
    """
    options = loss_options(distance, selection, temperature, margin, seed,
                           threads)
    return GuidedLoss(*_native.guided_loss_shared(
        (p1, p2, z1, z2), pairing, options, out,
        as_sequence("local_p", local_p)))


def select(z11: ArrayLike, z12: ArrayLike, z21: ArrayLike, z22: ArrayLike, *,
           distance: Distance = "euclidean", selection: Selection = "min",
           temperature: float = 1.0, margin: float = 0.01, seed: int = 0,
           threads: int = 1) -> NDArray[np.uint8]:
    """GuidedLoss.pair of guided_loss, uint8 [N], from projections alone.

    Arguments and errors as in guided_loss.
    """
    options = loss_options(distance, selection, temperature, margin, seed,
                           threads)
    return _native.select((z11, z12, z21, z22), options)


def select_shared(z1: ArrayLike, z2: ArrayLike, pairing: PairingLike, *,
                  distance: Distance = "euclidean", selection: Selection = "min",
                  temperature: float = 1.0, margin: float = 0.01, seed: int = 0,
                  threads: int = 1) -> NDArray[np.uint8]:
    """GuidedLoss.pair of guided_loss_shared, uint8 [N], from projections alone.

    Arguments and errors as in guided_loss_shared; `pairing` is not optional.
    """
    options = loss_options(distance, selection, temperature, margin, seed,
                           threads)
    return _native.select_shared((z1, z2), pairing, options)


def source_mask(pair: ArrayLike) -> NDArray[np.uint8]:
    """Which views are sources: uint8 [N, 4], 1 or 0, views 11, 12, 21, 22.

    pair: uint8 [N] of values 0..4, as in GuidedLoss; of selection="soft", where
    all views are, it marks the most probable pair. Raises TypeError and
    ValueError, see help(gsg).
    """
    return _native.source_mask(pair)


def pairing(n: int, seed: int = 0,
            kind: Literal["cyclic", "random"] = "cyclic") -> NDArray[np.int64]:
    """Which image is the second image of each row: a permutation, int64 [n].

    The same on every platform.

    kind: "cyclic", one cycle through all images in a random order, so that no
        image is its own second image; n >= 2. "random", a uniform permutation,
        which may have fixed points (the paper's authors); n >= 1.
    seed: 0..2^64-1.

    Raises TypeError and ValueError, see help(gsg); MemoryError if there is none
    for n numbers.
    """
    if as_string("kind", kind) == "nearest":
        raise ValueError('kind is "nearest", which is made from projections: '
                         "use gsg.nearest_pairing")
    return _native.pairing(as_integer("n", n, 0, 2**63 - 1), as_seed(seed),
                           as_one_of("kind", kind, ("cyclic", "random")))


def nearest_pairing(z11: ArrayLike, z12: ArrayLike,
                    z21: Optional[ArrayLike] = None,
                    z22: Optional[ArrayLike] = None, *, candidates: int = 16,
                    distance: Distance = "euclidean", seed: int = 0,
                    threads: int = 1) -> NDArray[np.int64]:
    """The closest of some other images as the second image of each row.

    int64 [N]: a map, no permutation, since many images may have the same second
    one. Two images are as far apart as their closest views.

    z11, z12: projections of the two views of each image, [N, D].
    z21, z22: of the views that an image shows as a second image, row j those of
        image j; guided_loss then takes p21[r], z21[r] and so on, r the result.
        None: the same as z11 and z12, for guided_loss_shared(..., pairing=r).
    candidates: how many others the closest is taken from, drawn for each row by
        (seed, row): 1, a random one, to N - 1, all; more are N - 1, since the
        last batch may be short. Ties go to the lowest image.
    distance, seed, threads: as in guided_loss.

    Raises TypeError and ValueError, see help(gsg).
    """
    if (z21 is None) != (z22 is None):
        raise TypeError("z21 and z22 are the two views of second images: give "
                        "both, or neither")
    z = (z11, z12) if z21 is None else (z11, z12, z21, z22)
    return _native.nearest_pairing(
        z, nearest_options(candidates, distance, seed, threads))


def step_seed(seed: int, step: int) -> int:
    """A seed of its own, 0..2^64-1, for each step of a run with `seed`.

    What this library's trainer and gsg.torch draw a step's pairing with. Both
    arguments are 0..2^64-1. Under jax.jit, which may cut it to 32 bits:
    gsg.jax.seed_words of it. Raises TypeError and ValueError, see help(gsg).
    Source: the SplitMix64 generator, Steele et al., OOPSLA 2014.
    """
    return _native.step_seed(as_seed(seed),
                             as_integer("step", step, 0, 2**64 - 1))


def feature_std(z: ArrayLike) -> float:
    """How evenly the rows of z point in all directions: 1 evenly, 0 all alike.

    sqrt(D) times the mean over dimensions of the standard deviation (divisor N)
    of z / max(|z|, 1e-8): a sign of collapse if near 0.

    z: [N, D], floating-point; float64 is rounded to float32.

    Raises TypeError and ValueError, see help(gsg).
    Source: arXiv 2011.10566, section 4.1.
    """
    return _native.feature_std(z)


feature_spread = feature_std  # its name in 0.1.0


def effective_rank(z: ArrayLike) -> float:
    """Over how many dimensions the rows of z spread: 1 to min(N - 1, D).

    exp of the entropy of the eigenvalues of the covariance of the rows, divided
    by their sum; 0 if all rows are equal. A sign of collapse if low.

    z: [N, D], floating-point; float64 is rounded to float32.

    Raises TypeError and ValueError, see help(gsg).
    Source: Roy & Vetterli, EUSIPCO 2007, on the centered covariance.
    """
    return _native.effective_rank(z)
