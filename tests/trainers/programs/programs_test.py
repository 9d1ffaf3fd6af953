"""evaluate, embed, export and report, as a user runs them."""

import json
import os
import shutil
import struct
import unittest

import numpy as np

from tests.trainers import training_run as tr
from tests.trainers.programs import program_run as pr

PROGRAMS = ("evaluate", "embed", "export", "report")


class ProgramsTest(unittest.TestCase):

    @classmethod
    def setUpClass(cls):
        cls.data = tr.small_data()
        cls.run_folder = tr.new_folder()
        cls.other_run = tr.new_folder()
        quick = [f for f in tr.QUICK if not f.startswith("--linear_probe")]
        for folder, flags in ((cls.run_folder, ["--linear_probe"]),
                              (cls.other_run, ["--base_lr=0.01"])):
            process = tr.run(*quick, "--data_dir=" + cls.data,
                             "--output_dir=" + folder, *flags)
            if process.returncode != 0:
                raise AssertionError(process.stderr)

    def path(self, name):
        return os.path.join(os.path.dirname(self.run_folder), name)

    def fails(self, code, name, *flags):
        process = pr.run(name, *flags)
        self.assertEqual(process.returncode, code, process.stderr)
        self.assertTrue(process.stderr.startswith(name + ": "), process.stderr)
        self.assertEqual(process.stderr.count("\n"), 1, process.stderr)
        return process.stderr

    # What each does.

    def test_evaluate_repeats_the_scores_of_the_run(self):
        printed = pr.succeed("evaluate", "--run=" + self.run_folder,
                             "--threads=1")
        with open(os.path.join(self.run_folder, "evaluation.json")) as f:
            evaluation = json.load(f)
        trained = tr.result(self.run_folder)["trained"]
        self.assertAlmostEqual(evaluation["knn"]["top1"], trained["knn_top1"])
        self.assertAlmostEqual(evaluation["linear"]["top1"],
                               trained["linear_top1"])
        with open(os.path.join(self.data, "t10k-labels-idx1-ubyte"),
                  "rb") as f:
            labels = np.frombuffer(f.read()[8:], np.uint8)
        for part in ("knn", "linear"):
            confusion = np.array(evaluation[part]["confusion"])
            np.testing.assert_array_equal(confusion.sum(1),
                                          np.bincount(labels, minlength=10))
            self.assertAlmostEqual(100 * confusion.trace() / 100,
                                   evaluation[part]["top1"])
            self.assertGreaterEqual(evaluation[part]["top5"],
                                    evaluation[part]["top1"])
            self.assertIn("%.2f" % evaluation[part]["top1"], printed)

    def test_evaluate_by_trained_probes(self):
        for probe, base_lr in (("sgd", 0.1), ("lars", 20)):
            output = self.path(probe + ".json")
            pr.succeed("evaluate", "--run=" + self.run_folder, "--threads=1",
                       "--linear=" + probe, "--probe_epochs=20",
                       "--probe_base_lr=%g" % base_lr,
                       "--probe_batch_size=64", "--output=" + output)
            with open(output) as f:
                linear = json.load(f)["linear"]
            self.assertEqual(linear["probe"], probe)
            self.assertEqual(linear["epochs"], 20)
            self.assertGreater(linear["top1"], 20)  # chance is 10

    def test_evaluate_on_another_data_set(self):
        folder = tr.image_folder(12)
        for dataset, place, name, called, size in (
                ("fashion_mnist", self.data, "fashion_mnist", "fashion_mnist",
                 28),
                ("folder", folder, os.path.basename(folder),
                 "folder " + folder, 12)):
            printed = pr.succeed("evaluate", "--run=" + self.run_folder,
                                 "--threads=1", "--linear=none",
                                 "--dataset=" + dataset, "--data_dir=" + place)
            self.assertIn("evaluated on %s: " % called, printed)
            with open(os.path.join(self.run_folder,
                                   "evaluation-%s.json" % name)) as f:
                scores = json.load(f)
            self.assertNotIn("linear", scores)
            self.assertEqual((scores["dataset"], scores["data_dir"],
                              scores["image_size"]), (dataset, place, size))

    def test_embed_writes_rows_in_the_order_of_the_data(self):
        output = self.path("test.npy")
        pr.succeed("embed", "--run=" + self.run_folder, "--dataset=mnist",
                   "--split=test", "--threads=1", "--output=" + output)
        features = np.load(output, mmap_mode="r")
        self.assertEqual(features.shape, (100, 256))
        self.assertEqual(features.dtype, np.float32)
        self.assertTrue(np.isfinite(features).all())
        with open(os.path.join(self.data, "t10k-labels-idx1-ubyte"),
                  "rb") as f:
            labels = np.frombuffer(f.read()[8:], np.uint8)
        np.testing.assert_array_equal(np.load(self.path("test.labels.npy")),
                                      labels)
        with open(self.path("test.txt")) as f:
            self.assertEqual(len(f.read().splitlines()), 100)

    def test_embed_of_the_run_s_own_images_replaces_labels(self):
        output = self.path("own.npy")
        labels = self.path("own.labels.npy")
        printed = pr.succeed("embed", "--run=" + self.run_folder,
                             "--output=" + output, "--threads=1")
        self.assertIn(labels, printed)
        # Rows without labels leave no labels of other rows beside them.
        printed = pr.succeed("embed", "--run=" + self.run_folder,
                             "--images=" + tr.image_folder(12),
                             "--output=" + output, "--threads=1")
        self.assertNotIn(labels, printed)
        self.assertFalse(os.path.exists(labels))

    def test_embed_names_damaged_images_and_leaves_them_out(self):
        folder = tr.image_folder(12)
        images = sorted(
            os.path.join(place, name)
            for place, _, names in os.walk(folder) for name in names)
        with open(images[3], "w") as f:
            f.write("not an image")
        output = self.path("folder.npy")
        process = pr.run("embed", "--run=" + self.run_folder,
                         "--images=" + folder, "--threads=1",
                         "--output=" + output)
        self.assertEqual(process.returncode, 0, process.stderr)
        self.assertEqual(process.stderr.count("\n"), 1, process.stderr)
        self.assertIn(os.path.relpath(images[3], folder), process.stderr)
        with open(self.path("folder.txt")) as f:
            names = f.read().splitlines()
        del images[3]
        self.assertEqual(names, [os.path.relpath(i, folder) for i in images])
        self.assertEqual(len(np.load(output)), len(names))

    def test_embed_and_evaluate_on_archives_as_on_their_folder(self):
        folder = tr.image_folder(24)
        place = self.path("packed")
        archives = [f"{place}/photos-{i}.tar" for i in range(3)]
        tr.pack(folder, archives)

        def embed(images):
            output = self.path("of.npy")
            pr.succeed("embed", "--run=" + self.run_folder, "--threads=1",
                       "--images=" + images, "--output=" + output)
            with open(self.path("of.txt")) as f:
                return np.load(output), f.read().splitlines()

        rows, names = embed(folder)
        for images in (place, place + "/photos-{0..2}.tar"):
            packed_rows, packed_names = embed(images)
            np.testing.assert_array_equal(packed_rows, rows)
            self.assertEqual([name.partition(".tar/")[2]
                              for name in packed_names], names)
            # Archives hold every third of the names in order.
            self.assertEqual([name.partition(".tar/")[0]
                              for name in packed_names],
                             ["photos-%d" % (i % 3) for i in range(30)])
        # A name is a path below the archives' folder.
        one, _ = embed(place + "/" + packed_names[7])
        np.testing.assert_allclose(one, rows[7:8], rtol=1e-4, atol=1e-5)

        def evaluate(data_dir):
            output = self.path("of.json")
            pr.succeed("evaluate", "--run=" + self.run_folder, "--threads=1",
                       "--dataset=folder", "--data_dir=" + data_dir,
                       "--knn_k=5", "--output=" + output)
            with open(output) as f:
                scores = json.load(f)
            self.assertEqual(scores.pop("data_dir"), data_dir)
            return scores

        expected = evaluate(folder)
        self.assertEqual(expected["image_size"], 12)
        self.assertEqual(evaluate(place), expected)
        self.assertEqual(expected["test_images"], 6)
        self.assertEqual(len(expected["classes"]), 3)
        # Errors.
        for archive, what in ((place + "/none.tar", "does not exist"),
                              (place + "/photos-{0..3}.tar", "is one of"),
                              (archives[0] + "/none.jpg", "has no file none")):
            self.assertIn(what, self.fails(1, "embed",
                                           "--run=" + self.run_folder,
                                           "--images=" + archive))

    def test_embed_on_names_of_any_characters(self):
        folder = tr.image_folder(12)
        images = sorted(
            os.path.join(place, name)
            for place, _, names in os.walk(folder) for name in names)
        odd = os.path.join(folder, "0 a\rb\nc\\d\u2028.jpg")
        shutil.copy(images[0], odd)
        for name in ("1.xcf", "2.XCF"):
            shutil.copy(images[0], os.path.join(folder, name))
        output = self.path("odd.npy")
        process = pr.run("embed", "--run=" + self.run_folder,
                         "--images=" + folder, "--threads=1",
                         "--output=" + output)
        self.assertEqual(process.returncode, 0, process.stderr)
        self.assertEqual(
            process.stderr,
            "note: 2 files of other formats were passed over: .xcf 2\n")
        with open(self.path("odd.txt"), encoding="utf-8") as f:
            names = f.read().split("\n")[:-1]
        self.assertEqual(len(names), len(images) + 1)
        self.assertEqual(names[0], "0 a\\rb\\nc\\\\d\u2028.jpg")
        self.assertEqual(names[1:],
                         [os.path.relpath(i, folder) for i in images])
        # One image, by itself.
        one = self.path("one.npy")
        pr.succeed("embed", "--run=" + self.run_folder, "--images=" + odd,
                   "--threads=1", "--output=" + one)
        np.testing.assert_allclose(np.load(one), np.load(output)[:1],
                                   rtol=1e-4, atol=1e-5)
        # Advice is about flags that it has.
        archive = self.path("photos.zip")
        with open(archive, "wb") as f:
            f.write(b"PK\3\4")
        message = self.fails(1, "embed", "--run=" + self.run_folder,
                             "--images=" + archive)
        self.assertIn("is a zip archive, not a folder: unpack it", message)
        self.assertNotIn("--data_dir", message)

    def test_a_data_dir_that_is_not_utf8(self):
        data = os.fsdecode(os.fsencode(self.path("caf")) + b"\xe9 ")
        shutil.copytree(self.data, data)
        folder = tr.new_folder()
        quick = [*tr.QUICK, "--nobaselines"]
        process = tr.run(*quick, "--data_dir=" + data, "--max_steps=4",
                         "--output_dir=" + folder)
        self.assertEqual(process.returncode, 0, process.stderr)
        with open(os.path.join(folder, "config.json"), encoding="utf-8") as f:
            kept = json.load(f)["data_dir"]
        self.assertEqual(kept["bytes"].encode("latin-1"), os.fsencode(data))
        process = tr.run("--resume", "--max_steps=0", "--output_dir=" + folder)
        self.assertEqual(process.returncode, 0, process.stderr)
        pr.succeed("evaluate", "--run=" + folder, "--threads=1",
                   "--linear=none")

    def test_report_compares_runs(self):
        output = self.path("compare.html")
        pr.succeed("report", self.run_folder, self.other_run,
                   "--output=" + output)
        with open(output) as f:
            page = f.read()
        self.assertIn("base_lr", page)
        self.assertNotIn("projector_hidden", page)  # the same in both
        # One run alone has all its settings.
        pr.succeed("report", self.run_folder, "--output=" + output)
        with open(output) as f:
            page = f.read()
        self.assertIn("projector_hidden", page)
        self.assertNotIn("<script", page)
        self.assertNotIn("http", page.replace("http://www.w3.org", ""))

    # What each says.

    def test_help(self):
        for name in PROGRAMS:
            printed = pr.succeed(name, "--help")
            self.assertIn("Usage: %s " % name, printed)
            self.assertIn("--output", printed)

    def test_unknown_flag_names_the_nearest(self):
        for name in PROGRAMS:
            self.assertIn("did you mean --output?",
                          self.fails(2, name, "--outputs=x"))

    def test_no_run(self):
        for name in ("evaluate", "embed", "export"):
            flags = ["--images=" + self.data] if name == "embed" else []
            self.assertIn("--run=DIR", self.fails(2, name, *flags))
            nowhere = tr.new_folder()
            message = self.fails(1, name, "--run=" + nowhere, *flags)
            self.assertIn("there is no checkpoint " + nowhere, message)
        self.assertIn("needs runs", self.fails(2, "report"))
        nowhere = tr.new_folder()
        self.assertIn(nowhere, self.fails(1, "report", self.run_folder, nowhere,
                                          "--output=" + self.path("x.html")))

    def test_a_checkpoint_is_not_released_weights(self):
        checkpoint = os.path.join(self.run_folder, "checkpoint-last.pt")
        message = self.fails(1, "embed", "--weights=" + checkpoint,
                             "--images=" + self.data)
        self.assertEqual(
            message, "embed: %s is a checkpoint of a run, not released "
            "weights: use --checkpoint=%s\n" % (checkpoint, checkpoint))

    def test_a_damaged_checkpoint(self):
        folder = tr.new_folder()
        process = tr.run(*tr.QUICK, "--data_dir=" + self.data, "--keep=3",
                         "--keep_every=1", "--output_dir=" + folder)
        self.assertEqual(process.returncode, 0, process.stderr)

        def path(name):
            return os.path.join(folder, "checkpoint-%s.pt" % name)

        def damage(name):
            """A copy, since a checkpoint has more than one name."""
            with open(path(name), "rb") as f:
                start = f.read(5000)
            os.remove(path(name))
            with open(path(name), "wb") as f:
                f.write(start)

        def message(name, *flags):
            return self.fails(1, name, "--run=" + folder, *flags)

        damage("last")
        for name in ("evaluate", "embed", "export"):
            flags = ["--images=" + self.data] if name == "embed" else []
            said = message(name, *flags)
            self.assertIn(path("last") + " is damaged", said)
            self.assertIn(
                "These are good: "
                "--checkpoint=%s (3 epochs), or --checkpoint=%s (2 epochs), "
                "or --checkpoint=%s (2 epochs), or --checkpoint=%s (1 epoch), "
                "or --checkpoint=%s (1 epoch)\n" %
                (path("epoch-3"), path("epoch-2"), path("previous"),
                 path("epoch-1"), path("previous-2")), said)
        for name in ("epoch-3", "epoch-2", "previous", "epoch-1"):
            damage(name)
        self.assertIn(
            "This one is good: --checkpoint=%s (1 epoch)\n" %
            path("previous-2"), message("evaluate"))
        pr.succeed("evaluate", "--checkpoint=" + path("previous-2"),
                   "--linear=none", "--threads=1")
        os.remove(path("last"))
        self.assertIn(
            "there is no checkpoint %s. This one is good: --checkpoint=%s" %
            (path("last"), path("previous-2")), message("evaluate"))
        # A relative path has a folder, too.
        process = pr.run("evaluate", "--checkpoint=checkpoint-epoch-1.pt",
                         cwd=folder)
        self.assertEqual(process.returncode, 1)
        self.assertIn("--checkpoint=./checkpoint-previous-2.pt", process.stderr)
        damage("previous-2")
        os.rename(path("previous-2"), path("last"))
        self.assertIn("There is no other checkpoint in %s that is good" %
                      folder, message("evaluate"))

    def test_what_does_not_go_together(self):
        run = "--run=" + self.run_folder
        self.assertIn("--linear is lbfgs",
                      self.fails(2, "evaluate", run, "--probe_epochs=3"))
        self.assertIn("did you mean cifar10",
                      self.fails(2, "evaluate", run, "--dataset=cifar"))
        self.assertIn("must end in .npy",
                      self.fails(2, "embed", run, "--images=x", "--output=y"))

    def test_export_leaves_onnx_to_python(self):
        output = self.path("x.onnx")
        self.assertIn("export_onnx", self.fails(2, "export",
                                                "--run=" + self.run_folder,
                                                "--output=" + output))
        self.assertFalse(os.path.exists(output))

    def test_export_keeps_what_it_exports(self):
        checkpoint = os.path.join(self.run_folder, "checkpoint-last.pt")
        before = os.stat(checkpoint).st_size
        self.assertIn("would be lost", self.fails(
            1, "export", "--run=" + self.run_folder, "--output=" + checkpoint))
        self.assertEqual(os.stat(checkpoint).st_size, before)

    def test_images_of_other_channels(self):
        folder = self.path("cifar")
        os.makedirs(folder)
        for name in ["data_batch_%d.bin" % i for i in range(1, 6)] + [
                "test_batch.bin"]:
            with open(os.path.join(folder, name), "wb") as f:
                f.write(struct.pack("B", 1) + bytes(3072))
        with open(os.path.join(folder, "batches.meta.txt"), "w") as f:
            f.write("\n".join("class%d" % i for i in range(10)) + "\n")
        message = self.fails(1, "evaluate", "--run=" + self.run_folder,
                             "--dataset=cifar10", "--data_dir=" + folder)
        self.assertIn("have 3 channels", message)
        self.assertIn("takes 1", message)


if __name__ == "__main__":
    unittest.main()
