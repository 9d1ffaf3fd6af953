"""The guided stop-gradient loss as a PyTorch module.

    loss_fn = gsg.torch.GuidedStopGradientLoss()
    loss = loss_fn(p1, p2, z1, z2)
    loss.backward()

Lee & Lee, arXiv 2503.09058; see help(gsg). The loss is a custom operator: it
works under torch.compile without graph breaks and under autocast. On the CPU it
is gsg's fused loop, on the memory of the tensors; on an NVIDIA GPU gsg's kernel,
in builds that have it (--config=cuda); elsewhere the same formula in torch
operations. torch 2.4 or newer.
"""

import ctypes
import os
from typing import (Any, Callable, List, Optional, Protocol, Sequence, Tuple,
                    Union, cast)

import torch
from torch import Tensor, nn

from guided_stop_gradient import _formula, _native, _torch_cuda
from guided_stop_gradient._arguments import (as_integer, as_margin, as_string,
                            as_temperature, loss_options, nearest_options)

__all__ = ["GuidedStopGradientLoss"]

_DTYPES = (torch.float16, torch.bfloat16, torch.float32, torch.float64)
_DISTANCES = ("euclidean", "squared_euclidean", "cosine")
_SELECTIONS = ("min", "max", "random", "none", "soft", "margin")
_PAIRINGS = ("cyclic", "random", "nearest")


class GuidedStopGradientLoss(nn.Module):
    """The guided stop-gradient loss, mean over rows, as a 0-d tensor.

    views="shared": forward(p1, p2, z1, z2, pairing=None), two views of N
        images, which are paired among themselves: twice as cheap for the
        encoder. pairing: int64 [N], a permutation or another map, on the CPU
        or on the device of the views. None: made anew for each step. local_p,
        of multi-crop: predictions of m smaller views of each image, [m, N, D]
        or a list, as in gsg.guided_loss_shared.
    views="four": forward(p11, p12, p21, p22, z11, z12, z21, z22), two views
        each of two images a row.

    All are [N, D], of one floating-point dtype and on one device; under autocast
    dtypes may differ. There is a gradient in the predictions p alone: no need to
    detach the projections z. The loss is float32, or float64 for float64; a
    16-bit gradient is rounded after it was scaled, so that GradScaler works.
    There are no second derivatives.

    distance, selection, temperature, margin: as in gsg.guided_loss.
    pairing: what is drawn, "cyclic" (no image is its own second image) or
        "random", as in gsg.pairing; or "nearest", as in gsg.nearest_pairing,
        for views="shared".
    candidates: 1 to N - 1, of pairing="nearest".
    seed: 0..2^63-1.

    What is random (the pairing, selection="random") is a function of (seed,
    step), gsg.step_seed, where `step` counts the calls in training mode. It is
    part of state_dict (as extra state, not as a buffer: it is no parameter that
    several processes must agree on, and stays on the CPU, where it can be read
    without waiting), so that a resumed run draws what it would have drawn.
    forward(..., seed=s) says the seed outright and counts nothing: then
    gsg.guided_loss_shared with that seed has the same result.

    Raises TypeError and ValueError as gsg.guided_loss does, naming the
    argument; on a GPU, which nobody waits for, values that are not finite make
    the loss NaN instead.
    """

    def __init__(self, distance: str = "euclidean", selection: str = "min",
                 views: str = "shared", *, temperature: float = 1.0,
                 margin: float = 0.01, pairing: str = "cyclic",
                 candidates: int = 16, seed: int = 0) -> None:
        super().__init__()
        self.distance = _one_of("distance", distance, _DISTANCES)
        self.selection = _one_of("selection", selection, _SELECTIONS)
        self.views = _one_of("views", views, ("four", "shared"))
        self.temperature = as_temperature(temperature)
        self.margin = as_margin(margin)
        self.pairing = _one_of("pairing", pairing, _PAIRINGS)
        if views == "four" and pairing == "nearest":
            raise ValueError(
                'pairing="nearest" is for views="shared": with views="four" the '
                "second images come in the order that gsg.nearest_pairing gives")
        self.candidates = as_integer("candidates", candidates, 1, 2**63 - 1)
        self.seed = as_integer("seed", seed, 0, 2**63 - 1)
        self._step = torch.zeros((), dtype=torch.int64, device="cpu")

    @property
    def step(self) -> int:
        """How many calls there were in training mode."""
        return int(self._step)

    def forward(self, *views: Tensor, pairing: Optional[Tensor] = None,
                local_p: Union[Tensor, Sequence[Tensor], None] = None,
                seed: Optional[int] = None) -> Tensor:
        shared = self.views == "shared"
        if shared and len(views) == 5 and pairing is None:
            *views, pairing = views  # type: ignore[assignment]
        if len(views) != (4 if shared else 8):
            names = "p1, p2, z1, z2" if shared else ", ".join(_FOUR)
            raise TypeError(f"got {len(views)} tensors; views={self.views!r} "
                            f"takes {names}")
        if not shared and pairing is not None:
            raise TypeError('pairing is for views="shared": with views="four" '
                            "each row has its second image already")
        if not shared and local_p is not None:
            raise TypeError('local_p is for views="shared"')
        local = _stacked(local_p)
        if local is not None:
            *rest, local = _of_one_dtype((*views, local))
            views = tuple(rest)
        else:
            views = _of_one_dtype(views)
        count = seed is None and self.training
        random = (self._step if seed is None else None,
                  self.seed if seed is None else seed)
        options = (self.distance, self.selection, self.temperature, self.margin,
                   *random, _wants_grad(views, local))
        loss: Tensor
        if shared:
            loss = _guided_loss_shared(*views[:2], local, *views[2:], pairing,
                                       self.pairing, self.candidates,
                                       *options)[0]
        else:
            loss = _guided_loss(*views, *options)[0]
        if count:
            self._step.add_(1)
        return loss

    def get_extra_state(self) -> Tensor:
        return self._step.clone()

    def set_extra_state(self, state: Tensor) -> None:
        self._step.copy_(state)

    def extra_repr(self) -> str:
        parameter = {"soft": f"temperature={self.temperature:g}, ",
                     "margin": f"margin={self.margin:g}, "}
        nearest = (f"candidates={self.candidates}, "
                   if self.pairing == "nearest" else "")
        return (f"distance={self.distance!r}, selection={self.selection!r}, "
                f"{parameter.get(self.selection, '')}"
                f"views={self.views!r}, pairing={self.pairing!r}, "
                f"{nearest}seed={self.seed}")


_FOUR = ("p11", "p12", "p21", "p22", "z11", "z12", "z21", "z22")
_SHARED = ("p1", "p2", "z1", "z2")


def _one_of(name: str, value: str, choices: Sequence[str]) -> str:
    if as_string(name, value) not in choices:
        raise ValueError(
            f"{name} is \"{value}\"; use one of {', '.join(choices)}")
    return value


def _wants_grad(views: Sequence[Tensor], local: Optional[Tensor]) -> bool:
    p = [*views[:len(views) // 2]] + ([] if local is None else [local])
    return torch.is_grad_enabled() and any(x.requires_grad for x in p)


def _stacked(local_p: Union[Tensor, Sequence[Tensor], None]
             ) -> Optional[Tensor]:
    """[m, N, D], or None if there are none."""
    if local_p is None or len(local_p) == 0:
        return None
    if not isinstance(local_p, Tensor):
        local_p = torch.stack(list(local_p))
    if local_p.dim() != 3:
        raise ValueError(f"local_p has shape {tuple(local_p.shape)}; it must "
                         "be [m, N, D]")
    return local_p


def _of_one_dtype(views: Tuple[Tensor, ...]) -> Tuple[Tensor, ...]:
    """Under autocast, where layers give different dtypes, all as float32."""
    first = views[0]
    if (any(view.dtype != first.dtype for view in views)
            and torch.is_autocast_enabled(first.device.type)):
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
                 selection: _formula.Selection, **local: Any
                 ) -> Tuple[Tensor, ...]:
    first = views[0]
    options = loss_options(distance, *selection, _threads(), _grad_scale(first),
                           _GOMP_PARALLEL)
    loss, pair, _ = call(tuple(map(_memory, views)), *pairing, options,
                         tuple(map(_memory, grads)), **local)
    dtype = torch.float64 if first.dtype == torch.float64 else torch.float32
    return torch.tensor(loss, dtype=dtype), torch.from_numpy(pair), *grads


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
    # loss.backward(): no pass over the gradients, where the value can be had.
    if (context.grad_scale == 1 and type(grad_loss) is Tensor
            and grad_loss.device.type == "cpu"
            and not torch.compiler.is_compiling() and grad_loss.item() == 1):
        return grads
    scale = grad_loss / context.grad_scale
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
        wants_grad: bool
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
        wants_grad: bool) -> _FourResult:
    p = (p11, p12, p21, p22)
    grads = _new_grads(p, wants_grad)
    chosen = _formula.Selection(selection, temperature, margin,
                                _seed_of(seed, step))
    result = _core_result((*p, z11, z12, z21, z22), grads, _native.guided_loss,
                          distance=distance, selection=chosen)
    return cast(_FourResult, result if grads else (*result, *_none(p)))


@_guided_loss.register_fake
def _guided_loss_fake(
        p11: Tensor, p12: Tensor, p21: Tensor, p22: Tensor, z11: Tensor,
        z12: Tensor, z21: Tensor, z22: Tensor, distance: str, selection: str,
        temperature: float, margin: float, step: Optional[Tensor], seed: int,
        wants_grad: bool) -> _FourResult:
    return cast(_FourResult, _fake_result((p11, p12, p21, p22), wants_grad))


@torch.library.custom_op("guided_stop_gradient::guided_loss_shared", mutates_args=())
def _guided_loss_shared(
        p1: Tensor, p2: Tensor, local: Optional[Tensor], z1: Tensor, z2: Tensor,
        pairing: Optional[Tensor], pairing_kind: str, candidates: int,
        distance: str, selection: str, temperature: float, margin: float,
        step: Optional[Tensor], seed: int, wants_grad: bool
) -> Tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    views = (p1, p2, z1, z2)
    names = [f"local_p[{k}]" for k in range(0 if local is None else len(local))]
    _check((*views, *(() if local is None else local)), (*_SHARED, *names))
    seed = _seed_of(seed, step)
    if pairing is not None:
        _check_pairing(pairing, len(p1))
    elif pairing_kind == "nearest":
        pairing = _formula.nearest_pairing(z1, z2, distance, candidates, seed)
    else:
        drawn = _native.pairing(len(p1), seed, pairing_kind)
        pairing = torch.from_numpy(drawn)
    chosen = _formula.Selection(selection, temperature, margin, seed)
    result = _device_result(views, pairing, distance, chosen, wants_grad, local)
    return cast(_SharedResult, result if local is not None else
                (*result, p1.new_empty(0)))


@_guided_loss_shared.register_kernel("cpu")
def _guided_loss_shared_cpu(
        p1: Tensor, p2: Tensor, local: Optional[Tensor], z1: Tensor, z2: Tensor,
        pairing: Optional[Tensor], pairing_kind: str, candidates: int,
        distance: str, selection: str, temperature: float, margin: float,
        step: Optional[Tensor], seed: int, wants_grad: bool
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
            nearest_options(candidates, distance, seed, _threads(),
                            _GOMP_PARALLEL))
    else:
        second = _native.pairing(len(p1), seed, pairing_kind)
    grads = _new_grads((p1, p2), wants_grad)
    local_grad = (_new_grad(local) if local is not None and wants_grad else
                  p1.new_empty(0))
    memory = () if local is None else tuple(map(_memory, local))
    loss, pair, *_ = _core_result(
        (p1, p2, z1, z2), (*grads, *(local_grad if local_grad.dim() == 3 else ())),
        _native.guided_loss_shared, second, distance=distance,
        selection=_formula.Selection(selection, temperature, margin, seed),
        local_p=memory)
    grads = grads or _none((p1, p2))
    return loss, pair, grads[0], grads[1], local_grad


@_guided_loss_shared.register_fake
def _guided_loss_shared_fake(
        p1: Tensor, p2: Tensor, local: Optional[Tensor], z1: Tensor, z2: Tensor,
        pairing: Optional[Tensor], pairing_kind: str, candidates: int,
        distance: str, selection: str, temperature: float, margin: float,
        step: Optional[Tensor], seed: int, wants_grad: bool
) -> _SharedResult:
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
