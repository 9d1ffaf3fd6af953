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

import ctypes
import math
import os
from typing import (Any, Callable, Dict, List, Literal, NamedTuple, NoReturn,
                    Optional, Protocol, Sequence, Tuple, Union, cast)

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from guided_stop_gradient import _formula, _gather, _native, _torch_cuda
from guided_stop_gradient._arguments import (
    DISTANCES, SELECTIONS, as_integer, as_margin, as_one_of, as_seed,
    as_temperature, at_most, loss_options, nearest_options)
from guided_stop_gradient._steps import Steps, draw_step
from guided_stop_gradient._types import Distance, PairingKind, Selection

__all__ = ["GuidedStopGradientLoss"]

_DTYPES = (torch.float16, torch.bfloat16, torch.float32, torch.float64)
_PAIRINGS = ("cyclic", "random", "nearest")
_REDUCTIONS = ("mean", "sum", "none")
_FOUR = ("p11", "p12", "p21", "p22", "z11", "z12", "z21", "z22")
_SHARED = ("p1", "p2", "z1", "z2")
_EXTRA_STATE = "_extra_state"  # torch's name for it in a state dict


class GuidedStopGradientLoss(nn.Module):
    """The guided stop-gradient loss, mean over rows, as a 0-d tensor.

    views="shared": forward(p1, p2, z1, z2, pairing=None), two views of N
        images, which are paired among themselves: twice as cheap for the
        encoder. pairing: int64 [N], a permutation or another map, on the CPU
        or on the device of the views, or a NumPy array. None: made anew for each
        step. local_p, of multi-crop: predictions of m smaller views of each
        image, [m, N, D] or a list, as in gsg.guided_loss_shared.
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
                pairing: Union[Tensor, NDArray[np.int64], None] = None,
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
        local = _stacked(local_p)
        _check_roles(views, _SHARED if shared else _FOUR)
        half = _is_half(views)
        if local is not None:
            *rest, local = _of_one_dtype((*views, local))
            views = tuple(rest)
        else:
            views = _of_one_dtype(views)
        _check_devices((*views, *(() if local is None else (local,))),
                       (*(_SHARED if shared else _FOUR), "local_p"))
        count = len(views) // 2
        p, z = list(views[:count]), [x.detach() for x in views[count:]]
        if seed is not None:
            step, seed = None, as_seed(seed)
        else:
            if self.training and _is_traced():
                raise RuntimeError(
                    "torch.jit.trace would record a training step's pairing: "
                    "give seed=, or trace the module after eval()")
            step, seed = draw_step(self._steps, self.training), self.seed
        if self.gather and self.training and _gather.is_of_several():
            p, z, local = self._gathered(p, z, local, second, step, seed)
        if shared and second is None and p[0].shape[0] == 1:
            # A last batch of one image, say.
            if self.selection != "none" and self.pairing != "random":
                raise ValueError(
                    "n = 1 images: guidance needs a second image for each; give "
                    'two or more (drop_last=True of a DataLoader), or '
                    'selection="none"')
            second = torch.zeros(1, dtype=torch.int64, device=p[0].device)
        chosen = _Options(self.distance, self.selection, self.temperature,
                          self.margin, _signed(seed), half)
        kind = (self.pairing, self.candidates)
        if self.reduction == "none":
            if shared and second is None:
                second = _draw_pairing(*z, *kind, self.distance, step,
                                       chosen.seed)
            _, pairs = _apply([x.detach() for x in p], None, z, second, kind,
                              step, chosen, False)
            loss = _formula.row_losses(
                p, local, z, second, pairs, self.distance,
                _formula.Selection(self.selection, self.temperature,
                                   self.margin, 0))
        else:
            wants_grad = torch.is_grad_enabled() and any(
                x.requires_grad for x in p + ([] if local is None else [local]))
            loss, pairs = _apply(p, local, z, second, kind, step, chosen,
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
        _check_shared((*p, *z), local, None)
        options = (self.distance, self.selection, self.temperature, self.margin,
                   self.pairing, self.candidates, self.reduction)
        everyone = _gather.gather(p, z, local, second, step, seed, repr(options))
        return cast(Tuple[List[Tensor], List[Tensor], Optional[Tensor]],
                    everyone)

    def _in_order(self, views: Tuple[Tensor, ...],
                  named: Dict[str, Optional[Tensor]]) -> Tuple[Tensor, ...]:
        """The views that were given by position, then those by name."""
        names = _SHARED if self.views == "shared" else _FOUR
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


def _is_traced() -> bool:
    # Dynamo says True of itself, too.
    return (not torch.compiler.is_compiling() and
            bool(torch.jit.is_tracing()))  # type: ignore[attr-defined,no-untyped-call]


def _is_recorded() -> bool:
    """By torch.export, which knows no break of a graph, or torch.jit.trace."""
    exported = (torch.compiler.is_compiling() and
                not torch.compiler.is_dynamo_compiling())
    return exported or _is_traced()


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


def _as_pairing(pairing: Any, first: Tensor) -> Tensor:
    if isinstance(pairing, np.ndarray):
        if pairing.dtype != np.int64:  # not all are types of torch
            raise TypeError(f"pairing is {pairing.dtype}; it must be int64")
        # A copy: the next may be written there before the GPU has read it.
        pairing = torch.from_numpy(pairing.copy())
    if not isinstance(pairing, Tensor):
        raise TypeError(f"pairing is a value of type {type(pairing).__name__}; "
                        "it must be a torch.Tensor or a NumPy array of int64")
    if pairing.is_meta and not first.is_meta:
        raise ValueError(f"pairing is on meta; the views are on {first.device}")
    return pairing


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


def _stacked(local_p: Union[Tensor, Sequence[Tensor], None]
             ) -> Optional[Tensor]:
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


# The operators guided_stop_gradient::guided_loss and ..._shared: the loss, the pair
# of each row, and the gradients in p (of no elements if wants_grad is false),
# times _grad_scale. `step`: None, or a count that makes another seed of `seed`.
# They are defined for the CPU by gsg_core, and for every other device by gsg's
# kernels where they serve (_torch_cuda), else by _formula.


def _grad_scale(p: Tensor) -> float:
    # The gradients of a mean are below float16's range. They are kept times N
    # until the backward pass, which knows what they are multiplied with.
    return float(p.shape[0]) if p.dtype == torch.float16 else 1.0


def _seed_of(seed: int, step: Optional[Tensor]) -> int:
    seed %= 2**64
    return seed if step is None else _native.step_seed(seed, int(step))


def _check(views: Sequence[Tensor], names: Sequence[str]) -> None:
    """What gsg_core says of tensors on the CPU, for those of other devices."""
    first = views[0]
    for name, view in zip(names, views):
        if view.dtype not in _DTYPES:
            raise TypeError(f"{name} is {_dtype_name(view)}; it must be "
                            "float16, bfloat16, float32 or float64")
        if view.dim() != 2:
            raise ValueError(f"{name} has shape {tuple(view.shape)}; it must "
                             "be [N, D]")
        for what, actual, wanted in (
                ("is", _dtype_name(view), _dtype_name(first)),
                ("is on", str(view.device), str(first.device)),
                ("has shape", tuple(view.shape), tuple(first.shape))):
            if actual != wanted:
                kind = TypeError if what == "is" else ValueError
                raise kind(f"{name} {what} {actual}; {names[0]} {what} "
                           f"{wanted}; they must be equal")
    if first.numel() == 0:
        raise ValueError(f"{names[0]} is {first.shape[0]} x {first.shape[1]}; "
                         "it needs at least one row and one column")


def _check_pairing(pairing: Tensor, n: int) -> None:
    if pairing.dtype != torch.int64:
        raise TypeError(f"pairing is {_dtype_name(pairing)}; it must be int64")
    if pairing.shape != (n,):
        raise ValueError(f"pairing has shape {tuple(pairing.shape)}; it must "
                         f"be [N], and N is {n}")


def _check_shared(views: Sequence[Tensor], local: Optional[Tensor],
                  pairing: Optional[Tensor]) -> None:
    names = [f"local_p[{k}]" for k in range(0 if local is None else len(local))]
    _check((*views, *(() if local is None else local)), (*_SHARED, *names))
    if pairing is not None:
        _check_pairing(pairing, len(views[0]))


def _pairing_of(z1: Tensor, z2: Tensor, kind: str, candidates: int,
                distance: str, seed: int) -> Tensor:
    """A nearest pairing is where z is, others are on the CPU."""
    if kind == "nearest":
        return _formula.nearest_pairing(z1, z2, distance,
                                        at_most(candidates, len(z1)), seed)
    return torch.from_numpy(_native.pairing(len(z1), seed, kind))


def _device_result(views: Sequence[Tensor], pairing: Optional[Tensor],
                   distance: str, selection: _formula.Selection,
                   wants_grad: bool, local: Optional[Tensor] = None
                   ) -> Tuple[Tensor, ...]:
    first = views[0]
    arguments = (distance, selection, _grad_scale(first))
    if _torch_cuda.takes(views, local):
        loss, pair, grads = _torch_cuda.guided_loss(
            views, pairing, *arguments, wants_grad, local)
    else:
        if pairing is not None:
            pairing = pairing.to(first.device, non_blocking=True)
        loss, pair, grads = _formula.guided_loss(views, pairing, *arguments,
                                                 local)
    if not wants_grad:
        count = len(views) // 2 + (local is not None)
        grads = [first.new_empty(0) for _ in range(count)]
    return (loss, pair, *grads)


def _dtype_name(tensor: Tensor) -> str:
    return str(tensor.dtype).rpartition(".")[2]


def _memory(tensor: Tensor) -> Tuple[int, str, int, Sequence[int], Sequence[int]]:
    return (tensor.data_ptr(), _dtype_name(tensor), tensor.element_size(),
            tensor.shape, tensor.stride())


def _threads() -> int:
    return min(torch.get_num_threads(), 256)


def _find_gomp_parallel() -> int:
    """Where the OpenMP runtime that torch computes with starts its threads.

    0 if torch has no OpenMP, or one without this entry: then gsg_core has
    threads of its own.
    """
    try:
        # Not to load anything: torch is there, under this name.
        library = ctypes.CDLL("libtorch_cpu.so", os.RTLD_NOLOAD | os.RTLD_LAZY)
        entry = library.GOMP_parallel
    except (OSError, AttributeError):
        return 0
    return ctypes.cast(entry, ctypes.c_void_p).value or 0


_GOMP_PARALLEL = _find_gomp_parallel()


def _core_result(views: Sequence[Tensor], grads: Sequence[Tensor],
                 call: Callable[..., Any], *pairing: Any, distance: str,
                 selection: _formula.Selection, half: bool, **local: Any
                 ) -> Tuple[Tensor, ...]:
    first = views[0]
    options = loss_options(distance, *selection, _threads(), _grad_scale(first),
                           _GOMP_PARALLEL)
    try:
        loss, pair, _ = call(tuple(map(_memory, views)), *pairing, options,
                             tuple(map(_memory, grads)), **local)
    except ValueError as error:
        if not half or "must be finite" not in str(error):
            raise
        # float16 ran over: GradScaler looks for gradients that are not finite.
        loss, pair = math.nan, np.full(len(first), 4, np.uint8)
        for grad in grads:
            grad.fill_(math.nan)
    dtype = torch.float64 if first.dtype == torch.float64 else torch.float32
    # "cpu", not what torch.set_default_device says.
    return (torch.tensor(loss, dtype=dtype, device="cpu"),
            torch.from_numpy(pair), *grads)


# From here on NumPy asks for large pages for its arrays, too.
_LARGE = 2**22


def _new_grad(like: Tensor) -> Tensor:
    grad = like.new_empty(like.shape)
    if grad.nbytes >= _LARGE:
        _native.prefer_large_pages(grad.data_ptr(), grad.nbytes)
    return grad


def _new_grads(p: Sequence[Tensor], wants_grad: bool) -> List[Tensor]:
    return [_new_grad(x) for x in p] if wants_grad else []


def _fake_result(p: Sequence[Tensor], wants_grad: bool) -> Tuple[Tensor, ...]:
    first = p[0]
    dtype = torch.float64 if first.dtype == torch.float64 else torch.float32
    return (first.new_empty((), dtype=dtype),
            first.new_empty(first.shape[:1], dtype=torch.uint8),
            *(x.new_empty(x.shape if wants_grad else (0,)) for x in p))


class _Context(Protocol):
    grad_scale: float
    wanted: Tuple[bool, ...]  # whether each prediction was given
    other_inputs: int  # those behind the predictions
    saved_tensors: Tuple[Tensor, ...]

    def mark_non_differentiable(self, *tensors: Tensor) -> None:
        ...

    def set_materialize_grads(self, value: bool) -> None:
        ...

    def save_for_backward(self, *tensors: Tensor) -> None:
        ...


def _scaled_grads(context: _Context, grad_loss: Optional[Tensor]
                  ) -> Tuple[Optional[Tensor], ...]:
    if torch.is_grad_enabled():
        raise RuntimeError("the guided stop-gradient loss has no second "
                           "derivatives: create_graph must be False")
    grads = context.saved_tensors
    if grad_loss is None:  # autograd's way of saying 0
        return (None,) * len(grads)
    return _scaled(grad_loss, context.grad_scale, grads)


def _scaled(grad_loss: Tensor, grad_scale: float,
            grads: Tuple[Tensor, ...]) -> Tuple[Tensor, ...]:
    # loss.backward(): no pass over the gradients, where the value can be had.
    if (grad_scale == 1 and type(grad_loss) is Tensor
            and grad_loss.device.type == "cpu"
            and not torch.compiler.is_compiling() and _is_one(grad_loss)):
        return grads
    return _times(grads, grad_loss / grad_scale)


def _is_one(x: Tensor) -> bool:
    try:
        return x.item() == 1
    except RuntimeError:  # one of many, under vmap
        return False


def _times(grads: Sequence[Tensor], scale: Tensor) -> Tuple[Tensor, ...]:
    if grads[0].element_size() == 2:
        return tuple((g.float() * scale).to(g.dtype) for g in grads)
    return tuple(g * scale.to(g.dtype) for g in grads)


_FourResult = Tuple[Tensor, Tensor, Tensor, Tensor, Tensor, Tensor]
_SharedResult = Tuple[Tensor, Tensor, Tensor, Tensor, Tensor]


@torch.library.custom_op("guided_stop_gradient::guided_loss", mutates_args=())
def _guided_loss(
        p11: Tensor, p12: Tensor, p21: Tensor, p22: Tensor, z11: Tensor,
        z12: Tensor, z21: Tensor, z22: Tensor, distance: str, selection: str,
        temperature: float, margin: float, step: Optional[Tensor], seed: int,
        half: bool, wants_grad: bool
) -> Tuple[Tensor, Tensor, Tensor, Tensor, Tensor, Tensor]:
    views = (p11, p12, p21, p22, z11, z12, z21, z22)
    _check(views, _FOUR)
    chosen = _formula.Selection(selection, temperature, margin,
                                _seed_of(seed, step))
    return cast(_FourResult, _device_result(views, None, distance, chosen,
                                            wants_grad))


@_guided_loss.register_kernel("cpu")
def _guided_loss_cpu(
        p11: Tensor, p12: Tensor, p21: Tensor, p22: Tensor, z11: Tensor,
        z12: Tensor, z21: Tensor, z22: Tensor, distance: str, selection: str,
        temperature: float, margin: float, step: Optional[Tensor], seed: int,
        half: bool, wants_grad: bool) -> _FourResult:
    p = (p11, p12, p21, p22)
    grads = _new_grads(p, wants_grad)
    chosen = _formula.Selection(selection, temperature, margin,
                                _seed_of(seed, step))
    result = _core_result((*p, z11, z12, z21, z22), grads, _native.guided_loss,
                          distance=distance, selection=chosen, half=half)
    return cast(_FourResult, result if grads else (*result, *_none(p)))


@_guided_loss.register_fake
def _guided_loss_fake(
        p11: Tensor, p12: Tensor, p21: Tensor, p22: Tensor, z11: Tensor,
        z12: Tensor, z21: Tensor, z22: Tensor, distance: str, selection: str,
        temperature: float, margin: float, step: Optional[Tensor], seed: int,
        half: bool, wants_grad: bool) -> _FourResult:
    _check((p11, p12, p21, p22, z11, z12, z21, z22), _FOUR)
    return cast(_FourResult, _fake_result((p11, p12, p21, p22), wants_grad))


@torch.library.custom_op("guided_stop_gradient::guided_loss_shared", mutates_args=())
def _guided_loss_shared(
        p1: Tensor, p2: Tensor, local: Optional[Tensor], z1: Tensor, z2: Tensor,
        pairing: Optional[Tensor], pairing_kind: str, candidates: int,
        distance: str, selection: str, temperature: float, margin: float,
        step: Optional[Tensor], seed: int, half: bool, wants_grad: bool
) -> Tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    views = (p1, p2, z1, z2)
    _check_shared(views, local, pairing)
    seed = _seed_of(seed, step)
    if pairing is None:
        pairing = _pairing_of(z1, z2, pairing_kind, candidates, distance, seed)
    chosen = _formula.Selection(selection, temperature, margin, seed)
    result = _device_result(views, pairing, distance, chosen, wants_grad, local)
    return cast(_SharedResult, result if local is not None else
                (*result, p1.new_empty(0)))


@_guided_loss_shared.register_kernel("cpu")
def _guided_loss_shared_cpu(
        p1: Tensor, p2: Tensor, local: Optional[Tensor], z1: Tensor, z2: Tensor,
        pairing: Optional[Tensor], pairing_kind: str, candidates: int,
        distance: str, selection: str, temperature: float, margin: float,
        step: Optional[Tensor], seed: int, half: bool, wants_grad: bool
) -> _SharedResult:
    seed = _seed_of(seed, step)
    second: Any
    if pairing is not None:
        second = _memory(pairing)
    elif pairing_kind == "cyclic":
        second = None  # gsg_core's own choice
    elif pairing_kind == "nearest":
        second = _native.nearest_pairing(
            (_memory(z1), _memory(z2)),
            nearest_options(at_most(candidates, len(z1)), distance, seed,
                            _threads(), _GOMP_PARALLEL))
    else:
        second = _native.pairing(len(p1), seed, pairing_kind)
    grads = _new_grads((p1, p2), wants_grad)
    local_grad = (_new_grad(local) if local is not None and wants_grad else
                  p1.new_empty(0))
    memory = () if local is None else tuple(map(_memory, local))
    loss, pair, *_ = _core_result(
        (p1, p2, z1, z2), (*grads, *(local_grad if local_grad.dim() == 3 else ())),
        _native.guided_loss_shared, second, distance=distance,
        selection=_formula.Selection(selection, temperature, margin, seed), half=half,
        local_p=memory)
    grads = grads or _none((p1, p2))
    return loss, pair, grads[0], grads[1], local_grad


@_guided_loss_shared.register_fake
def _guided_loss_shared_fake(
        p1: Tensor, p2: Tensor, local: Optional[Tensor], z1: Tensor, z2: Tensor,
        pairing: Optional[Tensor], pairing_kind: str, candidates: int,
        distance: str, selection: str, temperature: float, margin: float,
        step: Optional[Tensor], seed: int, half: bool, wants_grad: bool
) -> _SharedResult:
    _check_shared((p1, p2, z1, z2), local, pairing)
    local_grad = p1.new_empty(
        local.shape if local is not None and wants_grad else 0)
    return cast(_SharedResult,
                (*_fake_result((p1, p2), wants_grad), local_grad))


def _none(p: Sequence[Tensor]) -> List[Tensor]:
    return [x.new_empty(0) for x in p]


def _setup_context(ctx: _Context, inputs: Tuple[Any, ...],
                   output: Tuple[Tensor, ...]) -> None:
    ctx.grad_scale = _grad_scale(inputs[0])
    ctx.wanted = tuple(isinstance(p, Tensor) for p in inputs[:len(output) - 2])
    ctx.other_inputs = len(inputs) - len(ctx.wanted)
    ctx.mark_non_differentiable(*output[1:])
    # Else zeros come in for them, at four times the cost of the loss.
    ctx.set_materialize_grads(False)
    ctx.save_for_backward(*output[2:])


def _backward(ctx: _Context, grad_loss: Optional[Tensor],
              *_: Any) -> Tuple[Optional[Tensor], ...]:
    grads = _scaled_grads(ctx, grad_loss)
    return (*(g if wanted else None for g, wanted in zip(grads, ctx.wanted)),
            *[None] * ctx.other_inputs)


_guided_loss.register_autograd(_backward, setup_context=_setup_context)
_guided_loss_shared.register_autograd(_backward, setup_context=_setup_context)


class _Options(NamedTuple):
    distance: str
    selection: str
    temperature: float
    margin: float
    seed: int
    half: bool  # whether values that are not finite are no error


_Kind = Tuple[str, int]  # pairing, candidates


@torch.library.custom_op("guided_stop_gradient::draw_pairing", mutates_args=())
def _draw_pairing(z1: Tensor, z2: Tensor, kind: str, candidates: int,
                  distance: str, step: Optional[Tensor], seed: int) -> Tensor:
    _check((z1, z2), _SHARED[2:])
    drawn = _pairing_of(z1, z2, kind, candidates, distance, _seed_of(seed, step))
    return drawn.to(z1.device)


@_draw_pairing.register_fake
def _draw_pairing_fake(z1: Tensor, z2: Tensor, kind: str, candidates: int,
                       distance: str, step: Optional[Tensor],
                       seed: int) -> Tensor:
    _check((z1, z2), _SHARED[2:])
    return z1.new_empty(z1.shape[:1], dtype=torch.int64)


def _call(kind: _Kind, options: _Options, wants_grad: bool,
          step: Optional[Tensor], second: Optional[Tensor],
          local: Optional[Tensor], *views: Tensor) -> Tuple[Tensor, ...]:
    rest = (*options[:4], step, *options[4:], wants_grad)
    result: Tuple[Tensor, ...]
    if len(views) == 8:
        result = _guided_loss(*views, *rest)
    else:
        result = _guided_loss_shared(*views[:2], local, *views[2:], second,
                                     *kind, *rest)
    return result


def _apply(p: Sequence[Tensor], local: Optional[Tensor], z: Sequence[Tensor],
           second: Optional[Tensor], kind: _Kind, step: Optional[Tensor],
           options: _Options, wants_grad: bool) -> Tuple[Tensor, Tensor]:
    """loss and pair."""
    arguments: Tuple[Any, ...] = (kind, options, wants_grad, step, second,
                                  local, *p, *z)
    # Compilers and tracers record the operator; the transforms of torch.func
    # want a Function.
    record = torch.compiler.is_compiling() or _is_traced()
    call: Any = _call if record else _Loss.apply
    result = call(*arguments)
    return result[0], result[1]


_BEFORE_LOCAL = 5  # arguments of _call before `local`


class _Loss(torch.autograd.Function):
    """_call, for torch.autograd and torch.func."""

    @staticmethod
    def forward(*arguments: Any) -> Tuple[Tensor, ...]:
        return _call(*arguments)

    @staticmethod
    def setup_context(ctx: Any, inputs: Tuple[Any, ...],
                      output: Tuple[Tensor, ...]) -> None:
        local, *views = inputs[_BEFORE_LOCAL:]
        ctx.grad_scale = _grad_scale(views[0])
        ctx.wants_grad = inputs[2]
        ctx.has_local = local is not None
        ctx.others = len(views) // 2
        ctx.mark_non_differentiable(*output[1:])
        # Else zeros come in for them, at four times the cost of the loss.
        ctx.set_materialize_grads(False)
        p = views[:len(views) // 2] + ([local] if ctx.has_local else [])
        ctx.save_for_backward(*output[2:2 + len(p)], *p)

    @staticmethod
    def backward(ctx: Any, grad_loss: Optional[Tensor],
                 *_: Any) -> Tuple[Optional[Tensor], ...]:
        saved = ctx.saved_tensors
        count = len(saved) // 2
        grads: Sequence[Optional[Tensor]]
        if grad_loss is None:  # autograd's way of saying 0
            grads = [None] * count
        elif torch.is_grad_enabled():
            apply: Any = _Scale.apply
            grads = apply(grad_loss, ctx.grad_scale, *saved)
        else:
            grads = _scaled(grad_loss, ctx.grad_scale, saved[:count])
        local = grads[-1] if ctx.has_local else None
        p = grads[:-1] if ctx.has_local else grads
        return (*[None] * _BEFORE_LOCAL, local, *p, *[None] * ctx.others)

    @staticmethod
    def vmap(info: Any, in_dims: Tuple[Any, ...], *arguments: Any
             ) -> Tuple[Tuple[Tensor, ...], Tuple[int, ...]]:
        """One after the other, with the same random numbers."""
        # Outside the transform: what is inside does not say of its tensors
        # whether they require grad.
        kind, options, wants_grad, *rest = arguments
        local, *views = arguments[_BEFORE_LOCAL:]
        wants_grad = wants_grad or torch.is_grad_enabled() and any(
            isinstance(x, Tensor) and x.requires_grad
            for x in (local, *views[:len(views) // 2]))
        arguments = (kind, options, wants_grad, *rest)
        apply: Any = _Loss.apply
        calls = [
            apply(*(x if dim is None else x.select(dim, k)
                    # Those before are options, whose parts have no dimension.
                    for x, dim in zip(arguments, (None,) * 3 + in_dims[3:])))
            for k in range(info.batch_size)]
        outputs = tuple(torch.stack(parts) for parts in zip(*calls))
        return outputs, (0,) * len(outputs)

    @staticmethod
    def jvp(ctx: Any, *tangents: Any) -> NoReturn:
        raise NotImplementedError(
            "the guided stop-gradient loss has no forward-mode derivative: use "
            'reverse mode, or reduction="none", which is torch operations')


class _Scale(torch.autograd.Function):
    """The gradients of _Loss where a graph is made of them.

    It takes the predictions, too, so that a second derivative comes by here.
    """

    generate_vmap_rule = True

    @staticmethod
    def forward(grad_loss: Tensor, grad_scale: float,
                *saved: Tensor) -> Tuple[Tensor, ...]:
        return _times(saved[:len(saved) // 2], grad_loss / grad_scale)

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        pass

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> NoReturn:
        raise RuntimeError(
            "the guided stop-gradient loss has no second derivatives but with "
            'reduction="none", which is torch operations')
