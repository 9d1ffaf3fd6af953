"""The batches of all processes as one, with the gradient of each one's own rows.

Every process has all rows and computes the loss of them all. Its gradient is that
of its own rows times the number of processes, which is what
DistributedDataParallel, whose gradient is the mean over the processes, makes into
the gradient of the whole batch's loss.
"""

import zlib
from typing import Any, List, Optional, Sequence, Tuple

import torch
import torch.distributed as dist
from torch import Tensor

_DTYPES = (torch.float16, torch.bfloat16, torch.float32, torch.float64)

# What must be the same in all processes, and what to do where it is not.
_HEADER = (
    ("images", "give all the same number (drop_last=True of a DataLoader)"),
    ("columns", "give all the same"),
    ("dtype", "give all the same"),
    ("local crops", "give all the same number"),
    ("step", "load the same state dict in all, and call the module equally often"),
    ("seed", "give all the same"),
    ("options", "make the module with the same arguments in all"),
    ("pairing", "give all the same, of the images of all processes"),
)


def is_of_several() -> bool:
    """Whether there are other processes; a group that is not there is of one."""
    return (dist.is_available() and dist.is_initialized() and
            dist.get_world_size() > 1)


class _Gather(torch.autograd.Function):
    """[N, D] to [processes * N, D], in the order of the ranks."""

    @staticmethod
    def forward(rows: Tensor) -> Tensor:
        rows = rows.contiguous()
        world = dist.get_world_size()
        whole = rows.new_empty((world * len(rows), *rows.shape[1:]))
        dist.all_gather_into_tensor(whole, rows)
        return whole

    @staticmethod
    def setup_context(ctx: Any, inputs: Tuple[Any, ...], output: Any) -> None:
        ctx.rows = len(inputs[0])

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        # The loss is the same everywhere: what the others' losses say of these
        # rows is what this one says, so nothing is sent.
        first = dist.get_rank() * ctx.rows
        return grad[first:first + ctx.rows] * dist.get_world_size()


def _gather(rows: Tensor) -> Tensor:
    apply: Any = _Gather.apply
    whole: Tensor = apply(rows)
    return whole


def _signed(value: int) -> int:
    value %= 2**64
    return value - 2**64 if value >= 2**63 else value


def _shown(name: str, value: int) -> str:
    if name == "dtype":
        return str(_DTYPES[value]).rpartition(".")[2]
    if name == "seed":
        return str(value % 2**64)
    return str(value)


def _check_equal(header: Sequence[int], device: torch.device) -> None:
    """An error in every process, if a number is not the same in all.

    What the numbers are of must be known to all before any rows are sent: a
    process that expects other shapes waits for ever, or takes what is not there.
    """
    world = dist.get_world_size()
    mine = torch.tensor([_signed(x) for x in header], dtype=torch.int64,
                        device=device)
    all_of_them = mine.new_empty(world * len(header))
    dist.all_gather_into_tensor(all_of_them, mine)
    table: List[List[int]] = all_of_them.view(world, len(header)).tolist()
    for column, (name, advice) in enumerate(_HEADER):
        values = [row[column] for row in table]
        if len(set(values)) == 1:
            continue
        if name in ("options", "pairing"):
            other = next(r for r in range(world) if values[r] != values[0])
            what = f"{name} of ranks 0 and {other} differ"
        else:
            # In the hundreds it is one that is other.
            shown = ", ".join(_shown(name, x) for x in values[:16])
            dots = ", ..." if world > 16 else ""
            what = f"{name} of ranks 0..{world - 1}: {shown}{dots}"
        raise ValueError(f"gather=True: {what}; {advice}")


# A compiler breaks its graph here: it cannot know what other processes say.
@torch.compiler.disable  # type: ignore[untyped-decorator]
def gather(p: Sequence[Tensor], z: Sequence[Tensor], local: Optional[Tensor],
           pairing: Optional[Tensor], step: Optional[Tensor], seed: int,
           options: str) -> Tuple[List[Tensor], List[Tensor], Optional[Tensor]]:
    """p, z and local of all processes: [N, D] each, [m, N, D].

    options: what else must be the same in all. The views passed their checks.
    """
    first = p[0]
    given = 0
    if pairing is not None:
        given = 1 + zlib.crc32(pairing.detach().cpu().numpy().tobytes())
    _check_equal(
        (first.shape[0], first.shape[1], _DTYPES.index(first.dtype),
         0 if local is None else len(local), -1 if step is None else int(step),
         seed, zlib.crc32(options.encode()), given), first.device)
    whole = [_gather(x) for x in (*p, *z)]
    crops = None
    if local is not None:
        crops = torch.stack([_gather(x) for x in local])
    return whole[:len(p)], whole[len(p):], crops
