"""Released weights of timm's networks come to ours and go back.

A run's own network goes to timm in transfer_test.
"""

import os
import unittest

import numpy as np
import safetensors.torch
import timm
import torch
import torchvision

from tests.trainers import training_run as tr
from tests.trainers.programs import program_run as pr
from tests.trainers.programs.exported_network import (
    TOLERANCE, photos, printed_model, train, write_photos)

# Its name in timm, arguments there, and in torchvision the last layer.
NETWORKS = {
    "resnet18": ("resnet18", {}, "fc"),
    "resnet50": ("resnet50", {}, "fc"),
    "vit_tiny": ("vit_tiny_patch16_224", {"img_size": 64, "patch_size": 8},
                 "heads.head"),
    "vit_small": ("vit_small_patch16_224", {"img_size": 64}, "heads.head"),
    "convnext_tiny": ("convnext_tiny", {}, "classifier.2"),
}


def random_network(backbone):
    """timm's, with no part that does nothing as it starts out in training: scales
    of zero or 1e-6, biases of zero, BatchNorms that have seen nothing."""
    torch.manual_seed(1)
    name, arguments, _ = NETWORKS[backbone]
    network = timm.create_model(name, pretrained=False, **arguments)
    with torch.no_grad():
        for parameter in network.parameters():
            if parameter.dim() == 1:
                parameter.add_(0.2 * torch.randn_like(parameter))
        network.train()(torch.randn(4, 3, 64, 64))
    return network.eval()


def torchvision_network(backbone):
    if not backbone.startswith("vit"):
        return torchvision.models.get_model(backbone)
    patch, width = {"vit_tiny": (8, 192), "vit_small": (16, 384)}[backbone]
    return torchvision.models.VisionTransformer(
        image_size=64, patch_size=patch, num_layers=12, num_heads=width // 64,
        hidden_dim=width, mlp_dim=4 * width)


def features(network, images):
    """What timm's network has in front of its classifier."""
    with torch.no_grad():
        return network.forward_head(network.forward_features(images),
                                    pre_logits=True)


class TimmTest(unittest.TestCase):

    @classmethod
    def setUpClass(cls):
        torch.set_num_threads(1)
        cls.folder = os.path.dirname(tr.new_folder())
        cls.photos = os.path.join(cls.folder, "photos")
        write_photos(cls.photos, train=5, val=1)

    def path(self, name):
        return os.path.join(self.folder, name)

    def check_close(self, ours, theirs):
        self.assertGreater(theirs.std(0).mean(), 100 * TOLERANCE)
        np.testing.assert_allclose(np.load(ours), theirs.numpy(),
                                   rtol=TOLERANCE, atol=TOLERANCE)

    def test_weights_come_and_go(self):
        for backbone in NETWORKS:
            with self.subTest(backbone):
                network = random_network(backbone)
                weights = "--weights=" + self.path("timm.safetensors")
                safetensors.torch.save_file(network.state_dict(),
                                            self.path("timm.safetensors"))
                pr.succeed("embed", weights, "--images=" + self.photos,
                           "--image_size=64", "--threads=1",
                           "--output=" + self.path("features.npy"))
                images = photos(self.photos, self.path("features.txt"))
                self.check_close(self.path("features.npy"),
                                 features(network, images))

                self.check_export(backbone, network, weights, images,
                                  "back.safetensors")
                if backbone == "convnext_tiny":
                    self.check_export(backbone, network, weights, images,
                                      "back.pt")

    def check_export(self, backbone, network, weights, images, file):
        """timm and torchvision load the same weights again."""
        state = network.state_dict()
        load = (torch.load if file.endswith(".pt") else
                safetensors.torch.load_file)
        output = "--output=" + self.path(file)
        printed = pr.succeed("export", weights, "--names=timm",
                             "--num_classes=0", output)
        back = load(self.path(file))
        classifier = {network.default_cfg["classifier"] + end
                      for end in (".weight", ".bias")}
        self.assertEqual(set(state) - set(back), classifier)
        for name, value in back.items():
            self.assertTrue(torch.equal(value, state[name]), name)
        missing, unexpected = random_network(backbone).load_state_dict(
            back, strict=False)
        self.assertEqual(set(missing), classifier)
        self.assertEqual(unexpected, [])
        same = printed_model(printed, timm=timm, safetensors=safetensors).eval()
        with torch.no_grad():
            self.assertTrue(torch.equal(same(images), features(network, images)))

        printed = pr.succeed("export", weights, "--num_classes=0", output)
        last = NETWORKS[backbone][2]
        missing, unexpected = torchvision_network(backbone).load_state_dict(
            load(self.path(file)), strict=False)
        self.assertEqual(missing, [last + ".weight", last + ".bias"])
        self.assertEqual(unexpected, [])
        model = printed_model(printed, safetensors=safetensors).eval()
        with torch.no_grad():
            self.check_close(self.path("features.npy"), model(images))

    def test_training_starts_from_timms_weights(self):
        state = random_network("convnext_tiny").state_dict()
        weights = self.path("start.safetensors")
        safetensors.torch.save_file(state, weights)
        run = self.path("started")
        flags = ("--dataset=folder", "--data_dir=" + self.photos,
                 "--backbone=convnext_tiny", "--crop_size=32",
                 "--init=" + weights)
        train(run, "--stem=imagenet", "--base_lr=1e-9", *flags)
        model = torch.load(os.path.join(run, "checkpoint-last.pt"))["model"]
        scale = model["backbone.features.5.8.layer_scale"]
        self.assertEqual(scale.shape, (384, 1, 1))
        np.testing.assert_allclose(scale.flatten(),
                                   state["stages.2.blocks.8.gamma"], atol=1e-6)
        process = tr.run("--output_dir=" + self.path("refused"),
                         "--recipe=fashion_mnist", "--stem=small", *flags)
        self.assertEqual(process.returncode, 1)
        self.assertIn("features.0.0.weight is [96, 3, 4, 4] and not "
                      "[96, 3, 3, 3]. --stem=imagenet has the first convolution "
                      "of released networks", process.stderr)

    def test_timm_has_no_thin_resnet(self):
        data, run = tr.small_data(100, 30), self.path("thin")
        train(run, "--dataset=mnist", "--data_dir=" + data, "--knn_k=5")
        process = pr.run("export", "--run=" + run, "--names=timm",
                         "--output=" + self.path("thin.pt"))
        self.assertEqual(process.returncode, 1)
        self.assertIn("timm has no network like resnet_small", process.stderr)
        self.assertFalse(os.path.exists(self.path("thin.pt")))


if __name__ == "__main__":
    unittest.main()
