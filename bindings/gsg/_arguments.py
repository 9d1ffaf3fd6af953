"""Options of gsg's functions, checked. Arrays are checked by gsg._native."""

import operator
from typing import Any, Tuple


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


def as_seed(seed: Any) -> int:
    return as_integer("seed", seed, 0, 2**64 - 1)


def loss_options(distance: Any, selection: Any, seed: Any, threads: Any,
                 grad_scale: float = 1) -> Tuple[str, str, int, int, float]:
    """The `options` of gsg._native."""
    return (as_string("distance", distance), as_string("selection", selection),
            as_seed(seed), as_integer("threads", threads, 1, 256), grad_scale)


def _type_of(value: Any) -> str:
    return f"a value of type {type(value).__name__}"
