"""Weights as PyTorch and torchvision write them: features, training, errors."""

import csv
import io
import json
import os
import struct
import subprocess
import tempfile
import unittest

import numpy as np
import torch
import torchvision
from PIL import Image

MEAN = torch.tensor([0.485, 0.456, 0.406]).view(3, 1, 1)
STD = torch.tensor([0.229, 0.224, 0.225]).view(3, 1, 1)
SIDE = 56  # of what the network sees
WHOLE = 64  # of the images, 8/7 of that: the middle is cut out


def program(name):
    return os.path.join(os.environ["TEST_SRCDIR"], os.environ["TEST_WORKSPACE"],
                        name)


def safetensors(tensors):
    """The bytes of a file of that format."""
    header, values = {}, b""
    for name, tensor in tensors.items():
        data = tensor.contiguous().numpy().tobytes()
        header[name] = {
            "dtype": "F32" if tensor.dtype == torch.float32 else "I64",
            "shape": list(tensor.shape),
            "data_offsets": [len(values), len(values) + len(data)]}
        values += data
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + values


def random_network(make):
    """A torchvision network whose BatchNorms have seen something."""
    torch.manual_seed(1)
    network = make()
    network.train()
    with torch.no_grad():
        network(torch.randn(4, 3, SIDE, SIDE))
    return network.eval()


class ReleasedWeightsTest(unittest.TestCase):

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(dir=os.environ["TEST_TMPDIR"])
        cls.images = os.path.join(cls.folder, "images")
        os.makedirs(cls.images)
        generator = np.random.default_rng(1)
        cls.pixels = generator.integers(0, 256, (6, WHOLE, WHOLE, 3),
                                        np.uint8)
        for i, pixels in enumerate(cls.pixels):
            Image.fromarray(pixels).save(os.path.join(cls.images, f"{i}.png"))
        cls.resnet18 = random_network(torchvision.models.resnet18)

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, data):
        with open(self.path(name), "wb") as f:
            f.write(data)
        return self.path(name)

    def embed(self, weights):
        output = self.path("features.npy")
        done = subprocess.run(
            [program("trainers/programs/embed"), f"--weights={weights}", f"--images={self.images}",
             f"--image_size={SIDE}", f"--output={output}", "--threads=1"],
            capture_output=True, text=True)
        return done, np.load(output) if done.returncode == 0 else None

    def check_features(self, weights, network):
        """Ours are torchvision's."""
        done, ours = self.embed(weights)
        self.assertEqual(done.returncode, 0, done.stderr)
        middle = slice((WHOLE - SIDE) // 2, (WHOLE + SIDE) // 2)
        x = torch.from_numpy(self.pixels)[:, middle, middle]
        x = x.permute(0, 3, 1, 2) / 255
        with torch.no_grad():
            theirs = network((x - MEAN) / STD).numpy()
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-4)

    def test_features_are_torchvisions(self):
        for name in ("resnet18", "resnet34", "resnet50", "wide_resnet50_2"):
            with self.subTest(name):
                network = random_network(getattr(torchvision.models, name))
                path = self.path(name + ".pth")
                torch.save(network.state_dict(), path)
                network.fc = torch.nn.Identity()
                self.check_features(path, network)

    def test_vision_transformer(self):
        torch.manual_seed(1)
        network = torchvision.models.VisionTransformer(
            image_size=SIDE, patch_size=8, num_layers=12, num_heads=3,
            hidden_dim=192, mlp_dim=768).eval()
        path = self.path("vit.pth")
        torch.save(network.state_dict(), path)
        network.heads = torch.nn.Identity()
        self.check_features(path, network)

    def test_convnext(self):
        torch.manual_seed(1)
        # Residual branches of 1e-6 would hide what is wrong in them.
        network = torchvision.models.convnext_tiny(layer_scale=0.5).eval()
        path = self.path("convnext.pth")
        torch.save(network.state_dict(), path)
        network.classifier[2] = torch.nn.Identity()
        self.check_features(path, network)

    def test_formats_and_wrappings(self):
        state = self.resnet18.state_dict()
        network = random_network(torchvision.models.resnet18)
        network.fc = torch.nn.Identity()
        files = {
            "flat.safetensors": safetensors(state),
            "moco.pth.tar": self.saved({
                "epoch": 200, "arch": "resnet18", "state_dict": {
                    **{"module.encoder_k." + k: v + 1 for k, v in state.items()},
                    **{"module.encoder_q." + k: v for k, v in state.items()},
                    "module.queue": torch.randn(4, 8)},
                "optimizer": {"state": {0: {"momentum_buffer": torch.ones(2)}}}}),
            "parameters.pt": self.saved(
                {k: torch.nn.Parameter(v) if v.is_floating_point() else v
                 for k, v in state.items()}),
            "protocol4.pt": self.saved(state, pickle_protocol=4),
        }
        for name, data in files.items():
            with self.subTest(name):
                self.check_features(self.write(name, data), network)

    def succeed(self, name, *flags):
        done = subprocess.run(
            [program("trainers/programs/" + name), *flags, "--threads=1"],
            capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def features(self, pixels):
        """Of images of WHOLE pixels, by torchvision."""
        network = random_network(torchvision.models.resnet18)
        network.fc = torch.nn.Identity()
        middle = slice((WHOLE - SIDE) // 2, (WHOLE + SIDE) // 2)
        x = torch.from_numpy(pixels)[:, middle, middle]
        with torch.no_grad():
            return network((x.permute(0, 3, 1, 2) / 255 - MEAN) / STD).numpy()

    def folder_of(self, name, files):
        """A new folder, with these files: path to pixels."""
        folder = self.path(name)
        for file, pixels in files.items():
            path = os.path.join(folder, file)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            Image.fromarray(pixels).save(path)
        return folder

    def test_explore_and_search(self):
        weights = self.path("explored.pth")
        torch.save(self.resnet18.state_dict(), weights)
        copy = np.rot90(self.pixels[2])
        pixels = np.concatenate([self.pixels, copy[None]])
        names = [f"{i}.png" for i in range(7)]
        folder = self.folder_of("explored", dict(zip(names, pixels)))
        answers = self.path("answers")
        self.succeed("explore", f"--weights={weights}", f"--images={folder}",
                     f"--image_size={SIDE}", f"--output={answers}",
                     "--neighbors=3")
        ours = np.load(os.path.join(answers, "features.npy"))
        theirs = self.features(pixels)
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-4)
        rows = theirs.astype(np.float64) - theirs.mean(0, dtype=np.float64)
        rows /= np.linalg.norm(rows, axis=1, keepdims=True)
        cosines = rows @ rows.T
        with open(os.path.join(answers, "neighbors.csv"), newline="") as f:
            found = [(int(row["file"][0]), float(row["cosine"]))
                     for row in csv.DictReader(f)]
        for i in range(7):
            nearest = np.sort(np.delete(cosines[i], i))[::-1][:3]
            np.testing.assert_allclose(
                [cosine for file, cosine in found if file == i], nearest,
                atol=1e-3)
        # Noise that is turned is another image to features, not to pixels.
        with open(os.path.join(answers, "duplicates.csv"), newline="") as f:
            self.assertEqual([(row["file"], row["copy"])
                              for row in csv.DictReader(f)],
                             [("2.png", "first"), ("6.png", "turned")])
        with open(os.path.join(answers, "index.json")) as f:
            index = json.load(f)
        self.assertTrue(index["released"])
        self.assertEqual(index["checkpoint"], weights)

        query = os.path.join(folder, "4.png")
        hits = [line.split() for line in self.succeed(
            "search", f"--index={answers}", f"--query={query}",
            "--k=4").splitlines()]
        self.assertEqual(hits[0], ["1.0000", "4.png"])
        np.testing.assert_allclose([float(cosine) for cosine, _ in hits],
                                   np.sort(cosines[4])[::-1][:4], atol=1e-3)

    def test_evaluate(self):
        weights = self.path("evaluated.pth")
        torch.save(self.resnet18.state_dict(), weights)
        generator = np.random.default_rng(2)
        files, splits = {}, {"train": ([], []), "val": ([], [])}
        for split, count in (("train", 8), ("val", 6)):
            for label, name in enumerate(("bright", "dark")):
                for i in range(count):
                    # Shades that overlap, so that some are taken wrong.
                    image = np.clip(
                        generator.normal(150 - 50 * label, 25, 3) +
                        generator.normal(0, 30, (WHOLE, WHOLE, 3)), 0,
                        255).astype(np.uint8)
                    files[f"{split}/{name}/{i}.png"] = image
                    splits[split][0].append(image)
                    splits[split][1].append(label)
        folder = self.folder_of("evaluated", files)
        output = self.path("evaluation.json")
        self.succeed("evaluate", f"--weights={weights}", "--dataset=folder",
                     f"--data_dir={folder}", f"--image_size={SIDE}",
                     "--linear=none", "--knn_k=5", "--knn_temperature=0.2",
                     f"--output={output}")
        bank, queries = (self.features(np.stack(splits[split][0]))
                         for split in ("train", "val"))
        bank /= np.linalg.norm(bank, axis=1, keepdims=True)
        queries /= np.linalg.norm(queries, axis=1, keepdims=True)
        labels = np.array(splits["train"][1])
        right = 0
        for query, label in zip(queries, splits["val"][1]):
            cosines = bank @ query
            nearest = np.argsort(-cosines)[:5]
            votes = np.exp(cosines[nearest] / 0.2)
            right += label == np.argmax([votes[labels[nearest] == c].sum()
                                         for c in (0, 1)])
        with open(output) as f:
            result = json.load(f)
        self.assertEqual(result["checkpoint"], weights)
        self.assertEqual(result["train_images"], 16)
        self.assertAlmostEqual(result["knn"]["top1"], 100 * right / 12, 4)
        self.assertLess(right, 12)
        self.assertGreater(right, 6)

    def saved(self, value, **options):
        data = io.BytesIO()
        torch.save(value, data, **options)
        return data.getvalue()

    def test_what_cannot_be_read_says_why(self):
        state = self.resnet18.state_dict()
        old = self.saved(state, _use_new_zipfile_serialization=False)
        whole = self.saved(self.resnet18)
        script = io.BytesIO()
        torch.jit.save(torch.jit.script(self.resnet18), script)
        mobile = self.saved(torchvision.models.mobilenet_v3_small().state_dict())
        for data, expected in (
                (old, "before version 1.6"),
                (whole, "object of Python"),
                (script.getvalue(), "TorchScript"),
                (mobile, "which network"),
                (self.saved(state)[:-100], "cannot be read"),
                (b"x" * 1000, "neither a file of torch.save")):
            done, _ = self.embed(self.write("bad", data))
            self.assertEqual(done.returncode, 1, done.stderr)
            self.assertIn(expected, done.stderr)
            self.assertEqual(done.stderr.count("\n"), 1, done.stderr)

    def test_training_starts_from_them(self):
        path = self.path("start.pth")
        torch.save(self.resnet18.state_dict(), path)
        run = self.path("run")
        flags = [program("trainers/simsiam_gsg"), "--recipe=photos", f"--data_dir={self.images}",
                 f"--output_dir={run}", "--batch_size=3", "--threads=1",
                 "--projector_hidden=16", "--projector_dim=16",
                 "--predictor_hidden=8", "--crop_size=32"]
        done = subprocess.run([*flags, "--epochs=1", f"--init={path}",
                               "--base_lr=1e-9", "--warmup_epochs=0"],
                              capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn(f"Starting from {path}: 120 tensors, without its head "
                      "(fc.weight and others)", done.stdout)
        with open(os.path.join(run, "config.json")) as f:
            config = json.load(f)
        self.assertEqual(len(config["init_sha256"]), 64)
        model = torch.load(os.path.join(run, "checkpoint-last.pt"))["model"]
        for name, value in self.resnet18.state_dict().items():
            if name.endswith(".weight") and not name.startswith("fc."):
                np.testing.assert_allclose(model["backbone." + name], value,
                                           atol=1e-6)
        # Its file is not needed any more.
        os.rename(path, path + ".gone")
        again = subprocess.run(
            [program("trainers/simsiam_gsg"), "--resume", f"--output_dir={run}",
             "--epochs=2"], capture_output=True, text=True)
        self.assertEqual(again.returncode, 0, again.stderr)
        os.rename(path + ".gone", path)
        other = subprocess.run([*flags, f"--init={path}", "--backbone=resnet50",
                                "--overwrite"], capture_output=True, text=True)
        self.assertEqual(other.returncode, 1)
        self.assertIn("does not fit the backbone", other.stderr)
        self.assertIn("--backbone=resnet18", other.stderr)

    def test_a_frozen_backbone_keeps_them(self):
        path = self.path("frozen.pth")
        torch.save(self.resnet18.state_dict(), path)
        for method, *flags in (("simsiam_gsg", "--batch_size=3"),
                               ("byol_gsg", "--batch_size=3"),
                               ("byol_gsg", "--batch_size=4", "--nproc=2")):
            run = self.path(f"run_{method}_{len(flags)}")
            done = subprocess.run(
                [program("trainers/" + method), "--recipe=photos",
                 f"--data_dir={self.images}", f"--output_dir={run}",
                 "--threads=1", "--projector_hidden=16",
                 "--projector_dim=16", "--predictor_hidden=8",
                 "--crop_size=32", "--warmup_epochs=0", f"--init={path}",
                 "--epochs=2", "--init_freeze_epochs=1", "--keep_every=1",
                 *flags],
                capture_output=True, text=True)
            self.assertEqual(done.returncode, 0, done.stderr)
            epochs = [torch.load(os.path.join(
                run, f"checkpoint-epoch-{epoch}.pt"))["model"]
                for epoch in (1, 2)]
            for name, value in self.resnet18.state_dict().items():
                if name.startswith("fc."):
                    continue
                first, second = (epoch.get("backbone." + name)
                                 for epoch in epochs)
                if first is not None:
                    self.assertTrue(torch.equal(first, value), name)
                    self.assertFalse(torch.equal(second, value), name)
            self.assertFalse(torch.equal(epochs[0]["projector.0.weight"],
                                         epochs[1]["projector.0.weight"]))


if __name__ == "__main__":
    unittest.main()
