"""Each of the four programs trains on CIFAR-10, and goes on where it stopped."""

import os
import unittest
import zipfile

from tests.trainers import training_run as tr

QUICK = [
    "--batch_size=8", "--epochs=2", "--threads=1", "--projector_hidden=32",
    "--projector_dim=32", "--knn_k=5", "--seed=3"
]

# The CIFAR-10 recipes on a smaller network, and with fewer patches.
SMALL = tr.SMALL_CIFAR10
TRANSFORMER = QUICK + [
    "--recipe=cifar10_vit", "--patch_size=16", "--warmup_epochs=1",
    "--nobaselines"
]


def tensor_names(folder):
    """What the checkpoint's pickle names; it is data, read here as text."""
    path = os.path.join(folder, "checkpoint-last.pt")
    with zipfile.ZipFile(path) as archive:
        pickle = [n for n in archive.namelist() if n.endswith("data.pkl")][0]
        return archive.read(pickle)


class MethodsTest(unittest.TestCase):

    def test_train_and_resume(self):
        data = tr.small_cifar10()
        for method in tr.METHODS:
            with self.subTest(method):
                self.train_and_resume(method, data,
                                      SMALL + ["--nobaselines"])

    def test_a_transformer_with_adamw(self):
        folder = self.train_and_resume("byol_gsg", tr.small_cifar10(),
                                       TRANSFORMER)
        names = tensor_names(folder)
        self.assertIn(b"target.backbone.encoder.pos_embedding", names)
        self.assertIn(b"backbone.class_token.exp_avg_sq", names)
        self.assertIn(b"backbone.class_token.step", names)
        # 5e-4 * 8 / 256 at the end of the warm-up; the second of the cosine's
        # two steps is at half of it.
        lr = [record["lr"] for record in tr.metrics(folder)]
        self.assertAlmostEqual(lr[0], 5e-4 / 32, places=12)
        self.assertAlmostEqual(lr[1], 5e-4 / 64, places=12)

    def test_a_convnext_with_adamw(self):
        folder = self.train_and_resume(
            "simsiam_gsg", tr.small_cifar10(), QUICK + [
                "--recipe=cifar10", "--backbone=convnext_tiny",
                "--stem=small_stride2", "--optimizer=adamw",
                "--base_lr=0.001", "--warmup_epochs=1", "--nobaselines"])
        names = tensor_names(folder)
        self.assertIn(b"backbone.features.7.2.layer_scale.exp_avg_sq", names)
        self.assertIn(b"projector.1.running_mean", names)

    def train_and_resume(self, method, data, flags):
        folder, whole = tr.new_folder(), tr.new_folder()
        flags = flags + ["--data_dir=" + data]
        process = tr.run("--output_dir=" + whole, *flags, method=method)
        self.assertEqual(process.returncode, 0, process.stderr)
        # 20 images are 2 batches an epoch; the third step is of the second.
        process = tr.run("--output_dir=" + folder, "--max_steps=3", *flags,
                         method=method)
        self.assertEqual(process.returncode, 0, process.stderr)
        process = tr.run("--resume", "--output_dir=" + folder, "--max_steps=0",
                         method=method)
        self.assertEqual(process.returncode, 0, process.stderr)
        self.assertEqual(tr.metrics(folder), tr.metrics(whole))
        record = tr.metrics(folder)[-1]
        self.assertEqual(record["step"], 4)
        shares = sum(record["pair_share"])
        self.assertAlmostEqual(shares, 1 if method.endswith("_gsg") else 0)
        self.assertEqual(b"target.backbone." in tensor_names(folder),
                         method.startswith("byol"))
        return folder

    def test_a_folder_of_images(self):
        data = tr.image_folder(60)
        for method in tr.METHODS:
            with self.subTest(method):
                folder = tr.new_folder()
                process = tr.run(
                    "--recipe=fashion_mnist", "--dataset=folder",
                    "--data_dir=" + data, "--epochs=1",
                    "--warmup_epochs=0", "--batch_size=16", "--crop_size=16",
                    "--threads=1", "--projector_hidden=32",
                    "--projector_dim=32", "--knn_k=5",
                    "--output_dir=" + folder, method=method)
                self.assertEqual(process.returncode, 0, process.stderr)
                self.assertEqual(tr.metrics(folder)[-1]["step"], 3)
                self.assertGreater(tr.result(folder)["trained"]["knn_top1"], 0)

    def test_without_a_predictor(self):
        folder = tr.new_folder()
        process = tr.run("--predictor=none", "--max_steps=2", "--nobaselines",
                         "--nostop_on_collapse", "--output_dir=" + folder,
                         "--data_dir=" + tr.small_cifar10(), *SMALL)
        self.assertEqual(process.returncode, 0, process.stderr)
        self.assertNotIn(b"predictor.", tensor_names(folder))
        self.assertNotIn("raw pixels", process.stdout)
        self.assertIn("trained network", process.stdout)
        self.assertIsNone(tr.result(folder)["untrained"]["knn_top1"])

    def test_lars(self):
        losses = []
        data = tr.small_cifar10()
        for flags in (["--optimizer=sgd"], ["--optimizer=lars"],
                      ["--optimizer=lars", "--lars_coefficient=0.1"]):
            folder = tr.new_folder()
            process = tr.run("--output_dir=" + folder, "--data_dir=" + data,
                             "--nobaselines", *flags, *SMALL)
            self.assertEqual(process.returncode, 0, process.stderr)
            losses.append(tr.metrics(folder)[-1]["loss"])
        self.assertEqual(len(set(losses)), 3, losses)

    def test_lars_on_a_transformer(self):
        folder = tr.new_folder()
        process = tr.run("--optimizer=lars", "--max_steps=2",
                         "--output_dir=" + folder,
                         "--data_dir=" + tr.small_cifar10(), *TRANSFORMER)
        self.assertEqual(process.returncode, 0, process.stderr)
        self.assertLess(tr.metrics(folder)[-1]["loss"], 1)

    def test_a_run_is_another_methods(self):
        flags = SMALL + ["--data_dir=" + tr.small_cifar10(), "--max_steps=1",
                         "--nobaselines"]
        folder = tr.new_folder()
        process = tr.run("--output_dir=" + folder, *flags, method="byol")
        self.assertEqual(process.returncode, 0, process.stderr)
        process = tr.run("--resume", "--output_dir=" + folder,
                         method="byol_gsg")
        self.assertEqual(process.returncode, 1)
        self.assertIn("the run has byol, and this program byol_gsg; go on with\n"
                      "  ./bazelw run //trainers:byol -- --resume --output_dir=",
                      process.stderr)


if __name__ == "__main__":
    unittest.main()
