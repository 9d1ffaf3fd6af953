"""--tensorboard: what the tensorboard package reads in a run's folder."""

import unittest

from tensorboard.backend.event_processing import event_accumulator

from tests.trainers import training_run as tr

PAIRS = ("11_21", "11_22", "12_21", "12_22")


def scalars(folder):
    """{epoch: {name: value}} of the event files."""
    reader = event_accumulator.EventAccumulator(folder)
    reader.Reload()
    epochs = {}
    for tag in reader.Tags()["scalars"]:
        for event in reader.Scalars(tag):
            values = epochs.setdefault(event.step, {})
            values[tag] = event.value
    return epochs


class TensorBoardTest(unittest.TestCase):

    def assert_holds_metrics(self, folder):
        records = tr.metrics(folder)
        epochs = scalars(folder)
        self.assertEqual(sorted(epochs), [r["epoch"] for r in records])
        for record in records:
            values = epochs[record["epoch"]]
            self.assertIn("epoch/images_per_second", values)
            for name, value in record.items():
                if name == "pair_share":
                    for pair, share in zip(PAIRS, value):
                        self.assertAlmostEqual(
                            values["epoch/pair_share/" + pair], share, 5)
                elif name != "epoch" and value is not None:
                    self.assertAlmostEqual(values["epoch/" + name], value, 4)
                elif value is None:
                    self.assertNotIn("epoch/" + name, values)

    def test_scalars_are_those_of_metrics_jsonl(self):
        folder = tr.new_folder()
        flags = [*tr.QUICK, "--data_dir=" + tr.small_data(), "--nobaselines",
                 "--knn_every=2", "--tensorboard", "--output_dir=" + folder]

        def train(*more):
            process = tr.run(*flags, *more)
            self.assertEqual((process.returncode, process.stderr), (0, ""))

        train("--max_steps=12")
        train("--resume", "--max_steps=0")
        self.assert_holds_metrics(folder)
        self.assertEqual(len(tr.metrics(folder)), 3)
        # What the first run has written of these epochs is void.
        flags.remove("--seed=7")
        train("--overwrite", "--seed=8")
        self.assert_holds_metrics(folder)


if __name__ == "__main__":
    unittest.main()
