"""A wrong call ends with one message that says what to do, and no traces."""

import os
import statistics
import subprocess
import sys
import time
import unittest

from tests.trainers import training_run as tr


class MessagesTest(unittest.TestCase):

    def fails(self, code, *flags):
        process = tr.run(*flags)
        self.assertEqual(process.returncode, code, process.stderr)
        self.assertTrue(process.stderr.startswith("simsiam_gsg: "),
                        process.stderr)
        self.assertEqual(process.stderr.count("\n"), 1, process.stderr)
        return process.stderr

    def test_unknown_flag_names_the_nearest(self):
        message = self.fails(2, "--epoch=3")
        self.assertIn("--epochs", message)

    def test_unknown_value_names_the_nearest(self):
        message = self.fails(2, "--distance=euclidian")
        self.assertIn("did you mean euclidean", message)

    def test_images_that_do_not_divide_into_patches(self):
        output = tr.new_folder()
        message = self.fails(1, "--backbone=vit_tiny", "--crop_size=32",
                             "--patch_size=16", "--output_dir=" + output)
        self.assertIn("images of 28x28 pixels do not divide into patches of "
                      "16x16", message)
        self.assertFalse(os.path.exists(output))

    def test_missing_data(self):
        folder = tr.new_folder()
        output = tr.new_folder()
        message = self.fails(1, "--dataset=cifar10", "--data_dir=" + folder,
                             "--output_dir=" + output)
        self.assertIn(folder, message)
        self.assertFalse(os.path.exists(output))

    def test_truncated_data(self):
        data = tr.small_data()
        path = os.path.join(data, "train-images-idx3-ubyte")
        with open(path, "r+b") as f:
            f.truncate(1000)
        message = self.fails(1, "--dataset=mnist", "--data_dir=" + data)
        self.assertIn(path, message)
        self.assertIn("Copy or download the files of mnist again", message)

    def test_batch_larger_than_the_data(self):
        message = self.fails(1, "--batch_size=300",
                             "--dataset=mnist", "--data_dir=" + tr.small_data(),
                             "--output_dir=" + tr.new_folder())
        self.assertIn("300", message)
        self.assertIn("264", message)

    def test_folder_that_has_a_run(self):
        flags = tr.QUICK + ["--data_dir=" + tr.small_data(), "--max_steps=1",
                            "--output_dir=" + tr.new_folder()]
        self.assertEqual(tr.run(*flags).returncode, 0)
        message = self.fails(1, *flags)
        self.assertIn("--resume", message)
        self.assertIn("--overwrite", message)
        process = tr.run("--overwrite", *flags)
        self.assertEqual(process.returncode, 0, process.stderr)

    def test_folder_that_cannot_be_made(self):
        flags = tr.QUICK + ["--data_dir=" + tr.small_data()]
        message = self.fails(1, "--output_dir=/dev/null/run", *flags)
        self.assertIn("/dev/null/run", message)

    def test_gpu_where_there_is_none(self):
        if os.path.exists("/dev/nvidiactl"):
            self.skipTest("there is a GPU")
        message = self.fails(1, "--device=cuda")
        self.assertIn("--config=cuda", message)

    def test_loss_that_is_not_finite(self):
        folder = tr.new_folder()
        message = self.fails(1, "--base_lr=1e30", "--data_dir=" +
                             tr.small_data(), "--output_dir=" + folder,
                             *tr.QUICK)
        self.assertIn("training broke down at step", message)
        self.assertIn("--base_lr", message)

    def test_collapse(self):
        """A spread of 1 takes features without a mean; none reach it."""
        message = self.fails(1, "--collapse_threshold=1",
                             "--data_dir=" + tr.small_data(),
                             "--output_dir=" + tr.new_folder(), *tr.QUICK)
        self.assertIn("the features collapsed by step 8 (epoch 1)", message)
        self.assertIn("--nostop_on_collapse", message)

    def test_collapse_that_is_let_be(self):
        folder = tr.new_folder()
        process = tr.run("--collapse_threshold=1", "--nostop_on_collapse",
                         "--data_dir=" + tr.small_data(),
                         "--output_dir=" + folder, *tr.QUICK)
        self.assertEqual(process.returncode, 0, process.stderr)
        self.assertEqual(process.stderr.count("warning: "), 1, process.stderr)
        self.assertEqual(len(tr.metrics(folder)), 3)

    def test_help_and_recipes(self):
        process = tr.run("--help")
        self.assertEqual(process.returncode, 0)
        for flag in ("--recipe", "--output_dir", "--pairing", "--selection"):
            self.assertIn(flag, process.stdout)
        process = tr.run("--list_recipes")
        self.assertEqual(process.returncode, 0)
        self.assertIn("fashion_mnist", process.stdout)


class WaitPolicyTest(unittest.TestCase):
    """Beside others OpenMP's threads sleep soon, unless the user says otherwise."""

    def threads(self, **environment):
        """How many a run has, after some seconds."""
        others = [flag for flag in tr.QUICK
                  if not flag.startswith(("--epochs=", "--threads="))]
        folder = tr.new_folder()
        process = subprocess.Popen(
            [tr.program(), *others, "--epochs=1000", "--threads=2",
             "--data_dir=" + tr.small_data(), "--output_dir=" + folder],
            env={**os.environ, **environment}, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL)
        for _ in range(1200):
            if os.path.exists(os.path.join(folder, "metrics.jsonl")):
                break
            time.sleep(0.1)
        burners = [subprocess.Popen([sys.executable, "-c", "while True: pass"])
                   for _ in range(3 * os.cpu_count())]
        try:
            time.sleep(2)
            counts = []
            for _ in range(20):
                counts.append(len(os.listdir(f"/proc/{process.pid}/task")))
                time.sleep(0.1)
            self.assertIsNone(process.poll())
        finally:
            for one in (process, *burners):
                one.kill()
                one.wait()
        return statistics.median(counts)

    def test_beside_others(self):
        # One that watches, and more of OpenMP's than there are cores: a leader and
        # one beside the two that compute, or as many as cores are left.
        self.assertGreaterEqual(
            self.threads(),
            self.threads(OMP_WAIT_POLICY="active") + max(3, os.cpu_count()))


if __name__ == "__main__":
    unittest.main()
