"""What gsg's annotations name."""

import array
from typing import Any, Protocol, Tuple, Union

from numpy.typing import NDArray


class SupportsDLPack(Protocol):
    """torch.Tensor, jax.Array and others."""

    def __dlpack__(self, *, stream: Any = ...) -> Any:
        ...

    def __dlpack_device__(self) -> Tuple[Any, int]:
        ...


# On the CPU; bytes and what else has a buffer have no element type of their own.
ArrayLike = Union[NDArray[Any], SupportsDLPack, memoryview, "array.array[Any]"]
