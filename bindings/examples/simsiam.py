"""SimSiam with guided stop-gradient in plain PyTorch.

python simsiam.py [steps]: on random pictures, to show the loop. What to put in
their place is marked; the defaults are the recipe of the paper for CIFAR-10.
"""

import sys

import torch
import torchvision
from torch import nn

import guided_stop_gradient as gsg
import guided_stop_gradient.torch


def mlp(*widths, last_norm):
    layers = []
    for i, (a, b) in enumerate(zip(widths, widths[1:])):
        last = i == len(widths) - 2
        layers.append(nn.Linear(a, b, bias=last and not last_norm))
        if not last or last_norm:
            layers.append(nn.BatchNorm1d(b, affine=not last))
        if not last:
            layers.append(nn.ReLU())
    return nn.Sequential(*layers)


def main(steps, width=2048, batch=512, side=32):
    torch.manual_seed(0)
    encoder = torchvision.models.resnet18(num_classes=1)
    encoder.conv1 = nn.Conv2d(3, 64, 3, padding=1, bias=False)
    encoder.maxpool = nn.Identity()
    encoder.fc = mlp(512, width, width, last_norm=True)  # the projector
    predictor = mlp(width, width // 4, width, last_norm=False)
    loss_fn = gsg.torch.GuidedStopGradientLoss()
    parameters = [*encoder.parameters(), *predictor.parameters()]
    optimizer = torch.optim.SGD(parameters, lr=0.03 * batch / 256, momentum=0.9,
                                weight_decay=5e-4)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    for step in range(steps):
        # Your data: two augmented views of each image of a batch.
        images = torch.rand(batch, 3, side, side)
        views = [images + 0.1 * torch.randn_like(images) for _ in range(2)]
        z1, z2 = (encoder(view) for view in views)
        loss = loss_fn(predictor(z1), predictor(z2), z1, z2)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        print(f"step {step}: loss {loss.item():.3f}, "
              f"std {gsg.feature_std(z1.detach()):.3f}")
    return encoder, predictor


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100)
