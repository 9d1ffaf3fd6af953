"""The same with guided stop-gradient: three lines are other."""

import torch
import torchvision
from guided_stop_gradient.torch import GuidedStopGradientLoss
from lightly.models.modules import SimSiamPredictionHead, SimSiamProjectionHead
from torch import nn


class SimSiam(nn.Module):

    def __init__(self):
        super().__init__()
        self.backbone = torchvision.models.resnet18()
        self.backbone.fc = nn.Identity()
        self.projection_head = SimSiamProjectionHead(512, 512, 128)
        self.prediction_head = SimSiamPredictionHead(128, 64, 128)

    def forward(self, x):
        z = self.projection_head(self.backbone(x))
        return z.detach(), self.prediction_head(z)


def train(batches):
    model = SimSiam()
    criterion = GuidedStopGradientLoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.06)
    losses = []
    for x0, x1 in batches:
        z0, p0 = model(x0)
        z1, p1 = model(x1)
        loss = criterion(p0, p1, z0, z1)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        losses.append(loss.item())
    return losses
