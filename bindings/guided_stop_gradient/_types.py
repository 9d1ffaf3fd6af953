"""What gsg's annotations name."""

import array
from typing import TYPE_CHECKING, Any, List, Literal, Protocol, Union

from numpy.typing import NDArray

if TYPE_CHECKING:
    _Buffer = Union[memoryview[Any], array.array[Any]]
else:  # no Python so far takes the brackets of both
    _Buffer = Union[memoryview, array.array]


class SupportsDLPack(Protocol):
    """torch.Tensor, jax.Array and others."""

    def __dlpack__(self) -> Any:
        ...


# Two dimensions, on the CPU. bytes are not here: they have no element type.
ArrayLike = Union[NDArray[Any], SupportsDLPack, _Buffer]

# One dimension. Sequence would take str, too.
PairingLike = Union[ArrayLike, List[int]]

Distance = Literal["euclidean", "squared_euclidean", "cosine"]
Selection = Literal["min", "max", "random", "none", "soft", "margin"]
PairingKind = Literal["cyclic", "random", "nearest"]
