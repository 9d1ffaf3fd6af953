"""A run's network as ONNX, by PyTorch's own exporter."""

import importlib.util
import json
import pathlib
import warnings
from typing import List

import torch
from torch import Tensor, nn

from guided_stop_gradient_train._backbone import load_backbone


class _Normalized(nn.Module):
    """A network behind the normalization of its run."""

    mean: Tensor
    std: Tensor

    def __init__(self, network: nn.Module, mean: List[float],
                 std: List[float]) -> None:
        super().__init__()
        self.network = network
        for name, values in (("mean", mean), ("std", std)):
            self.register_buffer(name, torch.tensor(values).view(1, -1, 1, 1))

    def forward(self, images: Tensor) -> Tensor:
        features: Tensor = self.network((images - self.mean) / self.std)
        return features


def export_onnx(folder: pathlib.Path, path: pathlib.Path) -> None:
    """Writes the network of the run in `folder`: see Run.export_onnx."""
    for name in ("onnx", "onnxscript"):
        if importlib.util.find_spec(name) is None:
            raise ImportError(f"ONNX is written by torch.onnx, which needs {name}: "
                              "pip install onnx onnxscript")
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    checkpoint = folder / "checkpoint-last.pt"
    saved = torch.load(checkpoint, map_location="cpu", weights_only=True)
    meta = json.loads(saved["meta"])
    network = _Normalized(load_backbone(checkpoint, config["stem"]),
                          meta["channel_mean"], meta["channel_std"]).eval()
    side = config["crop_size"]
    dynamic = torch.export.Dim.DYNAMIC
    shape = {0: dynamic}
    if not config["backbone"].startswith("vit"):
        shape.update({2: dynamic, 3: dynamic})
        side = max(side, 64)  # one pixel left in the last stage would be a constant
    example = torch.zeros(2, len(meta["channel_mean"]), side, side)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the exporter, about itself
        torch.onnx.export(network, (example,), path, input_names=["images"],
                          output_names=["features"], dynamic_shapes=(shape,),
                          external_data=False, verbose=False, dynamo=True)
