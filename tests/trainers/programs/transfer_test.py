"""torchvision takes what export writes, and docs/transfer.md is true."""

import json
import os
import re
import struct
import unittest

import numpy as np
import torch
import torchvision
from torchvision.transforms import v2

from tests.trainers import training_run as tr
from tests.trainers.programs import program_run as pr

# For features of order 1. After one step BatchNorm's statistics have not settled
# yet, and those of a ResNet-50 are of order 100: it is times their mean, then.
TOLERANCE = 1e-4


def write_photos(folder, train=10, val=4):
    """Reddish and bluish noise as JPEGs, in class folders."""
    generator = torch.Generator().manual_seed(1)
    for split, count in (("train", train), ("val", val)):
        for name, channel in (("red", 0), ("blue", 2)):
            place = os.path.join(folder, split, name)
            os.makedirs(place)
            for i in range(count):
                coarse = torch.rand(1, 3, 9, 9, generator=generator)
                coarse[:, channel] += 1
                image = torch.nn.functional.interpolate(
                    coarse / 2, (80 + i, 90), mode="bilinear")
                torchvision.io.write_jpeg(
                    (255 * image[0]).to(torch.uint8),
                    os.path.join(place, "%d.jpg" % i), quality=95)


def train(folder, *flags):
    process = tr.run("--output_dir=" + folder, "--recipe=fashion_mnist",
                     "--max_steps=1", "--epochs=1",
                     "--warmup_epochs=0", "--batch_size=8", "--threads=1",
                     "--projector_hidden=64", "--projector_dim=64",
                     "--knn_every=0", "--linear_probe=false", *flags)
    if process.returncode != 0:
        raise AssertionError(process.stderr)


def without_classifier(model):
    if isinstance(model, torchvision.models.VisionTransformer):
        model.heads = torch.nn.Identity()
    else:
        model.fc = torch.nn.Identity()
    return model.eval()


def printed_model(printed):
    """The network that export's lines of Python make."""
    names = {"torch": torch, "torchvision": torchvision}
    exec(re.search(r"\n\n(model = .*?)\n\n", printed, re.S).group(1), names)
    return names["model"]


def images_of(file):
    """The images of an IDX file, [N, 1, H, W] from 0 to 1."""
    with open(file, "rb") as f:
        count, height, width = struct.unpack(">4xIII", f.read(16))
        pixels = np.frombuffer(f.read(), np.uint8)
    return torch.tensor(pixels.reshape(count, 1, height, width)) / 255


def normalized(images, run):
    meta = json.loads(torch.load(
        os.path.join(run, "checkpoint-last.pt"))["meta"])
    return (images - meta["channel_mean"][0]) / meta["channel_std"][0]


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

    def test_torchvision_takes_the_file_and_has_the_same_features(self):
        transform = v2.Compose([
            v2.ToDtype(torch.float32, scale=True), v2.Resize(73),
            v2.CenterCrop(64),
            v2.Normalize((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))])
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
            images = [torchvision.io.decode_image(
                os.path.join(self.photos, name)) for name in names]
            with torch.no_grad():
                self.assertEqual(
                    model.eval()(torch.rand(1, 3, 64, 64)).abs().max(), 0)
                theirs = without_classifier(model)(
                    torch.stack([transform(image) for image in images]))
            self.assertEqual(ours.shape, tuple(theirs.shape))
            tolerance = TOLERANCE * max(1, theirs.mean().item())
            self.assertGreater(theirs.std(0).mean(), 10 * tolerance)
            np.testing.assert_allclose(ours, theirs.numpy(), rtol=0,
                                       atol=tolerance)

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
                               ("resnet_small", "small_stride2")):
            run = self.path("run_%s_%s" % (backbone, stem))
            train(run, "--dataset=mnist", "--data_dir=" + data,
                  "--backbone=" + backbone, "--stem=" + stem,
                  "--crop_size=16", "--knn_k=5")
            printed = pr.succeed("export", "--run=" + run, "--num_classes=7",
                                 "--output=" + self.path("small.pt"))
            model = printed_model(printed)
            self.assertEqual(model.fc.out_features, 7)
            pr.succeed("embed", "--run=" + run, "--dataset=mnist",
                       "--split=test", "--threads=1",
                       "--output=" + self.path("small.npy"))
            with torch.no_grad():
                theirs = without_classifier(model)(normalized(images, run))
            np.testing.assert_allclose(np.load(self.path("small.npy")),
                                       theirs.numpy(), rtol=0, atol=TOLERANCE)

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
        process = pr.run("embed", "--run=" + run, "--images=" + self.photos,
                         "--image_size=30", "--output=" + self.path("no.npy"))
        self.assertEqual(process.returncode, 1)
        self.assertIn("images of 30x30 pixels do not divide", process.stderr)

    def test_a_transformer_of_photographs(self):
        run = self.path("run_vit")
        train(run, "--dataset=folder", "--data_dir=" + self.photos,
              "--backbone=vit_small", "--optimizer=adamw", "--crop_size=64",
              "--patch_size=16")
        printed = pr.succeed("export", "--run=" + run, "--num_classes=0",
                             "--output=" + self.path("vit.pt"))
        pr.succeed("embed", "--run=" + run, "--images=" + self.photos,
                   "--output=" + self.path("vit.npy"), "--threads=1")
        transform = v2.Compose([
            v2.ToDtype(torch.float32, scale=True), v2.Resize(73),
            v2.CenterCrop(64),
            v2.Normalize((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))])
        with open(self.path("vit.txt")) as f:
            images = [transform(torchvision.io.decode_image(
                os.path.join(self.photos, name)))
                for name in f.read().splitlines()]
        with torch.no_grad():
            theirs = printed_model(printed).eval()(torch.stack(images))
        self.assertGreater(theirs.std(0).mean(), 10 * TOLERANCE)
        np.testing.assert_allclose(np.load(self.path("vit.npy")),
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
