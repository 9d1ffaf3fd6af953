"""Selections, pairings and crops: each trains, and goes on where it stopped."""

import unittest

from tests.trainers import training_run as tr


class VariantsTest(unittest.TestCase):

    def test_selections_pairings_and_crops(self):
        data = tr.small_cifar10()
        records = []
        for flags in ([], ["--selection=soft", "--selection_temperature=3"],
                      ["--selection=margin", "--selection_margin=0.2"],
                      ["--pairing=nearest", "--pairing_candidates=3"],
                      ["--views=shared", "--pairing=nearest",
                       "--pairing_candidates=7", "--local_crops=2",
                       "--local_crop_size=12"]):
            folder = tr.new_folder()
            flags = [*tr.SMALL_CIFAR10, "--nobaselines", "--data_dir=" + data,
                     *flags]
            process = tr.run("--output_dir=" + folder, *flags)
            self.assertEqual(process.returncode, 0, process.stderr)
            records.append(tr.metrics(folder)[-1])
        self.assertEqual(len({record["loss"] for record in records}), 5)
        margin = sum(records[2]["pair_share"])
        self.assertTrue(0 < margin < 1, margin)  # the rest is not guided
        # The last goes on where it stopped, too.
        again = tr.new_folder()
        process = tr.run("--output_dir=" + again, "--max_steps=3", *flags)
        self.assertEqual(process.returncode, 0, process.stderr)
        process = tr.run("--resume", "--output_dir=" + again, "--max_steps=0")
        self.assertEqual(process.returncode, 0, process.stderr)
        self.assertEqual(tr.metrics(again), tr.metrics(folder))

    def test_accumulated_steps_go_on_where_they_stopped(self):
        # Five batches an epoch: updates of two, two and one.
        flags = [*tr.SMALL_CIFAR10, "--nobaselines", "--accumulate=2",
                 "--data_dir=" + tr.small_cifar10(8)]
        folders = [tr.new_folder(), tr.new_folder()]
        for more in (["--output_dir=" + folders[0], *flags],
                     ["--output_dir=" + folders[1], "--max_steps=6", *flags],
                     ["--output_dir=" + folders[1], "--resume",
                      "--max_steps=0"]):
            process = tr.run(*more)
            self.assertEqual(process.returncode, 0, process.stderr)
        self.assertEqual(tr.metrics(folders[0]), tr.metrics(folders[1]))


if __name__ == "__main__":
    unittest.main()
