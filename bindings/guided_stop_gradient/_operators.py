"""The loss as custom operators of torch, for every device.

guided_stop_gradient::guided_loss and ..._shared return the loss, the pair of each
row, and the gradients in p (of no elements if wants_grad is false), times
grad_scale. `step`: None, or a count that makes another seed of `seed`. The CPU's
are gsg_core's; those of every other device are gsg's kernels where they serve
(_torch_cuda), else _formula.
"""

import ctypes
import math
import os
from typing import (Any, Callable, Dict, List, NamedTuple, Optional, Protocol, Sequence,
                    Tuple, Union, cast)

import numpy as np
import torch
from torch import Tensor

from guided_stop_gradient import _formula, _native, _torch_cuda
from guided_stop_gradient._arguments import (at_most, loss_options,
                                             nearest_options)

_NAMES = {torch.float16: "float16", torch.bfloat16: "bfloat16",
          torch.float32: "float32", torch.float64: "float64",
          torch.int64: "int64"}
_DTYPES = (torch.float16, torch.bfloat16, torch.float32, torch.float64)
FOUR = ("p11", "p12", "p21", "p22", "z11", "z12", "z21", "z22")
SHARED = ("p1", "p2", "z1", "z2")


def is_traced() -> bool:
    # Dynamo says True of itself, too.
    return (not torch.compiler.is_compiling() and
            bool(torch.jit.is_tracing()))  # type: ignore[attr-defined,no-untyped-call]


def grad_scale_of(p: Tensor) -> float:
    # The gradients of a mean are below float16's range. They are kept times N
    # until the backward pass, which knows what they are multiplied with.
    return float(p.shape[0]) if p.dtype == torch.float16 else 1.0


def seed_of(seed: int, step: Union[None, int, Tensor]) -> int:
    seed %= 2**64
    return seed if step is None else _native.step_seed(seed, int(step))


def _check(views: Sequence[Tensor], names: Sequence[str]) -> None:
    """What gsg_core says of tensors on the CPU, for those of other devices."""
    first = views[0]
    for name, view in zip(names, views):
        if (view.dtype == first.dtype and view.shape == first.shape and
                view.device == first.device and view.dim() == 2 and
                view.dtype in _DTYPES):
            continue  # without the words for what may be wrong
        if view.dtype not in _DTYPES:
            raise TypeError(f"{name} is {dtype_name(view)}; it must be "
                            "float16, bfloat16, float32 or float64")
        if view.dim() != 2:
            raise ValueError(f"{name} has shape {tuple(view.shape)}; it must "
                             "be [N, D]")
        for what, actual, wanted in (
                ("is", dtype_name(view), dtype_name(first)),
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
        raise TypeError(f"pairing is {dtype_name(pairing)}; it must be int64")
    if pairing.shape != (n,):
        raise ValueError(f"pairing has shape {tuple(pairing.shape)}; it must "
                         f"be [N], and N is {n}")


def check_shared(views: Sequence[Tensor], local: Optional[Tensor],
                  pairing: Optional[Tensor]) -> None:
    names = [f"local_p[{k}]" for k in range(0 if local is None else len(local))]
    _check((*views, *(() if local is None else local)), (*SHARED, *names))
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
    arguments = (distance, selection, grad_scale_of(first))
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


def dtype_name(tensor: Tensor) -> str:
    return (_NAMES.get(tensor.dtype) or
            str(tensor.dtype).rpartition(".")[2])


def _memory(tensor: Tensor) -> Tuple[int, str, int, Sequence[int], Sequence[int]]:
    return (tensor.data_ptr(), dtype_name(tensor), tensor.element_size(),
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
    options = loss_options(distance, *selection, _threads(), grad_scale_of(first),
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
    dtype = np.float64 if first.dtype == torch.float64 else np.float32
    # torch.tensor() takes ten times as long.
    return (torch.from_numpy(np.array(loss, dtype)), torch.from_numpy(pair),
            *grads)


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
    return scaled(grad_loss, context.grad_scale, grads)


def scaled(grad_loss: Tensor, grad_scale: float,
           grads: Tuple[Tensor, ...]) -> Tuple[Tensor, ...]:
    # loss.backward(): no pass over the gradients, where the value can be had.
    if (grad_scale == 1 and type(grad_loss) is Tensor
            and grad_loss.device.type == "cpu"
            and not torch.compiler.is_compiling() and _is_one(grad_loss)):
        return grads
    return times(grads, grad_loss / grad_scale)


def _is_one(x: Tensor) -> bool:
    try:
        return x.item() == 1
    except RuntimeError:  # one of many, under vmap
        return False


def times(grads: Sequence[Tensor], scale: Tensor) -> Tuple[Tensor, ...]:
    if grads[0].element_size() == 2:
        return tuple((g.float() * scale).to(g.dtype) for g in grads)
    return tuple(g * scale.to(g.dtype) for g in grads)


_FourResult = Tuple[Tensor, Tensor, Tensor, Tensor, Tensor, Tensor]
_SharedResult = Tuple[Tensor, Tensor, Tensor, Tensor, Tensor]


def _four_elsewhere(
        p11: Tensor, p12: Tensor, p21: Tensor, p22: Tensor, z11: Tensor,
        z12: Tensor, z21: Tensor, z22: Tensor, distance: str, selection: str,
        temperature: float, margin: float, step: Optional[Tensor], seed: int,
        half: bool, wants_grad: bool
) -> Tuple[Tensor, Tensor, Tensor, Tensor, Tensor, Tensor]:
    views = (p11, p12, p21, p22, z11, z12, z21, z22)
    _check(views, FOUR)
    chosen = _formula.Selection(selection, temperature, margin,
                                seed_of(seed, step))
    return cast(_FourResult, _device_result(views, None, distance, chosen,
                                            wants_grad))


def _four_on_cpu(
        p11: Tensor, p12: Tensor, p21: Tensor, p22: Tensor, z11: Tensor,
        z12: Tensor, z21: Tensor, z22: Tensor, distance: str, selection: str,
        temperature: float, margin: float, step: Optional[Tensor], seed: int,
        half: bool, wants_grad: bool) -> _FourResult:
    p = (p11, p12, p21, p22)
    grads = _new_grads(p, wants_grad)
    chosen = _formula.Selection(selection, temperature, margin,
                                seed_of(seed, step))
    result = _core_result((*p, z11, z12, z21, z22), grads, _native.guided_loss,
                          distance=distance, selection=chosen, half=half)
    return cast(_FourResult, result if grads else (*result, *_none(p)))


def _four_fake(
        p11: Tensor, p12: Tensor, p21: Tensor, p22: Tensor, z11: Tensor,
        z12: Tensor, z21: Tensor, z22: Tensor, distance: str, selection: str,
        temperature: float, margin: float, step: Optional[Tensor], seed: int,
        half: bool, wants_grad: bool) -> _FourResult:
    _check((p11, p12, p21, p22, z11, z12, z21, z22), FOUR)
    return cast(_FourResult, _fake_result((p11, p12, p21, p22), wants_grad))


def _shared_elsewhere(
        p1: Tensor, p2: Tensor, local: Optional[Tensor], z1: Tensor, z2: Tensor,
        pairing: Optional[Tensor], pairing_kind: str, candidates: int,
        distance: str, selection: str, temperature: float, margin: float,
        step: Optional[Tensor], seed: int, half: bool, wants_grad: bool
) -> Tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    views = (p1, p2, z1, z2)
    check_shared(views, local, pairing)
    seed = seed_of(seed, step)
    if pairing is None:
        pairing = _pairing_of(z1, z2, pairing_kind, candidates, distance, seed)
    chosen = _formula.Selection(selection, temperature, margin, seed)
    result = _device_result(views, pairing, distance, chosen, wants_grad, local)
    return cast(_SharedResult, result if local is not None else
                (*result, p1.new_empty(0)))


def _shared_on_cpu(
        p1: Tensor, p2: Tensor, local: Optional[Tensor], z1: Tensor, z2: Tensor,
        pairing: Optional[Tensor], pairing_kind: str, candidates: int,
        distance: str, selection: str, temperature: float, margin: float,
        step: Optional[Tensor], seed: int, half: bool, wants_grad: bool
) -> _SharedResult:
    seed = seed_of(seed, step)
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


def _shared_fake(
        p1: Tensor, p2: Tensor, local: Optional[Tensor], z1: Tensor, z2: Tensor,
        pairing: Optional[Tensor], pairing_kind: str, candidates: int,
        distance: str, selection: str, temperature: float, margin: float,
        step: Optional[Tensor], seed: int, half: bool, wants_grad: bool
) -> _SharedResult:
    check_shared((p1, p2, z1, z2), local, pairing)
    local_grad = p1.new_empty(
        local.shape if local is not None and wants_grad else 0)
    return cast(_SharedResult,
                (*_fake_result((p1, p2), wants_grad), local_grad))


def _none(p: Sequence[Tensor]) -> List[Tensor]:
    return [x.new_empty(0) for x in p]


def _setup_context(ctx: _Context, inputs: Tuple[Any, ...],
                   output: Tuple[Tensor, ...]) -> None:
    ctx.grad_scale = grad_scale_of(inputs[0])
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


def _operator(name: str, elsewhere: Callable[..., Any],
              on_cpu: Callable[..., Any], fake: Callable[..., Any]) -> Any:
    operator = torch.library.custom_op(f"guided_stop_gradient::{name}", elsewhere,
                                       mutates_args=())
    operator.register_kernel("cpu")(on_cpu)
    operator.register_fake(fake)
    operator.register_autograd(_backward, setup_context=_setup_context)
    return operator


guided_loss = _operator("guided_loss", _four_elsewhere, _four_on_cpu, _four_fake)
guided_loss_shared = _operator("guided_loss_shared", _shared_elsewhere,
                               _shared_on_cpu, _shared_fake)

# What computes, by the type of device: of four views, of shared ones.
KERNELS: Dict[str, Tuple[Callable[..., Any], Callable[..., Any]]] = {
    "cpu": (_four_on_cpu, _shared_on_cpu),
    "cuda": (_four_elsewhere, _shared_elsewhere),
}


class Options(NamedTuple):
    distance: str
    selection: str
    temperature: float
    margin: float
    seed: int
    half: bool  # whether values that are not finite are no error


Kind = Tuple[str, int]  # pairing, candidates


@torch.library.custom_op("guided_stop_gradient::draw_pairing", mutates_args=())
def draw_pairing(z1: Tensor, z2: Tensor, kind: str, candidates: int,
                 distance: str, step: Optional[Tensor], seed: int) -> Tensor:
    _check((z1, z2), SHARED[2:])
    drawn = _pairing_of(z1, z2, kind, candidates, distance, seed_of(seed, step))
    return drawn.to(z1.device)


@draw_pairing.register_fake
def _draw_pairing_fake(z1: Tensor, z2: Tensor, kind: str, candidates: int,
                       distance: str, step: Optional[Tensor],
                       seed: int) -> Tensor:
    _check((z1, z2), SHARED[2:])
    return z1.new_empty(z1.shape[:1], dtype=torch.int64)
