"""Writes the golden files beside this script from torchvision's networks.

    python make_goldens.py

<network>.txt: "parameter|buffer name shape" per line, in registration order,
without the classifier. features.txt: "case train|eval f0 ... f7 mean std" per
line, f the first image's features of a ResNet; the eval pass follows the train
pass, so it also sees the running statistics which that pass updated.

vit.txt, convnext.txt: "case features f0 ... f7 mean std" and, for one of the
cases, a line "case gradient name norm projection" for each parameter: of the
gradient of sum(features * uniform("direction")), its norm and its sum of products
with uniform(name) - 0.5.
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


def vit(image_size, patch_size, heads, in_channels=3):
    model = torchvision.models.VisionTransformer(
        image_size=image_size, patch_size=patch_size, num_layers=12,
        num_heads=heads, hidden_dim=64 * heads, mlp_dim=256 * heads)
    model.heads = torch.nn.Identity()
    if in_channels != 3:
        model.conv_proj = torch.nn.Conv2d(
            in_channels, 64 * heads, patch_size, stride=patch_size)
    return model.double()


def vit_lines(case, model, size, larger=None):
    """With `larger`, the network is made for size and sees images of that."""
    fill(model)
    if larger:
        state = torchvision.models.vision_transformer.interpolate_embeddings(
            larger, model.patch_size, model.state_dict())
        in_channels = size[1]
        model = vit(larger, model.patch_size, model.hidden_dim // 64,
                    in_channels)
        model.load_state_dict(state)
        size = (*size[:2], larger, larger)
    yield from model_lines(case, model, size, gradients=case == "vit_tiny")


def convnext(stem="imagenet", in_channels=3):
    # Without stochastic depth in training, too.
    model = torchvision.models.convnext_tiny(stochastic_depth_prob=0)
    model.classifier[2] = torch.nn.Identity()
    if stem != "imagenet":
        stride = {"small": 1, "small_stride2": 2}[stem]
        model.features[0][0] = torch.nn.Conv2d(
            in_channels, 96, 3, stride=stride, padding=1)
    return model.double()


def convnext_lines(case, model, size):
    fill(model)
    yield from model_lines(case, model, size, gradients=case == "convnext_tiny")


def model_lines(case, model, size, gradients):
    y = model(uniform("input", size) - 0.5)
    numbers = [*y[0, :8].tolist(), y.mean().item(),
               y.std(unbiased=False).item()]
    yield " ".join([case, "features", *map(repr, numbers)])
    if not gradients:
        return
    (y * uniform("direction", tuple(y.shape))).sum().backward()
    for name, p in model.named_parameters():
        projection = (p.grad * (uniform(name, tuple(p.shape)) - 0.5)).sum()
        yield " ".join([case, "gradient", name, repr(p.grad.norm().item()),
                        repr(projection.item())])


def main():
    r18, r50 = torchvision.models.resnet18, torchvision.models.resnet50
    for make in (r18, r50):
        text = "\n".join(names(without_fc(make))) + "\n"
        (HERE / f"{make.__name__}.txt").write_text(text)
    lines = [
        *features("resnet18_imagenet", without_fc(r18), (3, 3, 64, 64)),
        *features("resnet18_small", without_fc(r18, "small"), (3, 3, 16, 16)),
        *features("resnet18_small_stride2_gray",
                  without_fc(r18, "small_stride2", 1), (3, 1, 28, 28)),
        *features("resnet50_imagenet", without_fc(r50), (3, 3, 64, 64)),
    ]
    (HERE / "features.txt").write_text("\n".join(lines) + "\n")

    tiny = names(vit(32, 4, heads=3))
    (HERE / "vit_tiny.txt").write_text("\n".join(tiny) + "\n")
    lines = [
        *vit_lines("vit_tiny", vit(32, 4, heads=3), (3, 3, 32, 32)),
        *vit_lines("vit_small", vit(64, 16, heads=6), (3, 3, 64, 64)),
        *vit_lines("vit_tiny_gray", vit(28, 4, heads=3, in_channels=1),
                   (3, 1, 28, 28)),
        *vit_lines("vit_tiny_larger", vit(20, 4, heads=3, in_channels=1),
                   (3, 1, 20, 20), larger=28),
    ]
    (HERE / "vit.txt").write_text("\n".join(lines) + "\n")

    (HERE / "convnext_tiny.txt").write_text("\n".join(names(convnext())) + "\n")
    lines = [
        *convnext_lines("convnext_tiny", convnext(), (3, 3, 64, 96)),
        *convnext_lines("convnext_tiny_small", convnext("small"), (3, 3, 9, 8)),
        *convnext_lines("convnext_tiny_small_stride2_gray",
                        convnext("small_stride2", 1), (3, 1, 28, 15)),
    ]
    (HERE / "convnext.txt").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
