"""Handlers of XLA's foreign function interface, in capsules: see gsg.jax."""

from typing import Any

guided_loss: Any
nearest_pairing: Any
