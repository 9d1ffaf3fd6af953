"""torchvision and timm take what export writes, and docs/transfer.md is true."""

import json
import os
import re
import struct
import unittest

import numpy as np
import timm
import torch
import torchvision

from tests.trainers import training_run as tr
from tests.trainers.programs import program_run as pr
from tests.trainers.programs.exported_network import (
    TOLERANCE, images_of, normalized, photos, printed_model, train, write_photos)


def without_classifier(model):
    if isinstance(model, torchvision.models.VisionTransformer):
        model.heads = torch.nn.Identity()
    elif isinstance(model, torchvision.models.ConvNeXt):
        model.classifier[2] = torch.nn.Identity()
    else:
        model.fc = torch.nn.Identity()
    return model.eval()


class TransferTest(unittest.TestCase):

    @classmethod
    def setUpClass(cls):
        torch.set_num_threads(1)
        cls.folder = os.path.dirname(tr.new_folder())
        cls.photos = os.path.join(cls.folder, "photos")
        write_photos(cls.photos)
        cls.runs = {}
        for backbone in ("resnet18", "resnet50"):
            cls.runs[backbone] = os.path.join(cls.folder, backbone)
            train(cls.runs[backbone], "--dataset=folder",
                  "--data_dir=" + cls.photos, "--backbone=" + backbone,
                  "--stem=imagenet", "--crop_size=64")
            pr.succeed("export", "--run=" + cls.runs[backbone],
                       "--output=" + os.path.join(cls.folder, backbone + ".pt"))

    def path(self, name):
        return os.path.join(self.folder, name)

    def check_timm(self, run, images, features):
        """timm's network, by the lines that export prints, has the features in
        that file."""
        printed = pr.succeed("export", "--run=" + run, "--names=timm",
                             "--num_classes=7",
                             "--output=" + self.path("timm.pt"))
        model = printed_model(printed, timm=timm).eval()
        with torch.no_grad():
            self.assertTrue(torch.equal(model(images),
                                        torch.zeros(len(images), 7)))
            theirs = model.forward_head(model.forward_features(images),
                                        pre_logits=True)
        self.assertGreater(theirs.std(0).mean(), 10 * TOLERANCE)
        np.testing.assert_allclose(np.load(features), theirs.numpy(), rtol=0,
                                   atol=TOLERANCE)

    def test_torchvision_takes_the_file_and_has_the_same_features(self):
        for backbone, run in self.runs.items():
            pr.succeed("embed", "--run=" + run, "--images=" + self.photos,
                       "--output=" + self.path(backbone + ".npy"),
                       "--threads=1")
            ours = np.load(self.path(backbone + ".npy"))
            with open(self.path(backbone + ".txt")) as f:
                names = f.read().splitlines()
            self.assertEqual(len(names), 28)
            self.assertEqual(names, sorted(names))

            model = torchvision.models.get_model(backbone)
            model.load_state_dict(torch.load(self.path(backbone + ".pt")))
            with torch.no_grad():
                self.assertEqual(
                    model.eval()(torch.rand(1, 3, 64, 64)).abs().max(), 0)
                theirs = without_classifier(model)(
                    photos(self.photos, self.path(backbone + ".txt")))
            self.assertEqual(ours.shape, tuple(theirs.shape))
            # After one step BatchNorm's statistics have not settled yet, and those
            # of a ResNet-50 are of order 100.
            tolerance = TOLERANCE * max(1, theirs.mean().item())
            self.assertGreater(theirs.std(0).mean(), 10 * tolerance)
            np.testing.assert_allclose(ours, theirs.numpy(), rtol=0,
                                       atol=tolerance)
        self.check_timm(self.runs["resnet18"],
                        photos(self.photos, self.path("resnet18.txt")),
                        self.path("resnet18.npy"))

    def test_safetensors_are_the_same_tensors(self):
        path = self.path("resnet18.safetensors")
        printed = pr.succeed("export", "--run=" + self.runs["resnet18"],
                             "--output=" + path)
        self.assertIn('safetensors.torch.load_file("%s")' % path, printed)
        with open(path, "rb") as f:
            header = json.loads(f.read(struct.unpack("<Q", f.read(8))[0]))
            values = f.read()
        types = {"F32": np.float32, "I64": np.int64}
        want = torch.load(self.path("resnet18.pt"))
        self.assertEqual(set(header) - {"__metadata__"}, set(want))
        for name, tensor in want.items():
            begin, end = header[name]["data_offsets"]
            got = np.frombuffer(values[begin:end], types[header[name]["dtype"]])
            np.testing.assert_array_equal(
                got.reshape(header[name]["shape"]), tensor.numpy())

    def test_other_stems_load_by_the_lines_that_export_prints(self):
        data = tr.small_data(100, 30)
        images = images_of(os.path.join(data, "t10k-images-idx3-ubyte"))
        for backbone, stem in (("resnet18", "small"),
                               ("resnet18", "small_stride2"),
                               ("resnet_small", "small_stride2"),
                               ("convnext_tiny", "small"),
                               ("convnext_tiny", "small_stride2")):
            run = self.path("run_%s_%s" % (backbone, stem))
            train(run, "--dataset=mnist", "--data_dir=" + data,
                  "--backbone=" + backbone, "--stem=" + stem,
                  "--crop_size=16", "--knn_k=5")
            printed = pr.succeed("export", "--run=" + run, "--num_classes=7",
                                 "--output=" + self.path("small.pt"))
            model = printed_model(printed)
            self.assertEqual(model.eval()(torch.zeros(1, 1, 16, 16)).shape,
                             (1, 7))
            pr.succeed("embed", "--run=" + run, "--dataset=mnist",
                       "--split=test", "--threads=1",
                       "--output=" + self.path("small.npy"))
            with torch.no_grad():
                theirs = without_classifier(model)(normalized(images, run))
            np.testing.assert_allclose(np.load(self.path("small.npy")),
                                       theirs.numpy(), rtol=0, atol=TOLERANCE)
            if (backbone, stem) in (("resnet18", "small"),
                                    ("convnext_tiny", "small_stride2")):
                self.check_timm(run, normalized(images, run),
                                self.path("small.npy"))

    def test_transformers_load_by_the_lines_that_export_prints(self):
        data = tr.small_data(100, 30)
        images = images_of(os.path.join(data, "t10k-images-idx3-ubyte"))
        # Trained at the images' size, and at another, which is the one that
        # torchvision's network then has.
        for crop, patch in ((28, 7), (16, 4)):
            run = self.path("run_vit_%d" % crop)
            train(run, "--dataset=mnist", "--data_dir=" + data,
                  "--backbone=vit_tiny", "--optimizer=adamw",
                  "--patch_size=%d" % patch, "--crop_size=%d" % crop,
                  "--knn_k=5")
            printed = pr.succeed("export", "--run=" + run, "--num_classes=7",
                                 "--output=" + self.path("vit.pt"))
            model = printed_model(printed)
            self.assertEqual(model.image_size, crop)
            self.assertEqual(model.heads.head.out_features, 7)
            if crop != 28:  # docs/transfer.md
                state = torchvision.models.vision_transformer \
                    .interpolate_embeddings(28, patch, model.state_dict())
                conv_proj = model.conv_proj
                model = torchvision.models.VisionTransformer(
                    28, patch, 12, 3, 192, 768, num_classes=7)
                model.conv_proj = conv_proj
                model.load_state_dict(state)
            pr.succeed("embed", "--run=" + run, "--dataset=mnist",
                       "--split=test", "--threads=1",
                       "--output=" + self.path("vit.npy"))
            with torch.no_grad():
                theirs = without_classifier(model)(normalized(images, run))
            self.assertGreater(theirs.std(0).mean(), 10 * TOLERANCE)
            np.testing.assert_allclose(np.load(self.path("vit.npy")),
                                       theirs.numpy(), rtol=0, atol=TOLERANCE)
            if crop == 28:
                self.check_timm(run, normalized(images, run),
                                self.path("vit.npy"))
        process = pr.run("embed", "--run=" + run, "--images=" + self.photos,
                         "--image_size=30", "--output=" + self.path("no.npy"))
        self.assertEqual(process.returncode, 1)
        self.assertIn("images of 30x30 pixels do not divide", process.stderr)

    def test_others_of_photographs(self):
        for backbone, *flags in (("vit_small", "--patch_size=16"),
                                 ("convnext_tiny", "--stem=imagenet")):
            run, features = self.path("run_" + backbone), self.path(backbone)
            train(run, "--dataset=folder", "--data_dir=" + self.photos,
                  "--backbone=" + backbone, "--optimizer=adamw",
                  "--crop_size=64", *flags)
            printed = pr.succeed("export", "--run=" + run, "--num_classes=0",
                                 "--output=" + self.path("other.pt"))
            pr.succeed("embed", "--run=" + run, "--images=" + self.photos,
                       "--output=" + features + ".npy", "--threads=1")
            with torch.no_grad():
                theirs = printed_model(printed).eval()(
                    photos(self.photos, features + ".txt"))
            self.assertGreater(theirs.std(0).mean(), 10 * TOLERANCE)
            np.testing.assert_allclose(np.load(features + ".npy"),
                                       theirs.numpy(), rtol=0, atol=TOLERANCE)

    def test_the_code_of_the_documentation(self):
        with open(os.path.join(os.environ["TEST_SRCDIR"],
                               os.environ["TEST_WORKSPACE"],
                               "docs/transfer.md")) as f:
            blocks = re.findall(r"```python\n(.*?)```", f.read(), re.S)
        self.assertEqual(len(blocks), 4)
        # Its residual branches begin at zero, which keeps untrained features in
        # the range that the learning rates on the page are meant for.
        run = self.path("documented")
        train(run, "--dataset=folder", "--data_dir=" + self.photos,
              "--backbone=resnet50", "--stem=imagenet", "--crop_size=64",
              "--zero_init_residual")
        pr.succeed("export", "--run=" + run,
                   "--output=" + self.path("backbone.pt"))
        small = [("size = 224", "size = 64"), ("epochs = 90", "epochs = 10"),
                 ("epochs = 30", "epochs = 1"),
                 ("num_classes=91)", "num_classes=91, min_size=96, max_size=128)"),
                 ("(2, 3, 224, 224)", "(2, 3, 64, 64)"),
                 ("(2, 224, 224)", "(2, 64, 64)")]
        code = "\n".join(blocks)
        for old, new in small:
            self.assertIn(old, code)
            code = code.replace(old, new)
        torch.manual_seed(0)
        names = {}
        here = os.getcwd()
        os.chdir(self.folder)
        try:
            exec(compile(code, "docs/transfer.md", "exec"), names)
        finally:
            os.chdir(here)
        # Red and blue tell themselves apart even by random features.
        self.assertGreater(names["top1"], 90)
        for loss in names["losses"].values():
            self.assertTrue(torch.isfinite(loss))
        for module in (names["detector"].backbone.body,
                       names["segmenter"].backbone):
            self.assertGreater(module.conv1.weight.grad.abs().max(), 0)


if __name__ == "__main__":
    unittest.main()
