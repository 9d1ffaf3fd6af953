"""Data that goes away, and a machine that is about to, in mid-run."""

import os
import signal
import time
import unittest

from tests.trainers import training_run as tr


def wait_for(path, process):
    deadline = time.time() + 60
    while not os.path.exists(path):
        if process.poll() is not None:
            raise AssertionError("the program ended early")
        if time.time() > deadline:
            raise AssertionError("no %s after a minute" % path)
        time.sleep(0.002)


class VanishingDataTest(unittest.TestCase):
    """Of a folder of images: other data sets are in memory."""

    def setUp(self):
        self.data = tr.image_folder(96)

    def start(self, folder, *more):
        return tr.start("--output_dir=" + folder,
                        "--recipe=fashion_mnist", "--dataset=folder",
                        "--data_dir=" + self.data, "--epochs=12",
                        "--batch_size=32", "--crop_size=32", "--threads=1",
                        "--projector_hidden=16", "--projector_dim=16",
                        "--knn_k=20", "--knn_every=0", "--linear_probe=false",
                        "--baselines=false", "--max_damaged=0.02", *more)

    def training_images(self):
        return [os.path.join(top, name)
                for top, _, names in os.walk(os.path.join(self.data, "train"))
                for name in names]

    def test_one_file_goes(self):
        folder = tr.new_folder()
        process = self.start(folder)
        wait_for(os.path.join(folder, "checkpoint-previous.pt"), process)
        gone = self.training_images()[0]
        os.remove(gone)
        _, stderr = process.communicate()
        self.assertEqual(process.returncode, 0, stderr)
        self.assertIn(os.path.relpath(gone, self.data) + " is left out: ",
                      stderr)
        self.assertEqual(tr.result(folder)["damaged_images"], 1)

    def test_all_go_and_come_back(self):
        folder = tr.new_folder()
        process = self.start(folder)
        wait_for(os.path.join(folder, "checkpoint-previous.pt"), process)
        away = self.data + "-away"
        os.rename(self.data, away)
        _, stderr = process.communicate()
        self.assertEqual(process.returncode, 1, stderr)
        self.assertIn("--max_damaged", stderr)

        # As long as they are not back, nothing happens to the run.
        process = tr.run("--output_dir=" + folder, "--resume")
        self.assertEqual(process.returncode, 1)
        self.assertIn(self.data, process.stderr)

        os.rename(away, self.data)
        process = tr.run("--output_dir=" + folder, "--resume")
        self.assertEqual(process.returncode, 0, process.stderr)
        whole = tr.new_folder()
        process = self.start(whole)
        process.communicate()
        self.assertEqual(tr.metrics(folder), tr.metrics(whole))
        self.assertEqual(tr.result(folder), tr.result(whole))


class TerminatedTest(unittest.TestCase):

    def test_within_an_evaluation(self):
        """It is given up, since it could outlast the machine."""
        flags = [f for f in tr.QUICK if not f.startswith("--batch_size")] + [
            "--batch_size=250", "--baselines=false",
            "--data_dir=" + tr.small_data(train=520, test=3000)
        ]
        whole = tr.new_folder()
        process = tr.run("--output_dir=" + whole, *flags)
        self.assertEqual(process.returncode, 0, process.stderr)

        # Two steps and three thousand images to evaluate on: nearly all of the
        # time is evaluation. In the worst case it is the steps that end.
        folder = tr.new_folder()
        process = tr.start("--output_dir=" + folder, *flags)
        wait_for(os.path.join(folder, "metrics.jsonl"), process)
        time.sleep(0.2)
        process.send_signal(signal.SIGTERM)
        _, stderr = process.communicate()
        self.assertEqual(process.returncode, 128 + signal.SIGTERM, stderr)
        self.assertIn("everything is saved", stderr)
        self.assertLess(len(tr.metrics(folder)), 3)

        process = tr.run("--output_dir=" + folder, "--resume")
        self.assertEqual(process.returncode, 0, process.stderr)
        self.assertEqual(tr.metrics(folder), tr.metrics(whole))
        self.assertEqual(tr.result(folder), tr.result(whole))


if __name__ == "__main__":
    unittest.main()
