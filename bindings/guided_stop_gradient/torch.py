"""The guided stop-gradient loss as a PyTorch module.

    loss_fn = guided_stop_gradient.torch.GuidedStopGradientLoss()
    loss = loss_fn(p1, p2, z1, z2)
    loss.backward()

Lee & Lee, arXiv 2503.09058; see help(gsg). The loss is a custom operator: it
works under torch.compile without graph breaks and under autocast. On the CPU it
is gsg's fused loop, on the memory of the tensors; on an NVIDIA GPU gsg's kernel,
in builds that have it (--config=cuda); elsewhere the same formula in torch
operations. torch 2.5 or newer.
"""

from typing import (Any, Dict, List, Literal, Optional, Sequence, Tuple, Union,
                    cast)

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from guided_stop_gradient import _formula, _gather
from guided_stop_gradient._arguments import (DISTANCES, SELECTIONS, as_integer,
                                             as_margin, as_one_of, as_seed,
                                             as_temperature)
from guided_stop_gradient._eager import apply
from guided_stop_gradient._operators import (FOUR, SHARED, Options, check_shared,
                                             draw_pairing, dtype_name,
                                             is_traced)
from guided_stop_gradient._steps import Draw, Steps, tensor_of
from guided_stop_gradient._types import Distance, PairingKind, Selection

__all__ = ["GuidedStopGradientLoss"]

_PAIRINGS = ("cyclic", "random", "nearest")
_REDUCTIONS = ("mean", "sum", "none")
# Those that int64 holds, without itself.
_INTEGERS = (torch.int8, torch.int16, torch.int32, torch.uint8, torch.uint16,
             torch.uint32)
_EXTRA_STATE = "_extra_state"  # torch's name for it in a state dict


class GuidedStopGradientLoss(nn.Module):
    """The guided stop-gradient loss, mean over rows, as a 0-d tensor.

    views="shared": forward(p1, p2, z1, z2, pairing=None), two views of N
        images, which are paired among themselves: twice as cheap for the
        encoder. pairing: [N], a permutation or another map, on the CPU or on the
        device of the views, or a NumPy array, of any integers that int64 holds.
        None: made anew for each step. local_p, of multi-crop: predictions of m
        smaller views of each image, [m, N, D] or a list, as in
        gsg.guided_loss_shared.
    views="four": forward(p11, p12, p21, p22, z11, z12, z21, z22), two views
        each of two images a row.

    All are [N, D], of one floating-point dtype and on one device; under autocast
    dtypes may differ. They may be named: forward(p1=..., z1=...). There is a
    gradient in the predictions p alone: no need to detach the projections z. A
    projection that requires grad beside a prediction that does not is an error:
    the two are swapped. If no prediction requires grad, nor does the loss.
    The loss is float32, or float64 for float64; float16 is computed in float32,
    and a 16-bit gradient is rounded after it was scaled, so that GradScaler works.
    float16 values that are not finite make loss and gradients NaN, for GradScaler
    to skip the step. There are no second derivatives and no forward mode
    (RuntimeError, NotImplementedError); torch.func.grad, vjp and vmap work.

    distance, selection, temperature, margin: as in gsg.guided_loss.
    pairing: what is drawn, "cyclic" (no image is its own second image) or
        "random", as in gsg.pairing; or "nearest", as in gsg.nearest_pairing,
        for views="shared". With selection="none" a single image is its own.
    candidates: from 1, of pairing="nearest"; at most N - 1 are taken.
    seed: 0..2^64-1.
    reduction: "mean"; "sum"; or "none", the loss of each row, [N], whose mean is
        the loss, computed in torch operations (so with second derivatives and
        forward mode).
    return_pairs: forward returns (loss, pairs), pairs uint8 [N] as in
        gsg.GuidedLoss. An argument of forward, too.
    gather: for views="shared" under DistributedDataParallel: images are paired
        across the batches of all processes of the default group. N above is then
        their number in all; each process gets the loss of them all, and W times
        the gradient of its own rows, W processes, so that the mean of gradients
        that DistributedDataParallel takes is the gradient of that loss. In
        training mode alone, and without a process group as for one process, like
        SyncBatchNorm. Shapes, dtypes, step, seed, options and pairing=, [N], must
        be the same in all processes, or there is a ValueError in each.

    What is random (the pairing, selection="random") is a function of (seed,
    step), gsg.step_seed, where `step` counts the calls in training mode. Each of
    these draws a number from torch's default CPU generator, too, by which a
    replay is known: a call that draws a number of an earlier one gets the pairing
    of that one. So torch.utils.checkpoint, which replays the generator
    (preserve_rng_state=True), recomputes the same loss, and the same
    torch.manual_seed gives the same pairings again. That memory reaches back
    over 16,384 steps. `step` is part of state_dict (as extra state: it is no
    parameter that several processes must agree on), so that a resumed run draws
    what it would have drawn; a state dict without it leaves it as it is.
    forward(..., seed=s) says the seed outright and counts nothing: then
    gsg.guided_loss_shared with that seed has the same result.
    What torch.export makes (strict=False) counts steps of its own;
    torch.jit.trace takes the module in eval() or with seed= only.

    Raises TypeError and ValueError as gsg.guided_loss does, naming the
    argument; on a GPU, which nobody waits for, values that are not finite make
    the loss NaN instead.
    """

    def __init__(self, distance: Distance = "euclidean",
                 selection: Selection = "min",
                 views: Literal["shared", "four"] = "shared", *,
                 temperature: float = 1.0, margin: float = 0.01,
                 pairing: PairingKind = "cyclic", candidates: int = 16,
                 seed: int = 0,
                 reduction: Literal["mean", "sum", "none"] = "mean",
                 return_pairs: bool = False, gather: bool = False) -> None:
        super().__init__()
        self.distance = as_one_of("distance", distance, DISTANCES)
        self.selection = as_one_of("selection", selection, SELECTIONS)
        self.views = as_one_of("views", views, ("four", "shared"))
        self.temperature = as_temperature(temperature)
        self.margin = as_margin(margin)
        self.pairing = as_one_of("pairing", pairing, _PAIRINGS)
        if views == "four" and pairing == "nearest":
            raise ValueError(
                'pairing="nearest" is for views="shared": with views="four" the '
                "second images come in the order that gsg.nearest_pairing gives")
        self.candidates = as_integer("candidates", candidates, 1, 2**63 - 1)
        self.seed = as_seed(seed)
        self.reduction = as_one_of("reduction", reduction, _REDUCTIONS)
        self.return_pairs = bool(return_pairs)
        if gather and views == "four":
            raise ValueError(
                'gather=True is for views="shared": with views="four" each row '
                "has its second image already")
        self.gather = bool(gather)
        self._steps = Steps()
        self.register_load_state_dict_pre_hook(  # type: ignore[no-untyped-call]
            _without_a_count)

    @property
    def step(self) -> int:
        """How many calls there were in training mode, replays not counted."""
        return self._steps.count

    def forward(self, *views: Tensor,
                pairing: Union[Tensor, NDArray[np.integer[Any]], None] = None,
                local_p: Union[Tensor, Sequence[Tensor], None] = None,
                seed: Optional[int] = None, return_pairs: Optional[bool] = None,
                p1: Optional[Tensor] = None, p2: Optional[Tensor] = None,
                z1: Optional[Tensor] = None, z2: Optional[Tensor] = None,
                p11: Optional[Tensor] = None, p12: Optional[Tensor] = None,
                p21: Optional[Tensor] = None, p22: Optional[Tensor] = None,
                z11: Optional[Tensor] = None, z12: Optional[Tensor] = None,
                z21: Optional[Tensor] = None, z22: Optional[Tensor] = None
                ) -> Union[Tensor, Tuple[Tensor, Tensor]]:
        shared = self.views == "shared"
        if shared and len(views) == 5 and pairing is None:
            *views, pairing = views  # type: ignore[assignment]
        views = self._in_order(tuple(views), dict(
            p1=p1, p2=p2, z1=z1, z2=z2, p11=p11, p12=p12, p21=p21, p22=p22,
            z11=z11, z12=z12, z21=z21, z22=z22))
        if not shared and pairing is not None:
            raise TypeError('pairing is for views="shared": with views="four" '
                            "each row has its second image already")
        if not shared and local_p is not None:
            raise TypeError('local_p is for views="shared"')
        second = None if pairing is None else _as_pairing(pairing, views[0])
        local = _stacked(local_p, views[0])
        _check_roles(views, SHARED if shared else FOUR)
        half = _is_half(views)
        if local is not None:
            *rest, local = _of_one_dtype((*views, local))
            views = tuple(rest)
        else:
            views = _of_one_dtype(views)
        _check_devices((*views, *(() if local is None else (local,))),
                       (*(SHARED if shared else FOUR), "local_p"))
        count = len(views) // 2
        p, z = list(views[:count]), [x.detach() for x in views[count:]]
        step: Union[None, Draw, Tensor] = None
        if seed is not None:
            seed = as_seed(seed)
        else:
            if self.training and is_traced():
                raise RuntimeError(
                    "torch.jit.trace would record a training step's pairing: "
                    "give seed=, or trace the module after eval()")
            step, seed = Draw(self._steps, self.training), self.seed
        if self.gather and self.training and _gather.is_of_several():
            step = tensor_of(step)
            p, z, local = self._gathered(p, z, local, second, step, seed)
        if shared and second is None and p[0].shape[0] == 1:
            # A last batch of one image, say.
            if self.selection != "none" and self.pairing != "random":
                raise ValueError(
                    "n = 1 images: guidance needs a second image for each; give "
                    'two or more (drop_last=True of a DataLoader), or '
                    'selection="none"')
            second = torch.zeros(1, dtype=torch.int64, device=p[0].device)
        chosen = Options(self.distance, self.selection, self.temperature,
                         self.margin, _signed(seed), half)
        kind = (self.pairing, self.candidates)
        if self.reduction == "none":
            step = tensor_of(step)
            if shared and second is None:
                second = draw_pairing(*z, *kind, self.distance, step,
                                      chosen.seed)
            mean, pairs = apply([x.detach() for x in p], None, z, second, kind,
                                step, chosen, False)
            loss = _formula.row_losses(
                p, local, z, second, pairs, self.distance,
                _formula.Selection(self.selection, self.temperature,
                                   self.margin, 0))
            if half:
                # NaN where float16 ran over: then pairs say nothing, and who masks
                # some rows must not train by the others.
                loss = loss * (1 + 0 * mean)
        else:
            wants_grad = torch.is_grad_enabled() and any(
                x.requires_grad for x in p + ([] if local is None else [local]))
            loss, pairs = apply(p, local, z, second, kind, step, chosen,
                                wants_grad)
            if self.reduction == "sum":
                loss = loss * len(p[0])
        wanted = self.return_pairs if return_pairs is None else return_pairs
        return (loss, pairs) if wanted else loss

    def _gathered(self, p: List[Tensor], z: List[Tensor],
                  local: Optional[Tensor], second: Optional[Tensor],
                  step: Optional[Tensor], seed: int
                  ) -> Tuple[List[Tensor], List[Tensor], Optional[Tensor]]:
        """p, z and local of all processes."""
        if _is_recorded():
            raise RuntimeError(
                "gather=True speaks to other processes, which torch.export and "
                "torch.jit.trace cannot record: take the module after eval()")
        check_shared((*p, *z), local, None)
        options = (self.distance, self.selection, self.temperature, self.margin,
                   self.pairing, self.candidates, self.reduction)
        everyone = _gather.gather(p, z, local, second, step, seed, repr(options))
        return cast(Tuple[List[Tensor], List[Tensor], Optional[Tensor]],
                    everyone)

    def _in_order(self, views: Tuple[Tensor, ...],
                  named: Dict[str, Optional[Tensor]]) -> Tuple[Tensor, ...]:
        """The views that were given by position, then those by name."""
        names = SHARED if self.views == "shared" else FOUR
        if len(views) == len(names) and all(x is None for x in named.values()):
            for name, view in zip(names, views):
                _check_tensor(name, view)
            return views
        given = {name: x for name, x in named.items() if x is not None}
        wrong = [name for name in given if name not in names]
        twice = [name for name in names[:len(views)] if name in given]
        missing = [name for name in names[len(views):] if name not in given]
        if wrong or twice or missing or len(views) > len(names):
            what = (f"{', '.join(wrong)} given" if wrong else
                    f"{', '.join(twice)} given twice" if twice else
                    f"got {len(views) + len(given)} tensors")
            if given and missing and not (wrong or twice):
                what += f" without {', '.join(missing)}"
            raise TypeError(f"{what}; views={self.views!r} takes "
                            f"{', '.join(names)}")
        views = (*views, *(given[name] for name in names[len(views):]))
        for name, view in zip(names, views):
            _check_tensor(name, view)
        return views

    def get_extra_state(self) -> Tensor:
        return torch.tensor(self._steps.count, device="cpu")

    def set_extra_state(self, state: Optional[Tensor]) -> None:
        # What is on meta has no value, but for that of a model without any.
        if state is not None and not (isinstance(state, Tensor) and
                                      state.is_meta):
            self._steps.reset(int(state))

    def extra_repr(self) -> str:
        parameter = {"soft": f"temperature={self.temperature:g}, ",
                     "margin": f"margin={self.margin:g}, "}
        nearest = (f"candidates={self.candidates}, "
                   if self.pairing == "nearest" else "")
        reduction = ("" if self.reduction == "mean" else
                     f", reduction={self.reduction!r}")
        gather = ", gather=True" if self.gather else ""
        return (f"distance={self.distance!r}, selection={self.selection!r}, "
                f"{parameter.get(self.selection, '')}"
                f"views={self.views!r}, pairing={self.pairing!r}, "
                f"{nearest}seed={self.seed}"
                f"{reduction}{gather}")


def _without_a_count(module: nn.Module, state_dict: Dict[str, Any], prefix: str,
                     *_: Any) -> None:
    # Of a model that had another loss, or one of before there was a count.
    state_dict.setdefault(prefix + _EXTRA_STATE, None)


def _is_recorded() -> bool:
    """By torch.export, which knows no break of a graph, or torch.jit.trace."""
    exported = (torch.compiler.is_compiling() and
                not torch.compiler.is_dynamo_compiling())
    return exported or is_traced()


def _signed(seed: int) -> int:
    """The bits of a seed as torch's operators take an integer."""
    return seed - 2**64 if seed >= 2**63 else seed


def _is_half(views: Sequence[Tensor]) -> bool:
    """Whether a float16 layer made the views, of which GradScaler takes care."""
    if any(x.dtype == torch.float16 for x in views):
        return True
    # Its results may have become float32 since.
    device = views[0].device.type
    return (_is_autocast(device) and
            torch.get_autocast_dtype(device) == torch.float16)


def _is_autocast(device: str) -> bool:
    # torch knows no answer for meta.
    return device != "meta" and torch.is_autocast_enabled(device)


def _check_tensor(name: str, view: Any) -> None:
    if not isinstance(view, Tensor):
        raise TypeError(f"{name} is a value of type {type(view).__name__}; it "
                        "must be a torch.Tensor")
    if view.layout != torch.strided or view.is_nested:
        layout = "nested" if view.is_nested else str(view.layout)
        raise TypeError(f"{name} is {layout}; it must be a dense tensor "
                        "(to_dense(), to_padded_tensor())")


def _not_integers(dtype: Any) -> TypeError:
    return TypeError(f"pairing is {dtype}; it must be integers that int64 holds")


def _as_pairing(pairing: Any, first: Tensor) -> Tensor:
    if isinstance(pairing, np.ndarray):
        # Not all are types of torch. To compilers an array is a tensor without
        # a dtype of NumPy, and looked at below.
        if not torch.compiler.is_compiling():
            if pairing.dtype.kind not in "iu" or pairing.dtype == np.uint64:
                raise _not_integers(pairing.dtype)
            pairing = pairing.astype(np.int64, copy=False)
        # A copy: the next may be written there before the GPU has read it.
        pairing = torch.from_numpy(pairing.copy())
    if not isinstance(pairing, Tensor):
        raise TypeError(f"pairing is a value of type {type(pairing).__name__}; "
                        "it must be a torch.Tensor or a NumPy array of integers")
    wide = pairing.to(torch.int64) if pairing.dtype in _INTEGERS else pairing
    if wide.dtype != torch.int64:
        raise _not_integers(dtype_name(wide))
    if wide.is_meta and not first.is_meta:
        raise ValueError(f"pairing is on meta; the views are on {first.device}")
    return wide


def _check_roles(views: Sequence[Tensor], names: Sequence[str]) -> None:
    half = len(views) // 2
    if not torch.is_grad_enabled():
        return
    for k in range(half):
        if views[half + k].requires_grad and not views[k].requires_grad:
            raise ValueError(
                f"{names[half + k]} requires grad and {names[k]} does not: the "
                f"order is {', '.join(names)}, predictions p (the predictor's "
                "results, which are trained) before projections z. If that is "
                "what is there, detach the projections")


def _check_devices(views: Sequence[Tensor], names: Sequence[str]) -> None:
    # Before the dispatcher, which takes any one of them for all.
    for name, view in zip(names, views):
        if view.device != views[0].device:
            raise ValueError(f"{name} is on {view.device}; {names[0]} is on "
                             f"{views[0].device}; they must be equal")


def _stacked(local_p: Union[Tensor, Sequence[Tensor], None],
             first: Tensor) -> Optional[Tensor]:
    """[m, N, D], or None if there are none."""
    if local_p is None:
        return None
    if not isinstance(local_p, Tensor):
        if not isinstance(local_p, Sequence):
            raise TypeError(f"local_p is a value of type "
                            f"{type(local_p).__name__}; it must be a "
                            "torch.Tensor [m, N, D] or a list of [N, D]")
        for k, x in enumerate(local_p):
            _check_tensor(f"local_p[{k}]", x)
            for what, actual, wanted in (
                    ("has shape", tuple(x.shape), tuple(local_p[0].shape)),
                    ("is on", x.device, local_p[0].device)):
                if actual != wanted:
                    raise ValueError(f"local_p[{k}] {what} {actual}; local_p[0] "
                                     f"{what} {wanted}; they must be equal")
        if len(local_p) == 0:
            return None
        # torch.stack would make one dtype of them, and whose was wrong be lost.
        if (any(x.dtype != local_p[0].dtype for x in local_p) and
                not _is_autocast(first.device.type)):
            for k, x in enumerate(local_p):
                if x.dtype != first.dtype:
                    raise TypeError(
                        f"local_p[{k}] is {dtype_name(x)}; "
                        f"{SHARED[0]} is {dtype_name(first)}; their dtypes must "
                        "be equal")
        local_p = torch.stack(list(local_p))
    _check_tensor("local_p", local_p)
    if local_p.dim() == 3 and len(local_p) == 0:
        return None
    if local_p.dim() != 3:
        raise ValueError(f"local_p has shape {tuple(local_p.shape)}; it must "
                         "be [m, N, D]")
    return local_p


def _of_one_dtype(views: Tuple[Tensor, ...]) -> Tuple[Tensor, ...]:
    """As float32 if they differ under autocast, or are float16.

    A gradient of float16 cannot be kept until the backward pass, which alone
    knows its scale: times N or not, some are out of its range.
    """
    first = views[0]
    if all(view.dtype == torch.float16 for view in views):
        return tuple(view.float() for view in views)
    if (any(view.dtype != first.dtype for view in views)
            and _is_autocast(first.device.type)):
        return tuple(view.float() for view in views)
    return views
