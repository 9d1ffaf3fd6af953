"""Tensors whose every element follows from a name: formula_tensors.h has the
same numbers."""

import numpy as np
import torch

MASK = (1 << 64) - 1


def uniform(name, shape):
    """Doubles in [0, 1) from a tensor's name and element indices: the FNV-1a
    hash of the name plus the index, through the splitmix64 finaliser."""
    h = 0xCBF29CE484222325
    for byte in name.encode():
        h = ((h ^ byte) * 0x100000001B3) & MASK
    count = int(np.prod(shape, dtype=np.int64))
    z = np.uint64(h) + np.arange(count, dtype=np.uint64)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    z = (z ^ (z >> np.uint64(31))) >> np.uint64(11)
    return torch.from_numpy((z * 2.0**-53).reshape(shape))


def fill(model):
    with torch.no_grad():
        for name, t in [*model.named_parameters(), *model.named_buffers()]:
            if name.endswith("num_batches_tracked"):
                continue
            u = uniform(name, tuple(t.shape))
            if t.dim() >= 2:  # variance 2 / fan_in
                t.copy_((u - 0.5) * (24.0 / t[0].numel()) ** 0.5)
            elif name.endswith(("bias", "running_mean")):
                t.copy_(u - 0.5)
            else:  # scales and variances
                t.copy_(u + 0.5)
