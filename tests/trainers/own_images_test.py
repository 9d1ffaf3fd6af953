"""--fit and --minutes: values that suit a folder of images and a time."""

import json
import os
import time
import unittest

from tests.trainers import training_run as tr

SMALL = ["--recipe=photos", "--backbone=resnet_small", "--threads=1",
         "--projector_hidden=64", "--projector_dim=64", "--knn_k=20"]


def config(folder):
    with open(os.path.join(folder, "config.json")) as f:
        return json.load(f)


class OwnImagesTest(unittest.TestCase):

    @classmethod
    def setUpClass(cls):
        cls.data = tr.image_folder(180)

    def run_on(self, *flags):
        folder = tr.new_folder()
        process = tr.run("--output_dir=" + folder, "--data_dir=" + self.data,
                         *flags)
        self.assertEqual((process.returncode, process.stderr), (0, ""))
        return folder, process.stdout

    def test_decisions_are_said_and_kept_as_plain_values(self):
        folder, text = self.run_on(*SMALL, "--epochs=2", "--batch_size=24")
        self.assertIn("Fitted to the images", text)
        kept = config(folder)
        self.assertFalse(kept["fit"])
        self.assertEqual(kept["batch_size"], 24)
        self.assertEqual(kept["epochs"], 2)
        for flag in ("channels", "crop_size", "stem", "loader_threads"):
            self.assertIn("  --%s=%s " % (flag, kept[flag]), text)
        for flag in ("--batch_size=", "--epochs="):
            self.assertNotIn("  " + flag, text)
        self.assertRegex(text, r"2 epochs of [0-9.]+ s: about .* to the report")
        # The steps that were taken to say so have not trained the network.
        again, text = self.run_on("--config=" + folder + "/config.json")
        self.assertNotIn("Fitted", text)
        self.assertEqual(tr.metrics(folder), tr.metrics(again))
        self.assertEqual(tr.result(folder), tr.result(again))

    def test_minutes(self):
        start = time.monotonic()
        folder, text = self.run_on(*SMALL, "--minutes=0.1")
        seconds = time.monotonic() - start
        kept = config(folder)
        self.assertEqual(kept["minutes"], 0)
        self.assertIn("\n%d epochs of " % kept["epochs"], text)
        self.assertEqual(len(tr.metrics(folder)), kept["epochs"])
        # Other programs run beside this one, so that this is a wide margin.
        self.assertGreater(seconds, 2)
        self.assertLess(seconds, 120)

    def test_a_run_goes_on_from_another(self):
        first, _ = self.run_on(*SMALL, "--epochs=1", "--crop_size=24",
                               "--normalize=0.3:0.1")
        second, text = self.run_on("--recipe=photos", "--epochs=1", "--knn_k=20",
                                   "--init=" + first + "/checkpoint-last.pt")
        for flag in ("backbone=resnet_small", "crop_size=24",
                     "normalize=0.3,0.3,0.3:0.1,0.1,0.1",
                     "projector_dim=64", "stem=small_stride2"):
            self.assertRegex(text, "--%s +as the run of --init" % flag)
        self.assertEqual(tr.result(first)["trained"]["knn_top1"],
                         tr.result(second)["untrained"]["knn_top1"])

    def test_a_folder_without_a_recipe_is_photos(self):
        _, text = self.run_on("--dataset=folder", "--max_steps=1",
                              *SMALL[1:])
        self.assertIn("recipe photos", text)

    def test_the_best_checkpoint_is_kept(self):
        folder, _ = self.run_on(*SMALL, "--epochs=4", "--keep_every=1",
                                "--knn_every=1", "--keep_best=knn_top1")
        scores = [r["knn_top1"] for r in tr.metrics(folder)]
        best = scores.index(max(scores)) + 1
        with open(folder + "/checkpoint-best.pt", "rb") as f, \
                open(folder + "/checkpoint-epoch-%d.pt" % best, "rb") as g:
            self.assertEqual(f.read(), g.read())

    def test_normalization(self):
        losses = set()
        for how in ("imagenet", "measured", "0.2:0.9"):
            folder, _ = self.run_on(*SMALL, "--epochs=1", "--baselines=false",
                                    "--knn_every=0", "--normalize=" + how)
            losses.add(tr.metrics(folder)[-1]["loss"])
        self.assertEqual(len(losses), 3)
        process = tr.run("--data_dir=" + self.data, *SMALL, "--normalize=mean")
        self.assertEqual(process.returncode, 2)
        self.assertIn("--normalize=mean: use auto, imagenet", process.stderr)

    def test_two_lengths_are_one_too_many(self):
        for flag in ("--epochs=3", "--max_steps=3"):
            process = tr.run("--data_dir=" + self.data, *SMALL, "--minutes=1",
                             flag)
            self.assertEqual(process.returncode, 2)
            self.assertIn("--minutes and " + flag.split("=")[0],
                          process.stderr)

    def test_what_was_given_must_go_with_what_is_decided(self):
        process = tr.run("--data_dir=" + self.data, *SMALL,
                         "--pairing=nearest", "--pairing_candidates=40")
        self.assertEqual(process.returncode, 1)
        self.assertIn("--pairing_candidates=40 is above --batch_size - 1",
                      process.stderr)


if __name__ == "__main__":
    unittest.main()
