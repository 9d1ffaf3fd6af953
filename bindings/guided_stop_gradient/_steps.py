"""The count of a module's steps, which a replay of a step does not advance.

Whatever recomputes a forward pass (torch.utils.checkpoint, say) replays torch's
default CPU generator. So each step draws a number from it, and a number that was
drawn before tells a replay.
"""

import collections
import secrets
import threading
import weakref
from typing import Dict, NamedTuple, Optional, Tuple, Union

import torch
from torch import Tensor

# Enough for every call of one backward pass; the oldest are forgotten (3 MB).
_REMEMBERED = 16384


class Steps:
    """How many steps a module took, and the numbers that the last ones drew.

    Threads may share it; what is made under torch.compile refers to it by handle.
    """

    def __init__(self, count: int = 0) -> None:
        self.count = count
        self._drawn: "collections.OrderedDict[int, int]" = (
            collections.OrderedDict())
        self._name_it()

    def _name_it(self) -> None:
        self._lock = threading.Lock()
        # Operators take integers, not objects. Not from torch's generator: a
        # module that is made must not change what others draw.
        self.handle = secrets.randbits(62)
        # For what torch.compile makes: it would make a program for each integer,
        # but one for all tensors, whose values are inputs.
        self.handle_tensor = _as_tensor(self.handle)
        # The count of what was exported, which is not this one.
        self.exported_handle = secrets.randbits(62)
        _STEPS[self.handle] = self

    def reset(self, count: int) -> None:
        with self._lock:
            self.count = count
            self._drawn.clear()

    def take(self, drawn: int) -> int:
        """The number of the step that drew this."""
        with self._lock:
            step = self._drawn.get(drawn)
            if step is None:
                step = self._drawn[drawn] = self.count
                self.count += 1
                if len(self._drawn) > _REMEMBERED:
                    self._drawn.popitem(last=False)
            return step

    def __getstate__(self) -> Tuple[int, Dict[int, int]]:
        with self._lock:
            return self.count, dict(self._drawn)

    def __setstate__(self, state: Tuple[int, Dict[int, int]]) -> None:
        self.count = state[0]
        self._drawn = collections.OrderedDict(state[1])
        self._name_it()  # a copy counts for itself


_STEPS: "weakref.WeakValueDictionary[int, Steps]" = weakref.WeakValueDictionary()
# Those of exported programs, which have no module to keep them.
_EXPORTED: Dict[int, Steps] = {}


@torch.library.custom_op("guided_stop_gradient::draw_step", mutates_args=())
def _draw_step(handle: int, advance: bool) -> Tensor:
    # An operator, because torch.func.vmap takes no random number elsewhere.
    steps = _STEPS[handle]
    return _as_tensor(_number(steps, advance))


@torch.library.custom_op("guided_stop_gradient::step_of", mutates_args=())
def _step_of(drawn: Tensor, handle: Tensor, start: int,
             advance: bool) -> Tensor:
    # The same for the same number: compilers may call it twice.
    key = int(handle)
    steps: Optional[Steps] = _STEPS.get(key)
    if steps is None:
        steps = _EXPORTED.setdefault(key, Steps(start))
    return _as_tensor(steps.take(int(drawn)) if advance else steps.count)


@_step_of.register_fake
def _step_of_fake(drawn: Tensor, handle: Tensor, start: int,
                  advance: bool) -> Tensor:
    return torch.empty((), dtype=torch.int64, device="cpu")


@_draw_step.register_fake
def _draw_step_fake(handle: int, advance: bool) -> Tensor:
    return torch.empty((), dtype=torch.int64, device="cpu")


def _number(steps: Steps, advance: bool) -> int:
    return steps.take(int(_drawn())) if advance else steps.count


def _drawn() -> Tensor:
    return torch.randint(2**63 - 1, (), dtype=torch.int64, device="cpu")


def _as_tensor(step: int) -> Tensor:
    return torch.tensor(step, dtype=torch.int64, device="cpu")


class Draw(NamedTuple):
    """The number of this step, which is not drawn yet; a new one if advance."""

    steps: Steps
    advance: bool

    def number(self) -> int:
        return _number(self.steps, self.advance)

    def tensor(self) -> Tensor:
        """int64 on the CPU, by an operator, which compilers record."""
        if not torch.compiler.is_compiling():
            step: Tensor = _draw_step(self.steps.handle, self.advance)
            return step
        # A draw that compilers know as one, and replay.
        drawn = _drawn() if self.advance else _as_tensor(0)
        handle, start = self.steps.handle_tensor, 0
        if not torch.compiler.is_dynamo_compiling():  # torch.export
            handle = _as_tensor(self.steps.exported_handle)
            start = self.steps.count
        step = _step_of(drawn, handle, start, self.advance)
        return step


def tensor_of(step: Union[None, Draw, Tensor]) -> Optional[Tensor]:
    return step.tensor() if isinstance(step, Draw) else step
