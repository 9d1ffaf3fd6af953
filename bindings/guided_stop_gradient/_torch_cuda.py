"""The loss of CUDA tensors by kernels of our own, where they are built in.

That is in builds with --config=cuda, whose extension gsg._cuda has them. One
launch chooses, adds up and writes the gradients; nothing waits for the GPU.
"""

import contextlib
import functools
import warnings
from typing import ContextManager, List, Optional, Sequence, Tuple

import torch
from torch import Tensor

from guided_stop_gradient import _kernels
from guided_stop_gradient._formula import Selection

_cuda = _kernels.load()


@functools.lru_cache(maxsize=None)
def _serves(device: torch.device) -> bool:
    """Whether the kernels run there; if a GPU is not theirs, a warning says why."""
    # torch calls AMD's GPUs cuda, too.
    if _cuda is None or device.type != "cuda" or torch.version.cuda is None:
        return False
    hindrance: str = _cuda.what_hinders(device.index)
    if hindrance:
        warnings.warn("gsg.torch computes in torch operations, not with its "
                      f"kernels: {hindrance}", RuntimeWarning, stacklevel=2)
    return not hindrance


def takes(views: Sequence[Tensor], local: Optional[Tensor] = None) -> bool:
    """Whether guided_loss is for these tensors, which passed all checks."""
    return (_serves(views[0].device) and views[0].dtype != torch.float64 and
            (local is None or
             (_cuda is not None and len(local) <= _cuda.MAX_LOCAL_VIEWS)))


def _rows(x: Tensor) -> Tensor:
    """x, or a copy: elements of a row side by side, rows forwards."""
    n, d = x.shape
    plain = (d == 1 or x.stride(1) == 1) and (n == 1 or x.stride(0) >= d)
    return x if plain else x.contiguous()


def _matrix(x: Tensor) -> Tuple[int, int]:
    n, d = x.shape
    return x.data_ptr(), x.stride(0) if n > 1 else d


def _plan_on_host(pairing: Tensor, device: torch.device) -> Tuple[Tensor, ...]:
    """cuda/pairing_plan.h, copied to the device without waiting for it."""
    assert _cuda is not None
    n = len(pairing)
    plan = torch.empty(4 * n + 1, dtype=torch.int64, device="cpu",
                       pin_memory=device.type == "cuda")
    _cuda.make_pairing_plan(pairing.numpy(), plan.data_ptr())
    plan = plan.to(device, non_blocking=True)
    return plan[:n], plan[n:2 * n], plan[2 * n:3 * n], plan[3 * n:]


def _plan_on_device(pairing: Tensor) -> Tuple[Tensor, Tensor, None, Tensor]:
    """The same of a pairing that is on the device, in any order of images."""
    n = len(pairing)
    pairing = pairing.contiguous()
    second, inverse = pairing.sort(stable=True)
    ends = torch.arange(n + 1, device=pairing.device)
    return pairing, inverse, None, torch.searchsorted(second, ends)


def _on(device: torch.device) -> Tuple[ContextManager[object], int]:
    """The device as the current one, and its stream."""
    if device.type != "cuda":  # a test's
        return contextlib.nullcontext(), 0
    stream: int = torch.cuda.current_stream(device).cuda_stream
    return torch.cuda.device(device), stream


def _is_recorded(device: torch.device) -> bool:
    return (device.type == "cuda" and
            torch.cuda.is_current_stream_capturing())


def guided_loss(views: Sequence[Tensor], pairing: Optional[Tensor], distance: str,
                selection: Selection, grad_scale: float, wants_grad: bool,
                local_p: Optional[Tensor] = None
                ) -> Tuple[Tensor, Tensor, List[Tensor]]:
    """As _formula.guided_loss; no gradients unless they are wanted.

    The loss is NaN where a value is not finite, or an entry of a pairing that is
    on the device is no row.
    """
    assert _cuda is not None
    first = views[0]
    n, d = first.shape
    device = first.device
    if (pairing is not None and pairing.device.type == "cpu" and
            _is_recorded(device)):
        # Its replays would read host memory that is somebody else's by then.
        raise RuntimeError(
            "a CUDA graph cannot record a pairing that is drawn or lies on the "
            "CPU: give pairing= as a tensor on the device, and write another "
            "one into it between replays")
    p = views[:len(views) // 2]
    inputs = [_rows(x.detach()) for x in views]
    grads: List[Tensor] = []
    if wants_grad:
        grads = [x.new_empty((n, d)) for x in p]
    outs = grads
    if local_p is not None:
        inputs += [_rows(x) for x in local_p.detach()]
        if wants_grad:
            local_grad = local_p.new_empty(local_p.shape)
            outs = [*grads, *local_grad]
            grads = [*grads, local_grad]
    loss = first.new_empty((), dtype=torch.float32)
    pair = first.new_empty(n, dtype=torch.uint8)
    # A word for faults, of which the loss tells as well, and the workspace.
    words = 1 + (_cuda.workspace_bytes(n) + 7) // 8
    zeros = torch.zeros(words, dtype=torch.int64, device=device)
    current, stream = _on(device)
    form = (str(first.dtype).rpartition(".")[2], n, d)
    options = (distance, *selection, grad_scale)
    outputs = (loss.data_ptr(), pair.data_ptr(), zeros.data_ptr(),
               zeros.data_ptr() + 8, stream)
    with current:
        if pairing is None:
            _cuda.guided_loss(form, [*map(_matrix, inputs)],
                              [*map(_matrix, outs)], options, outputs)
        else:
            plan = (_plan_on_host(pairing, device)
                    if pairing.device.type == "cpu" else
                    _plan_on_device(pairing))
            addresses = tuple(0 if x is None else x.data_ptr() for x in plan)
            _cuda.guided_loss_shared(form, [*map(_matrix, inputs)], addresses,
                                     [*map(_matrix, outs)], options, outputs)
    return loss, pair, grads
