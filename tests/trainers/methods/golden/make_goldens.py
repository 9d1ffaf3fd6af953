"""Writes <case>.txt beside this script: ten steps of each method in PyTorch.

    python make_goldens.py

The losses are the papers', as anyone would write them with autograd; nothing of
this project is used. Everything runs in float64, and a second time in float32
to learn how far rounding alone leads from it.

Each file has, a line each,
    salt s                   part of the names that images and pairings are from
    loss l0 .. l9
    pairs c0 .. c3           for each of the ten steps (guided methods)
    error e                  the float32 run's largest, of any loss or tensor
    tensor NAME v0 v1 ..     parameters and buffers after the last step
with the C++ checkpoints' names.
"""

import copy
import itertools
import math
import pathlib
import sys

import torch
from torch import nn

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE.parents[2] / "models" / "golden"))
from formula import fill, uniform  # pylint: disable=wrong-import-position

# No ReLU may switch and no pair change by rounding: what float32 runs compute
# must lie further than this from where they would. A salt is tried until so.
MARGIN = 2e-5

STEPS = 10
IMAGES = 8
LR, PEAK_LR, MOMENTUM, WEIGHT_DECAY = 0.03, 0.06, 0.9, 1e-2


class Margin:
    """How near anything came to switching."""
    value = math.inf

    @classmethod
    def see(cls, distances):
        cls.value = min(cls.value, distances.abs().min().item())


class ReLU(nn.Module):

    def forward(self, x):
        Margin.see(x)
        return x.relu()


class Block(nn.Module):
    """A ResNet's basic block whose shortcut is the identity.

    oneDNN's 1x1 convolution, which a shortcut between widths would be, writes
    past its end for as few channels as these (torch 2.11, AVX2).
    """

    def __init__(self, channels):
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 3, 1, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)
        self.relu = ReLU()

    def forward(self, x):
        y = self.bn2(self.conv2(self.relu(self.bn1(self.conv1(x)))))
        return self.relu(x + y)


class Backbone(nn.Module):
    """A ResNet of two stages, for small images."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 4, 3, 1, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(4)
        self.layer1 = nn.Sequential(Block(4))
        self.layer2 = nn.Sequential(Block(4))
        self.relu = ReLU()

    def forward(self, x):
        x = self.relu(self.bn1(self.conv1(x)))
        return self.layer2(self.layer1(x)).mean((2, 3))


def make_projector():
    return nn.Sequential(
        nn.Linear(4, 8, bias=False), nn.BatchNorm1d(8), ReLU(),
        nn.Linear(8, 8, bias=False), nn.BatchNorm1d(8, affine=False))


def make_predictor():
    return nn.Sequential(
        nn.Linear(8, 4, bias=False), nn.BatchNorm1d(4), ReLU(),
        nn.Linear(4, 8))


def make_model():
    model = nn.Module()
    model.backbone = Backbone()
    model.projector = make_projector()
    model.predictor = make_predictor()
    fill(model.double())
    return model


def images(salt, step, view, side=4):
    name = f"salt {salt} step {step} view {view}"
    return 4 * uniform(name, (IMAGES, 3, side, side)) - 2


def permutation(salt, step):
    """A cycle through all images in a random order: none is its own second."""
    order = uniform(f"salt {salt} step {step} pairing", (IMAGES,)).argsort()
    r = torch.empty_like(order)
    r[order] = order.roll(-1)
    return r


def d(p, t):
    return -nn.functional.cosine_similarity(p, t.detach(), dim=1)


# Of the selections of that name.
TEMPERATURE, MARGIN_PART = 0.5, 0.1


def guided(p, t, selection):
    """The guided loss of p, t = views 11, 12, 21, 22, and which pair it chose."""
    distances = torch.stack(
        [(t[a] - t[b]).square().sum(1).sqrt() for a in (0, 1) for b in (2, 3)],
        dim=1).detach()
    closest, following = distances.sort(dim=1).values[:, :2].T
    Margin.see(following - closest)
    pair = distances.argmin(dim=1)
    d11, d12, d21, d22 = (d(p[v], t[v ^ 1]) for v in range(4))
    if selection == "soft":
        # The expectation over a pair that is drawn.
        losses = torch.stack([d11 + d21, d11 + d22, d12 + d21, d12 + d22], dim=1)
        chance = (-distances / TEMPERATURE).softmax(dim=1)
        return (chance * losses).sum(dim=1).mean() / 2, pair
    first = torch.where(pair < 2, d11, d12)
    second = torch.where(pair % 2 == 0, d21, d22)
    loss = (first + second) / 2
    if selection == "margin":
        gap = (1 - MARGIN_PART) * following - closest
        Margin.see(gap)
        loss = torch.where(gap > 0, loss, (d11 + d12 + d21 + d22) / 4)
        pair = torch.where(gap > 0, pair, 4)
    return loss.mean(), pair


def nearest(t):
    """Whose closest view is closest, of all other images: [IMAGES].

    t: two views that images show in both roles, or four, in their own rows.
    """
    second = t[:2] if len(t) == 2 else t[2:]
    between = torch.stack([
        (a[:, None] - b[None]).square().sum(2).sqrt()
        for a in t[:2] for b in second]).amin(0).detach()
    between.fill_diagonal_(math.inf)
    closest, following = between.sort(dim=1).values[:, :2].T
    Margin.see(following - closest)
    return between.argmin(dim=1)


def train(case, salt, dtype):
    """Returns losses, pair counts and the final tensors."""
    model = make_model().to(dtype)
    target = None
    if case["momentum_encoder"]:
        target = nn.Module()
        target.backbone = copy.deepcopy(model.backbone)
        target.projector = copy.deepcopy(model.projector)
    encoder = [*model.backbone.parameters(), *model.projector.parameters()]
    optimizer = torch.optim.SGD(
        [{"params": encoder, "lr": LR},
         {"params": model.predictor.parameters(), "lr": PEAK_LR}],
        momentum=MOMENTUM, weight_decay=WEIGHT_DECAY)
    losses, counts = [], []
    for step in range(STEPS):
        if target:
            m = 0.9
            if case["cosine"]:
                m = 1 - (1 - m) * (math.cos(math.pi * step / STEPS) + 1) / 2
            slow = [*target.backbone.parameters(),
                    *target.projector.parameters()]
            for t, o in zip(slow, encoder):
                t.data = m * t.data + (1 - m) * o.data
        r = permutation(salt, step)
        views = [images(salt, step, v).to(dtype) for v in range(case["views"])]
        by_projections = case.get("pairing") == "nearest"
        if case["views"] == 4 and not by_projections:
            views[2], views[3] = views[2][r], views[3][r]
        z = [model.projector(model.backbone(x)) for x in views]
        p = [model.predictor(x) for x in z]
        t = z
        if target:
            with torch.no_grad():
                t = [target.projector(target.backbone(x)) for x in views]
        # Smaller views, which predict the targets of the large ones.
        local = [model.predictor(model.projector(model.backbone(
            images(salt, step, 2 + l, side=3).to(dtype))))
                 for l in range(case.get("local", 0))]
        if not case["guided"]:
            losses_of_pairs = [d(p[0], t[1]), d(p[1], t[0])]
            losses_of_pairs += [d(x, y) for x in local for y in t]
            loss = sum(losses_of_pairs).mean() / len(losses_of_pairs)
        elif local:
            # A large view is a target or not in each row; all others predict it.
            chosen, pair = guided([*p, p[0][r], p[1][r]],
                                  [*t, t[0][r], t[1][r]], "min")
            counts.append(pair.bincount(minlength=4).tolist())
            loss = chosen
            for x in local:
                first = torch.where(pair < 2, d(x, t[1]), d(x, t[0]))
                second = torch.where(pair % 2 == 0, d(x[r], t[1][r]),
                                     d(x[r], t[0][r]))
                loss = loss + (first + second).mean() / 2
            loss = loss / (1 + len(local))
        else:
            if by_projections:
                r = nearest(t)
                if case["views"] == 4:
                    p, t = [*p[:2], p[2][r], p[3][r]], [*t[:2], t[2][r], t[3][r]]
            if case["views"] == 2:  # another image of the batch lends its views
                p, t = [*p, p[0][r], p[1][r]], [*t, t[0][r], t[1][r]]
            loss, pair = guided(p, t, case.get("selection", "min"))
            counts.append(pair.bincount(minlength=4)[:4].tolist())
        losses.append(loss.item())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    tensors = dict(model.state_dict())
    if target:
        tensors.update({"target." + k: v for k, v in target.state_dict().items()})
    tensors = {k: v for k, v in tensors.items()
               if not k.endswith("num_batches_tracked")}
    return losses, counts, tensors


def write(name, **case):
    for salt in itertools.count():
        Margin.value = math.inf
        losses, counts, tensors = train(case, salt, torch.float64)
        if Margin.value > MARGIN:
            break
    losses32, _, tensors32 = train(case, salt, torch.float32)
    with open(HERE / f"{name}.txt", "w", encoding="utf-8") as out:
        print("salt", salt, file=out)
        print("loss", *(f"{x:.15g}" for x in losses), file=out)
        for c in counts:
            print("pairs", *c, file=out)
        errors = [abs(a - b) for a, b in zip(losses, losses32)]
        errors += [(value - tensors32[key].double()).abs().max().item()
                   for key, value in tensors.items()]
        print(f"error {max(errors):.2g}", file=out)
        for key, value in tensors.items():
            print("tensor", key, *(f"{x:.12g}" for x in value.flatten().tolist()),
                  file=out)


def main():
    write("simsiam", momentum_encoder=False, guided=False, views=2)
    write("simsiam_gsg_four", momentum_encoder=False, guided=True, views=4)
    write("simsiam_gsg_shared", momentum_encoder=False, guided=True, views=2)
    write("simsiam_gsg_soft", momentum_encoder=False, guided=True, views=2,
          selection="soft")
    write("simsiam_gsg_margin", momentum_encoder=False, guided=True, views=2,
          selection="margin")
    write("simsiam_gsg_local", momentum_encoder=False, guided=True, views=2,
          local=2)
    write("byol_local", momentum_encoder=True, guided=False, views=2, local=1,
          cosine=False)
    write("simsiam_gsg_nearest", momentum_encoder=False, guided=True, views=2,
          pairing="nearest")
    write("byol_gsg_nearest_four", momentum_encoder=True, guided=True, views=4,
          cosine=False, pairing="nearest")
    write("byol", momentum_encoder=True, guided=False, views=2, cosine=True)
    write("byol_gsg_four", momentum_encoder=True, guided=True, views=4,
          cosine=False)


if __name__ == "__main__":
    main()
