"""The loss of gsg in torch operations, on any device: the result of gsg_core.

What tensors are computed with where no kernels of this library serve.
"""

from typing import List, NamedTuple, Optional, Sequence, Tuple

import torch
from torch import Tensor

from guided_stop_gradient import _native

_NORM_EPSILON = 1e-8

# Views 11, 12, 21, 22 of a row: pairs 0..3 of views of different images.
_PAIRS = ((0, 2), (0, 3), (1, 2), (1, 3))


def _norm(x: Tensor) -> Tensor:
    norm: Tensor = x.norm(dim=1, keepdim=True)
    return norm


def _clamped_norm(x: Tensor) -> Tensor:
    return _norm(x).clamp_min(_NORM_EPSILON)


def _cosine_distances(z: Sequence[Tensor]) -> Tensor:
    # With units u and v, 1 - <u, v> is ||u - v||^2 / 2, in which nothing cancels where
    # they are nearly parallel. A clamped norm leaves less than a unit.
    norms = [_norm(x) for x in z]
    units = [x / norm.clamp_min(_NORM_EPSILON) for x, norm in zip(z, norms)]
    missing = [torch.where(norm < _NORM_EPSILON, (1 - _norm(unit)**2) / 2, 0.0)[:, 0]
               for norm, unit in zip(norms, units)]
    distances = torch.stack([_norm(units[a] - units[b])[:, 0]**2 / 2
                             + missing[a] + missing[b] for a, b in _PAIRS])
    return torch.where(distances < 2.0**-46, 0.0, distances)


def _distances(z: Sequence[Tensor], distance: str) -> Tensor:
    """[4, N]; of four views."""
    if distance == "cosine":
        return _cosine_distances(z)
    distances = torch.stack([_norm(z[a] - z[b])[:, 0] for a, b in _PAIRS])
    return distances if distance == "euclidean" else distances**2


class Selection(NamedTuple):
    """How the sources are chosen: arguments of gsg.guided_loss."""

    name: str
    temperature: float
    margin: float
    seed: int


def _choose(z: Sequence[Tensor], distance: str,
            selection: Selection) -> Tuple[Tensor, Tensor]:
    """The pair of each row, uint8 [N], and the weights of its views, [4, N]."""
    n = z[0].shape[0]
    if selection.name == "none":
        pair = torch.full((n,), 4, dtype=torch.uint8, device=z[0].device)
        return pair, _weights(pair)
    if selection.name == "random":
        pair = torch.from_numpy(_native.random_pairs(n, selection.seed))
        pair = pair.to(z[0].device, non_blocking=True)
        return pair, _weights(pair)
    distances = _distances(z, distance)
    best = (distances.argmax(0) if selection.name == "max" else
            distances.argmin(0))
    pair = best.to(torch.uint8)
    if selection.name == "margin":
        closest, following = distances.sort(0).values[:2]
        clear = closest < (1 - selection.margin) * following
        pair = torch.where(clear, pair, 4)
    if selection.name == "soft":
        q = torch.softmax(-distances / selection.temperature, 0)
        return pair, torch.stack([q[0] + q[1], q[2] + q[3], q[0] + q[2],
                                  q[1] + q[3]])
    return pair, _weights(pair)


def _weights(pair: Tensor) -> Tensor:
    """Of the views of each row, [4, N]: 1 for a source, 1/2 where all are."""
    first, second = pair // 2, pair % 2
    masks = torch.stack([first == 0, first == 1, second == 0, second == 1])
    return torch.where(pair == 4, 0.5, masks.to(torch.float32))


def _view(p: Tensor, z: Tensor, weight: Tensor) -> Tuple[Tensor, Tensor]:
    """sum weight/2 D(p, z) and its gradient in p; weight is [N]."""
    half = weight[:, None].to(p.dtype) / 2
    p_norm = _norm(p)
    clamped = p_norm.clamp_min(_NORM_EPSILON)
    p_unit, z_unit = p / clamped, z / _clamped_norm(z)
    cosine = (p_unit * z_unit).sum(dim=1, keepdim=True)
    # Below the smallest norm the denominator is constant.
    direction = torch.where(p_norm < _NORM_EPSILON, 0.0, cosine * p_unit)
    return -(half * cosine).sum(), half * (direction - z_unit) / clamped


def nearest_pairing(z1: Tensor, z2: Tensor, distance: str, candidates: int,
                    seed: int) -> Tensor:
    """gsg.nearest_pairing of two views, int64 [N] on their device."""
    wide = torch.float64 if z1.dtype == torch.float64 else torch.float32
    z1, z2 = z1.detach().to(wide), z2.detach().to(wide)
    drawn = _native.nearest_candidates(len(z1), candidates, seed)
    others = torch.from_numpy(drawn).to(z1.device, non_blocking=True)
    nearness = torch.stack([
        _distances((z1, z2, z1[other], z2[other]), distance).amin(0)
        for other in others.T])
    return others.gather(1, nearness.argmin(0)[:, None])[:, 0]


def guided_loss(views: Sequence[Tensor], pairing: Optional[Tensor], distance: str,
                selection: Selection, grad_scale: float,
                local_p: Optional[Tensor] = None
                ) -> Tuple[Tensor, Tensor, List[Tensor]]:
    """loss, pair and gradients of gsg.guided_loss, or gsg.guided_loss_shared.

    views: p11, p12, p21, p22, z11, z12, z21, z22, and no pairing; or p1, p2,
        z1, z2, and the pairing says which row's views are second.
    local_p: [m, N, D], with a pairing; its gradient is the last.
    """
    dtype = views[0].dtype
    wide = torch.float64 if dtype == torch.float64 else torch.float32
    inputs = [view.detach().to(wide) for view in views]
    p, z = inputs[:len(inputs) // 2], inputs[len(inputs) // 2:]
    n = p[0].shape[0]
    rows = z
    if pairing is not None:
        rows = [z[0], z[1], z[0][pairing], z[1][pairing]]
    pair, weights = _choose(rows, distance, selection)
    if pairing is not None:
        # An image's other roles are in the rows whose second image it is.
        weights = weights[:2].index_add(1, pairing, weights[2:])
    if local_p is not None:
        weights = weights / (1 + len(local_p))
    loss = torch.zeros((), dtype=wide, device=p[0].device)
    grads = []
    for view, x in enumerate(p):
        part, grad = _view(x, z[view ^ 1], weights[view])
        loss = loss + part
        grads.append((grad * (grad_scale / n)).to(dtype))
    if local_p is not None:
        local_grads = torch.empty_like(local_p)
        for x, out in zip(local_p.detach().to(wide), local_grads):
            part1, grad1 = _view(x, z[1], weights[0])
            part2, grad2 = _view(x, z[0], weights[1])
            loss = loss + part1 + part2
            out.copy_((grad1 + grad2) * (grad_scale / n))
        grads.append(local_grads)
    return loss / n, pair, grads


def _negative_cosine(p: Tensor, z: Tensor) -> Tensor:
    norms = _clamped_norm(p) * _clamped_norm(z)
    return -(p * z).sum(dim=1) / norms[:, 0]


def row_losses(p: Sequence[Tensor], local_p: Optional[Tensor],
               z: Sequence[Tensor], pairing: Optional[Tensor], pair: Tensor,
               distance: str, selection: Selection) -> Tensor:
    """The loss of each row, [N], for autograd to differentiate in p.

    Arguments as in guided_loss; pair is its result.
    """
    wide = torch.float64 if p[0].dtype == torch.float64 else torch.float32
    z = [x.detach().to(wide) for x in z]
    parts = [_negative_cosine(x.to(wide), z[view ^ 1])
             for view, x in enumerate(p)]
    rows = z
    if pairing is not None:
        pairing = pairing.to(z[0].device)
        rows = [z[0], z[1], z[0][pairing], z[1][pairing]]
        if local_p is not None:
            for x in local_p.to(wide):
                parts = [parts[0] + _negative_cosine(x, z[1]),
                         parts[1] + _negative_cosine(x, z[0])]
            parts = [part / (1 + len(local_p)) for part in parts]
        parts += [part[pairing] for part in parts]
    if selection.name == "soft":
        _, weights = _choose(rows, distance, selection)
    else:
        weights = _weights(pair).to(wide)
    return (weights * torch.stack(parts)).sum(0) / 2
