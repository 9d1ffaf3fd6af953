"""A whole run on a small part of Fashion-MNIST learns, and leaves its files."""

import json
import os
import unittest

from tests.trainers import training_run as tr


class EndToEndTest(unittest.TestCase):

    @classmethod
    def setUpClass(cls):
        cls.folder = tr.new_folder()
        cls.process = tr.run(
            "--dataset=mnist", "--data_dir=" + tr.small_data(4000, 1000),
            "--output_dir=" + cls.folder, "--epochs=5", "--batch_size=64",
            "--base_lr=0.4", "--threads=1", "--knn_k=20", "--linear_probe")
        if cls.process.returncode != 0:
            raise AssertionError(cls.process.stderr)

    def test_features_became_better(self):
        result = tr.result(self.folder)
        self.assertGreater(result["trained"]["knn_top1"],
                           result["untrained"]["knn_top1"] + 1)
        self.assertGreater(result["trained"]["linear_top1"], 60)

    def test_metrics_have_one_record_an_epoch(self):
        with open(os.path.join(self.folder, "metrics.jsonl")) as f:
            records = [json.loads(line) for line in f]
        self.assertEqual([r["epoch"] for r in records], list(range(1, 6)))
        for record in records:
            self.assertEqual(record["step"], record["epoch"] * 62)
            self.assertGreater(record["images_per_second"], 0)
            self.assertGreater(record["effective_rank"], 1)
            self.assertTrue(0 < record["feature_std"] <= 1.0001)
            self.assertAlmostEqual(sum(record["pair_share"]), 1)
        self.assertLess(records[-1]["loss"], records[0]["loss"])
        self.assertTrue(-1 <= records[-1]["loss"] <= 1)

    def test_configuration_is_resolved_and_runs_again(self):
        path = os.path.join(self.folder, "config.json")
        with open(path) as f:
            config = json.load(f)
        self.assertEqual(config["method"], "simsiam_gsg")
        self.assertEqual(config["epochs"], 5)
        again = tr.run("--config=" + path, "--print_config")
        self.assertEqual(again.returncode, 0, again.stderr)
        printed = json.loads(again.stdout)
        for key in ("output_dir", "overwrite", "resume"):
            config.pop(key)
            printed.pop(key)
        self.assertEqual(printed, config)

    def test_report_stands_alone(self):
        with open(os.path.join(self.folder, "report.html")) as f:
            page = f.read()
        self.assertIn("data:image/png;base64,", page)
        self.assertIn("<svg", page)
        self.assertNotIn("http://", page.replace("http://www.w3.org", ""))
        self.assertNotIn("https://", page)

    def test_prints_a_table_and_no_progress_bar(self):
        self.assertIn("raw pixels", self.process.stdout)
        self.assertIn("untrained network", self.process.stdout)
        self.assertIn("trained network", self.process.stdout)
        self.assertNotIn("\r", self.process.stdout + self.process.stderr)
        # A line a minute, where an epoch takes so long.
        for line in self.process.stderr.splitlines():
            self.assertRegex(line, r"^epoch \d+/5 +\d+/62 +loss ")


if __name__ == "__main__":
    unittest.main()
