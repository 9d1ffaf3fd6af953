"""Images of many bands and 16 bits: from training to the pages."""

import json
import os
import random
import struct
import unittest

from tests.trainers import training_run as tr
from tests.trainers.image.codec.tiff_bytes import tiff
from tests.trainers.programs import program_run as pr

SIDE, BANDS = 24, 5
SMALL = ["--recipe=photos", "--backbone=resnet_small", "--threads=1",
         "--projector_hidden=64", "--projector_dim=64", "--batch_size=16",
         "--knn_k=5", "--epochs=2", "--seed=1"]


def satellite_image(generator, kind):
    """12 bits of 16, as many sensors have; one band is bright in each kind."""
    values = []
    for _ in range(SIDE * SIDE):
        values += [generator.randrange(2048 if band == kind else 256)
                   for band in range(BANDS)]
    return tiff([struct.pack("<%dH" % len(values), *values)], 1, 16, BANDS,
                extra=(0,) * (BANDS - 1), height=SIDE, width=SIDE)


class BandsTest(unittest.TestCase):

    @classmethod
    def setUpClass(cls):
        generator = random.Random(1)
        cls.data = tr.new_folder()
        for split, count in (("train", 20), ("val", 5)):
            for kind in range(3):
                folder = os.path.join(cls.data, split, "kind%d" % kind)
                os.makedirs(folder)
                for i in range(count):
                    with open(os.path.join(folder, "%02d.tif" % i), "wb") as f:
                        f.write(satellite_image(generator, kind))
        cls.run_folder = tr.new_folder()
        cls.process = tr.run("--data_dir=" + cls.data, "--channels=%d" % BANDS,
                             "--output_dir=" + cls.run_folder, *SMALL)

    def test_training(self):
        self.assertEqual((self.process.returncode, self.process.stderr), (0, ""))
        with open(self.run_folder + "/config.json") as f:
            config = json.load(f)
        self.assertEqual(config["channels"], BANDS)
        self.assertEqual(config["normalize"], "measured")
        # The mean of a band says which kind it is. Not of the upper 8 bits of
        # colors: values below 2048 are all but black there.
        self.assertEqual(tr.result(self.run_folder)["trained"]["knn_top1"], 100)
        self.assertTrue(os.path.getsize(self.run_folder + "/report.html"))

    def test_the_bands_of_a_file_are_not_taken_for_gray(self):
        process = tr.run("--data_dir=" + self.data, *SMALL)
        self.assertEqual(process.returncode, 1)
        self.assertIn("has 5 channels where 3 are wanted; --channels=5 trains on "
                      "such images", process.stderr)

    def test_the_programs_read_them(self):
        run = "--run=" + self.run_folder
        self.assertIn("k-NN", pr.succeed("evaluate", run, "--threads=1"))
        folder = tr.new_folder()
        pr.succeed("explore", run, "--images=" + self.data + "/val",
                   "--output=" + folder, "--threads=1")
        self.assertTrue(os.listdir(folder + "/sheets"))


if __name__ == "__main__":
    unittest.main()
