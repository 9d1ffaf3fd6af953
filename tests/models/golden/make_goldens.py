"""Writes the golden files beside this script from torchvision's ResNets.

    python make_goldens.py

<network>.txt: "parameter|buffer name shape" per line, in registration order,
without fc. features.txt: "case train|eval f0 ... f7 mean std" per line, f the
first image's features; the eval pass follows the train pass, so it also sees
the running statistics which that pass updated.
"""

import pathlib

import torch
import torchvision
from formula import fill, uniform

HERE = pathlib.Path(__file__).parent


def without_fc(make, stem="imagenet", in_channels=3):
    model = make(weights=None)
    model.fc = torch.nn.Identity()
    if stem != "imagenet":
        stride = {"small": 1, "small_stride2": 2}[stem]
        model.conv1 = torch.nn.Conv2d(
            in_channels, 64, 3, stride=stride, padding=1, bias=False)
        model.maxpool = torch.nn.Identity()
    return model.double()


def names(model):
    for kind, tensors in (("parameter", model.named_parameters()),
                          ("buffer", model.named_buffers())):
        for name, t in tensors:
            yield " ".join([kind, name, "x".join(map(str, t.shape)) or "scalar"])


def features(case, model, size):
    fill(model)
    x = uniform("input", size) - 0.5
    for mode in ("train", "eval"):
        model.train(mode == "train")
        with torch.no_grad():
            y = model(x)
        numbers = [*y[0, :8].tolist(), y.mean().item(),
                   y.std(unbiased=False).item()]
        yield " ".join([case, mode, *map(repr, numbers)])


def main():
    r18, r50 = torchvision.models.resnet18, torchvision.models.resnet50
    for make in (r18, r50):
        text = "\n".join(names(without_fc(make))) + "\n"
        (HERE / f"{make.__name__}.txt").write_text(text)
    lines = [
        *features("resnet18_imagenet", without_fc(r18), (3, 3, 64, 64)),
        *features("resnet18_small", without_fc(r18, "small"), (3, 3, 16, 16)),
        *features("resnet18_small_stride2_grey",
                  without_fc(r18, "small_stride2", 1), (3, 1, 28, 28)),
        *features("resnet50_imagenet", without_fc(r50), (3, 3, 64, 64)),
    ]
    (HERE / "features.txt").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
