"""SimSiam with guided stop-gradient as a Lightning module.

train() takes a loader whose batches are two views of the images, [N, C, H, W]
each. On several GPUs, Trainer(strategy="ddp"), images are paired across all of
them; BatchNorm's statistics are each process's own but for sync_batchnorm=True.
"""

import pytorch_lightning as pl
import torch
import torchvision
from guided_stop_gradient.torch import GuidedStopGradientLoss
from torch import nn


def mlp(*widths):
    return nn.Sequential(nn.Linear(*widths[:2]), nn.BatchNorm1d(widths[1]),
                         nn.ReLU(), nn.Linear(*widths[1:]))


class SimSiam(pl.LightningModule):

    def __init__(self, width=2048, lr=0.06):
        super().__init__()
        self.lr = lr
        self.encoder = torchvision.models.resnet18()
        self.encoder.fc = mlp(512, width, width)  # the projector
        self.predictor = mlp(width, width // 4, width)
        # Checkpoints have its count of steps.
        self.loss = GuidedStopGradientLoss(gather=True)

    def training_step(self, views, _):
        z1, z2 = map(self.encoder, views)
        loss = self.loss(self.predictor(z1), self.predictor(z2), z1, z2)
        self.log("loss", loss)
        return loss

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), self.lr, momentum=0.9,
                               weight_decay=5e-4)


def train(loader, width=2048, **options):
    """The model and its Trainer, which has the options."""
    model = SimSiam(width)
    trainer = pl.Trainer(**options)
    trainer.fit(model, loader)
    return model, trainer
