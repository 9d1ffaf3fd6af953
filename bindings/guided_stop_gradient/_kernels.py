"""The kernels for NVIDIA GPUs, where they are built in."""

import importlib
from types import ModuleType
from typing import Optional


def load() -> Optional[ModuleType]:
    """gsg._cuda, which builds with --config=cuda have."""
    try:
        return importlib.import_module("guided_stop_gradient._cuda")
    except ModuleNotFoundError:
        return None
