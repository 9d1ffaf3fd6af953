"""Arguments of gsg as NumPy arrays that share the caller's memory."""

import operator
from typing import Any, List

import numpy as np

_FLOATS = (np.dtype(np.float32), np.dtype(np.float64))

# DLPack device types whose memory the CPU reads: kDLCPU, kDLCUDAHost (pinned).
_CPU_DEVICES = (1, 3)


def as_array(name: str, value: Any, *dtypes: np.dtype) -> np.ndarray:
    """`value`, never a copy; its dtype is one of `dtypes`."""
    if isinstance(value, np.ndarray):
        array = value
    elif hasattr(value, "__dlpack__"):
        array = _from_dlpack(name, value)
    else:
        try:
            array = np.asarray(memoryview(value))
        except TypeError:
            raise TypeError(
                f"{name} is {_type_of(value)}, without buffer protocol or "
                "__dlpack__; numpy.asarray makes an array of many things"
            ) from None
    if array.dtype not in dtypes:
        names = " or ".join(map(str, dtypes))
        raise TypeError(f"{name} is {array.dtype}; it must be {names}")
    return array


def as_vector(name: str, value: Any, dtype: np.dtype) -> np.ndarray:
    """`value` as a contiguous [N]; a copy only if it is not."""
    array = as_array(name, value, dtype)
    if array.ndim != 1:
        raise ValueError(f"{name} has shape {array.shape}; it must be [N]")
    return np.require(array, requirements=("C", "ALIGNED"))


def as_matrices(**arguments: Any) -> List[np.ndarray]:
    """Each argument as [N, D], all float32 or all float64.

    A copy is made only where a row's elements are not next to each other and
    in order, or rows overlap or run backwards.
    """
    arrays = []
    for name, value in arguments.items():
        array = as_array(name, value, *_FLOATS)
        if array.ndim != 2:
            raise ValueError(
                f"{name} has shape {array.shape}; it must be [N, D]")
        if arrays and array.dtype != arrays[0].dtype:
            raise TypeError(
                f"{name} is {array.dtype}; {next(iter(arguments))} is "
                f"{arrays[0].dtype}; their dtypes must be equal")
        arrays.append(array if _has_plain_rows(array) else array.copy("C"))
    return arrays


def as_integer(name: str, value: Any, low: int, high: int) -> int:
    try:
        integer = operator.index(value)
    except TypeError:
        raise TypeError(
            f"{name} is {_type_of(value)}; it must be an integer") from None
    if not low <= integer <= high:
        raise ValueError(f"{name} is {integer}; it must be in {low}..{high}")
    return integer


def as_string(name: str, value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{name} is {_type_of(value)}; it must be a string")
    return value


def _type_of(value: Any) -> str:
    return f"a value of type {type(value).__name__}"


def _from_dlpack(name: str, value: Any) -> np.ndarray:
    # An exporter may copy from another device if asked for CPU memory, as
    # numpy.from_dlpack does: a transfer that the caller should see instead.
    try:
        device, _ = value.__dlpack_device__()
        if device in _CPU_DEVICES:
            return np.from_dlpack(value)
    except (AttributeError, BufferError, RuntimeError, TypeError,
            ValueError) as error:  # there is no one error for "cannot"
        raise ValueError(f"{name} has no DLPack view: {error}") from error
    raise ValueError(f"{name} is on DLPack device type {int(device)}; it must "
                     "be on the CPU")


def _has_plain_rows(array: np.ndarray) -> bool:
    rows, cols = array.shape
    row_stride, stride = array.strides
    return (array.flags.aligned
            and (cols <= 1 or stride == array.itemsize)
            and (rows <= 1 or (row_stride >= cols * array.itemsize
                               and row_stride % array.itemsize == 0)))
