"""How gsg.torch calls the loss: by the shortest way that its tensors allow.

A custom operator that is written in Python, and an autograd.Function that serves
torch.func, cost 0.1 ms a call (docs/performance.md). Ordinary tensors need neither:
for them one Function calls the kernels. What compilers and tracers record is the
operator; what torch.func transforms is the operator in a Function.
"""

from typing import Any, List, NoReturn, Optional, Sequence, Tuple, Union

import torch
from torch import Tensor, nn
from torch.fx.experimental.proxy_tensor import get_proxy_mode

from guided_stop_gradient._operators import (KERNELS, Kind, Options,
                                             grad_scale_of, guided_loss,
                                             guided_loss_shared, is_traced,
                                             scaled, seed_of, times)
from guided_stop_gradient._steps import Draw, tensor_of

_Step = Union[None, Draw, Tensor]
_OPERATORS = (guided_loss, guided_loss_shared)


def apply(p: Sequence[Tensor], local: Optional[Tensor], z: Sequence[Tensor],
          second: Optional[Tensor], kind: Kind, step: _Step, options: Options,
          wants_grad: bool) -> Tuple[Tensor, Tensor]:
    """loss and pair."""
    result: Any
    arguments: Tuple[Any, ...] = (second, local, *p, *z)
    is_recorded = torch.compiler.is_compiling() or is_traced()
    if not is_recorded and _is_plain(arguments):
        entered: List[bool] = []
        trained = p if local is None else (*p, local)
        eager: Any = _Eager.apply
        try:
            result = eager(entered, (kind, options, wants_grad, step, *arguments),
                           *trained)
            return result[0], result[1]
        except RuntimeError:
            if entered:
                raise
    arguments = (kind, options, wants_grad, tensor_of(step), *arguments)
    if is_recorded:
        result = _call(_OPERATORS, *arguments)
    else:
        transformed: Any = _Loss.apply
        result = transformed(*arguments)
    return result[0], result[1]


def _is_plain(tensors: Sequence[Optional[Tensor]]) -> bool:
    """Whether nothing but torch.autograd wants to know what is done with them."""
    return get_proxy_mode() is None and all(
        x is None or type(x) in (Tensor, nn.Parameter) and not x.is_neg() and
        x.device.type in KERNELS for x in tensors)


def _call(functions: Tuple[Any, Any], kind: Kind, options: Options,
          wants_grad: bool, step: Optional[Tensor], second: Optional[Tensor],
          local: Optional[Tensor], *views: Tensor) -> Tuple[Tensor, ...]:
    four, shared = functions
    rest = (*options[:4], step, *options[4:], wants_grad)
    result: Tuple[Tensor, ...]
    if len(views) == 8:
        result = four(*views, *rest)
    else:
        result = shared(*views[:2], local, *views[2:], second, *kind, *rest)
    return result


_BEFORE_LOCAL = 5  # arguments of _call before `local`


def _remember(ctx: Any, result: Sequence[Tensor],
              trained: Sequence[Tensor]) -> None:
    ctx.grad_scale = grad_scale_of(trained[0])
    ctx.mark_non_differentiable(*result[1:])
    # Else zeros come in for them, at four times the cost of the loss.
    ctx.set_materialize_grads(False)
    ctx.save_for_backward(*result[2:2 + len(trained)], *trained)


def _gradients(ctx: Any, grad_loss: Optional[Tensor]
               ) -> Sequence[Optional[Tensor]]:
    """Of the tensors `trained`."""
    saved = ctx.saved_tensors
    count = len(saved) // 2
    if grad_loss is None:  # autograd's way of saying 0
        return [None] * count
    if torch.is_grad_enabled():
        apply_scale: Any = _Scale.apply
        grads: Sequence[Tensor] = apply_scale(grad_loss, ctx.grad_scale, *saved)
        return grads
    return scaled(grad_loss, ctx.grad_scale, saved[:count])


class _Loss(torch.autograd.Function):
    """The operators, for torch.autograd and torch.func."""

    @staticmethod
    def forward(*arguments: Any) -> Tuple[Tensor, ...]:
        return _call(_OPERATORS, *arguments)

    @staticmethod
    def setup_context(ctx: Any, inputs: Tuple[Any, ...],
                      output: Tuple[Tensor, ...]) -> None:
        local, *views = inputs[_BEFORE_LOCAL:]
        p = views[:len(views) // 2]
        ctx.has_local = local is not None
        _remember(ctx, output, [*p, local] if ctx.has_local else p)

    @staticmethod
    def backward(ctx: Any, grad_loss: Optional[Tensor],
                 *_: Any) -> Tuple[Optional[Tensor], ...]:
        p = list(_gradients(ctx, grad_loss))
        local = p.pop() if ctx.has_local else None
        return (*[None] * _BEFORE_LOCAL, local, *p, *[None] * len(p))

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


class _Eager(torch.autograd.Function):
    """The kernels, for torch.autograd.

    In the form that torch.func does not take: it says so (RuntimeError) before
    it comes to forward, which no public function of torch tells beforehand.
    `trained`: the predictions and `local`, which the arguments have, too.
    """

    @staticmethod
    def forward(ctx: Any, entered: List[bool], arguments: Tuple[Any, ...],
                *trained: Tensor) -> Tuple[Tensor, Tensor]:
        entered.append(True)
        kind, options, wants_grad, step, *tensors = arguments
        number = step.number() if isinstance(step, Draw) else step
        options = options._replace(seed=seed_of(options.seed, number))
        result = _call(KERNELS[tensors[-1].device.type], kind, options,
                       wants_grad, None, *tensors)
        _remember(ctx, result, trained)
        return result[0], result[1]

    @staticmethod
    def backward(ctx: Any, grad_loss: Optional[Tensor],
                 *_: Any) -> Tuple[Optional[Tensor], ...]:
        return (None, None, *_gradients(ctx, grad_loss))

    @staticmethod
    def jvp(ctx: Any, *tangents: Any) -> NoReturn:
        _Loss.jvp(ctx, *tangents)


class _Scale(torch.autograd.Function):
    """The gradients of _Loss where a graph is made of them.

    It takes the predictions, too, so that a second derivative comes by here.
    """

    generate_vmap_rule = True

    @staticmethod
    def forward(grad_loss: Tensor, grad_scale: float,
                *saved: Tensor) -> Tuple[Tensor, ...]:
        return times(saved[:len(saved) // 2], grad_loss / grad_scale)

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        pass

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> NoReturn:
        raise RuntimeError(
            "the guided stop-gradient loss has no second derivatives but with "
            'reduction="none", which is torch operations')
