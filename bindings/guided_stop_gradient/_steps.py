"""The count of a module's steps, which a replay of a step does not advance.

Whatever recomputes a forward pass (torch.utils.checkpoint, say) replays torch's
default CPU generator. So each step draws a number from it, and a number that was
drawn before tells a replay.
"""

import collections
import secrets
import threading
import weakref
from typing import Any, Dict, Optional, Tuple

import torch
from torch import Tensor

_REMEMBERED = 4096


class Steps:
    """How many steps a module took, and the numbers that the last ones drew."""

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
        # The count of what was exported or traced, which is not this one.
        self.exported_handle = secrets.randbits(62)
        _STEPS[self.handle] = self

    def reset(self, count: int) -> None:
        with self._lock:
            self.count = count
            self._drawn.clear()

    def take(self) -> int:
        """The number of this step."""
        drawn = int(torch.randint(2**63 - 1, (), dtype=torch.int64, device="cpu"))
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

# Not pure: two draws of a program are two steps.
_LIBRARY = torch.library.Library("guided_stop_gradient", "FRAGMENT")
_LIBRARY.define("draw_step(int handle, int start, bool advance) -> Tensor",
                tags=(torch.Tag.nondeterministic_seeded,))


def _draw_step(handle: int, start: int, advance: bool) -> Tensor:
    steps: Optional[Steps] = _STEPS.get(handle)
    if steps is None:
        steps = _EXPORTED.setdefault(handle, Steps(start))
    step = steps.take() if advance else steps.count
    return torch.tensor(step, dtype=torch.int64, device="cpu")


def _draw_step_fake(handle: int, start: int, advance: bool) -> Tensor:
    return torch.empty((), dtype=torch.int64, device="cpu")


_LIBRARY.impl("draw_step", _draw_step, "CompositeExplicitAutograd")
torch.library.register_fake("guided_stop_gradient::draw_step", _draw_step_fake,
                            lib=_LIBRARY)


def draw_step(steps: Steps, advance: bool) -> Tensor:
    """The number of this step, int64 on the CPU; a new one if advance."""
    handle, start = steps.handle, 0
    if torch.jit.is_tracing() or _is_exporting():
        handle, start = steps.exported_handle, steps.count
    step: Tensor = torch.ops.guided_stop_gradient.draw_step(
        handle, start, advance)
    return step


def _is_exporting() -> bool:
    # torch before 2.7 cannot say.
    is_exporting: Any = getattr(torch.compiler, "is_exporting", None)
    return is_exporting is not None and bool(is_exporting())
