"""Options of gsg's functions, checked. Arrays are checked by gsg._native."""

import math
import operator
from typing import Any, Sequence, Tuple


DISTANCES = ("euclidean", "squared_euclidean", "cosine")
SELECTIONS = ("min", "max", "random", "none", "soft", "margin")


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


def as_one_of(name: str, value: Any, choices: Sequence[str]) -> str:
    if as_string(name, value) not in choices:
        raise ValueError(
            f"{name} is \"{value}\"; use one of {', '.join(choices)}")
    return str(value)


def as_number(name: str, value: Any) -> float:
    if isinstance(value, str) or not hasattr(value, "__float__"):
        raise TypeError(f"{name} is {_type_of(value)}; it must be a number")
    try:
        return float(value)
    except (TypeError, ValueError):  # an array of several, say
        raise TypeError(f"{name} is {_type_of(value)} that is no single number"
                        ) from None


def as_sequence(name: str, value: Any) -> Tuple[Any, ...]:
    try:
        return tuple(value)
    except TypeError:
        raise TypeError(f"{name} is {_type_of(value)}; it must be a sequence of "
                        "arrays") from None


def as_temperature(value: Any) -> float:
    temperature = as_number("temperature", value)
    if not 0 < temperature < math.inf:
        raise ValueError(f"temperature is {temperature:g}; it must be finite "
                         "and above 0")
    return temperature


def as_margin(value: Any) -> float:
    margin = as_number("margin", value)
    if not 0 <= margin < 1:
        raise ValueError(
            f"margin is {margin:g}; it must be at least 0 and below 1")
    return margin


def as_seed(seed: Any) -> int:
    return as_integer("seed", seed, 0, 2**64 - 1)


# How many, and 0 or the address of the GOMP_parallel of an OpenMP runtime whose
# threads to use.
Threads = Tuple[int, int]
Options = Tuple[str, str, float, float, int, Threads, float]


def loss_options(distance: Any, selection: Any, temperature: Any, margin: Any,
                 seed: Any, threads: Any, grad_scale: float = 1,
                 gomp_parallel: int = 0) -> Options:
    """The `options` of gsg._native."""
    return (as_one_of("distance", distance, DISTANCES),
            as_one_of("selection", selection, SELECTIONS),
            as_temperature(temperature), as_margin(margin), as_seed(seed),
            (as_integer("threads", threads, 1, 256), gomp_parallel), grad_scale)


def nearest_options(candidates: Any, distance: Any, seed: Any, threads: Any,
                    gomp_parallel: int = 0) -> Tuple[int, str, int, Threads]:
    """The `options` of gsg._native.nearest_pairing."""
    return (as_integer("candidates", candidates, 1, 2**63 - 1),
            as_one_of("distance", distance, DISTANCES), as_seed(seed),
            (as_integer("threads", threads, 1, 256), gomp_parallel))


def at_most(candidates: int, n: int) -> int:
    """A last batch may be shorter than others; for one image it is an error."""
    return min(candidates, n - 1) if n > 1 else candidates


def _type_of(value: Any) -> str:
    return f"a value of type {type(value).__name__}"
