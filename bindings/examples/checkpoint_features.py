"""A checkpoint of the C++ trainer in torchvision and scikit-learn.

python checkpoint_features.py <folder of a run>

load_backbone() takes the file checkpoint-last.pt of a run, or any file with a
state dict of torchvision's names, and gives torchvision's network with its
weights; nearest_neighbors() is scikit-learn's k-NN on its features.
"""

import json
import pathlib
import sys
from typing import Any, Dict, Union

import torch
from torch import Tensor, nn
from torchvision.models import VisionTransformer
from torchvision.models.convnext import CNBlockConfig, ConvNeXt
from torchvision.models.resnet import BasicBlock, Bottleneck, ResNet

PREFIX = "backbone."


def backbone_state(file: Union[str, pathlib.Path]) -> Dict[str, Tensor]:
    """The weights of the backbone alone, by torchvision's names."""
    state: Dict[str, Any] = torch.load(file, map_location="cpu",
                                       weights_only=True)
    state = state.get("model", state)
    if any(name.startswith(PREFIX) for name in state):
        state = {name[len(PREFIX):]: value for name, value in state.items()
                 if name.startswith(PREFIX)}
    return state


def load_backbone(file: Union[str, pathlib.Path],
                  stem: str = "imagenet") -> nn.Module:
    """The network of a checkpoint, without its last layer, to evaluate.

    stem: the setting of that name in the run's config.json, for ResNets and
        ConvNeXt.
    """
    state = backbone_state(file)
    if "class_token" in state:
        return vision_transformer(state)
    if "classifier.0.weight" in state:
        return convnext(state, stem)
    block = Bottleneck if "layer1.0.conv3.weight" in state else BasicBlock
    stages = [f"layer{i}" for i in (1, 2, 3, 4)]
    blocks = [len({name.split(".")[1] for name in state
                   if name.startswith(stage)}) for stage in stages]
    network: Any = ResNet(block, blocks)
    network.fc = nn.Identity()
    width, channels, kernel, _ = state["conv1.weight"].shape
    network.conv1 = nn.Conv2d(channels, width, kernel, bias=False,
                              stride=1 if stem == "small" else 2,
                              padding=kernel // 2)
    if stem != "imagenet":
        network.maxpool = nn.Identity()
    if width != 64:  # resnet_small is narrower than torchvision's networks
        network.bn1 = nn.BatchNorm2d(width)
        network.inplanes = width
        for i, stage in enumerate(stages):
            setattr(network, stage, network._make_layer(
                block, width * 2**i, blocks[i], stride=1 if i == 0 else 2))
    network.load_state_dict(state)
    trained: nn.Module = network.eval()
    return trained


def vision_transformer(state: Dict[str, Tensor]) -> nn.Module:
    """The Vision Transformer of a state dict."""
    width, channels, patch, _ = state["conv_proj.weight"].shape
    side = round((state["encoder.pos_embedding"].shape[1] - 1)**0.5)
    layers = {name.split(".")[2] for name in state
              if name.startswith("encoder.layers.")}
    hidden = state["encoder.layers.encoder_layer_0.mlp.0.weight"].shape[0]
    network: Any = VisionTransformer(
        image_size=side * patch, patch_size=patch, num_layers=len(layers),
        num_heads=width // 64, hidden_dim=width, mlp_dim=hidden)
    network.conv_proj = nn.Conv2d(channels, width, patch, stride=patch)
    network.heads = nn.Identity()
    network.load_state_dict(state)
    trained: nn.Module = network.eval()
    return trained


def convnext(state: Dict[str, Tensor], stem: str) -> nn.Module:
    """The ConvNeXt of a state dict."""
    stages = [sum(name.startswith(f"features.{part}.")
                  and name.endswith(".layer_scale") for name in state)
              for part in (1, 3, 5, 7)]
    widths = [state[f"features.{part}.0.layer_scale"].shape[0]
              for part in (1, 3, 5, 7)]
    network: Any = ConvNeXt([
        CNBlockConfig(width, following, blocks) for width, following, blocks
        in zip(widths, [*widths[1:], None], stages)])
    width, channels, kernel, _ = state["features.0.0.weight"].shape
    stride = {"imagenet": 4, "small": 1, "small_stride2": 2}[stem]
    network.features[0][0] = nn.Conv2d(channels, width, kernel, stride=stride,
                                       padding=0 if stride == 4 else 1)
    network.classifier[2] = nn.Identity()
    network.load_state_dict(state)
    trained: nn.Module = network.eval()
    return trained


@torch.no_grad()
def features(network: nn.Module, images: Tensor, batch: int = 256) -> Any:
    """[N, D] of images [N, C, H, W], each row of length 1."""
    rows = torch.cat([network(part) for part in images.split(batch)])
    return nn.functional.normalize(rows).numpy()


def nearest_neighbors(train: Any, train_labels: Any, k: int = 20) -> Any:
    """A classifier of features, by the cosine to those of `train`."""
    from sklearn.neighbors import KNeighborsClassifier
    return KNeighborsClassifier(k, weights="distance", metric="cosine").fit(
        train, train_labels)


if __name__ == "__main__":
    run = pathlib.Path(sys.argv[1])
    config = json.loads((run / "config.json").read_text(encoding="utf-8"))
    print(load_backbone(run / "checkpoint-last.pt", config["stem"]))
