"""Runs on a folder of JPEG files, whole and with damage."""

import io
import os
import shutil
import tarfile
import unittest

from tests.trainers import training_run as tr

TRAIN, VAL = 180, 45
STEPS = 5  # an epoch: 180 / 32


def flags(data, *more):
    return ["--recipe=fashion_mnist", "--dataset=folder",
            "--data_dir=" + data, "--epochs=2",
            "--warmup_epochs=1", "--batch_size=32", "--crop_size=16",
            "--threads=1", "--projector_hidden=64", "--projector_dim=64",
            "--knn_k=20", "--seed=7", *more]


def images(folder):
    """Paths of all images below the folder, sorted, below it."""
    return sorted(os.path.relpath(os.path.join(top, name), folder)
                  for top, _, names in os.walk(folder) for name in names)


def damage(folder, count):
    """Spoils that many training images in several ways; returns their names."""
    names = [n for n in images(folder) if n.startswith("train/")]
    spoilt = names[::len(names) // count][:count]
    for i, name in enumerate(spoilt):
        path = os.path.join(folder, name)
        size = os.path.getsize(path)
        with open(path, "r+b") as f:
            if i % 3 == 0:
                f.truncate(0)
            elif i % 3 == 1:
                f.truncate(size // 2)
            else:
                f.write(b"not a picture")
    return spoilt


class ImageFolderTest(unittest.TestCase):

    @classmethod
    def setUpClass(cls):
        cls.data = tr.image_folder(TRAIN)
        cls.whole = None

    def run_on(self, data, *more):
        folder = tr.new_folder()
        process = tr.run("--output_dir=" + folder, *flags(data, *more))
        self.assertEqual(process.returncode, 0, process.stderr)
        return folder, process

    @classmethod
    def expected(cls):
        """The folder of a run on the data as it is, which several tests compare with."""
        if cls.whole is None:
            cls.whole = tr.new_folder()
            process = tr.run("--output_dir=" + cls.whole, *flags(cls.data))
            if (process.returncode, process.stderr) != (0, ""):
                raise AssertionError(process.stderr)
        return cls.whole

    def copy(self):
        data = tr.new_folder()
        shutil.copytree(self.data, data)
        return data

    def test_labeled_and_any_number_of_loader_threads(self):
        one = self.expected()
        two, _ = self.run_on(self.data, "--loader_threads=2")
        self.assertEqual(tr.metrics(one), tr.metrics(two))
        self.assertEqual(tr.result(one), tr.result(two))
        records = tr.metrics(one)
        self.assertEqual([r["step"] for r in records], [STEPS, 2 * STEPS])
        # Three classes of waves: chance is 33.
        self.assertGreater(records[-1]["knn_top1"], 50)
        result = tr.result(one)
        self.assertEqual(result["damaged_images"], 0)
        self.assertGreater(result["trained"]["knn_top1"], 50)

    def test_tar_shards_and_a_list_equal_the_folder(self):
        names = images(self.data)
        classes = sorted({name.split("/")[1] for name in names})
        place = tr.new_folder()
        os.makedirs(place)
        table = ["path,label,split"]
        for split, shards in (("train", 3), ("val", 1)):
            some = [name for name in names if name.startswith(split)]
            for name in some:
                path = os.path.join(self.data, name)
                table.append(f"{path},{name.split('/')[1]},{split}")
            for i in range(shards):
                archive = os.path.join(place, f"waves-{split}-00{i}.tar")
                with tarfile.open(archive, "w") as tar:
                    for name in some[i::shards]:
                        tar.add(os.path.join(self.data, name), name)
                        label = str(classes.index(name.split("/")[1])).encode()
                        info = tarfile.TarInfo(os.path.splitext(name)[0] + ".cls")
                        info.size = len(label)
                        tar.addfile(info, io.BytesIO(label))
        data_list = os.path.join(place, "list.csv")
        with open(data_list, "w", encoding="utf-8") as file:
            file.write("\n".join(table))
        expected = self.expected()
        ranges = ",".join(os.path.join(place, name) for name in (
            "waves-train-{000..002}.tar", "waves-val-000.tar"))
        for data in (place, ranges):
            folder, _ = self.run_on(data)
            self.assertEqual(tr.metrics(folder), tr.metrics(expected))
            self.assertEqual(tr.result(folder), tr.result(expected))
        folder = tr.new_folder()
        listed = [flag for flag in flags("")
                  if not flag.startswith("--data_dir")]
        process = tr.run("--output_dir=" + folder, *listed,
                         "--data_list=" + data_list)
        self.assertEqual(process.returncode, 0, process.stderr)
        self.assertEqual(tr.metrics(folder), tr.metrics(expected))

    def test_packed_class_folders_equal_the_folder(self):
        expected = self.expected()
        self.assertIn("knn_top1", tr.metrics(expected)[-1])
        place = tr.new_folder()
        tr.pack(self.data, [place + "/whole/photos.tar"], below="photos/")
        for split, shards in (("train", 3), ("val", 2)):
            tr.pack(self.data, [f"{place}/parts/waves-{split}-{i}.tar"
                                for i in range(shards)], only=split + "/")
        for data in (place + "/whole/photos.tar", place + "/parts"):
            folder, process = self.run_on(data)
            self.assertEqual(process.stderr, "")
            self.assertEqual(tr.metrics(folder), tr.metrics(expected))
            self.assertEqual(tr.result(folder), tr.result(expected))

    def test_an_image_in_an_archive_is_named_by_both(self):
        data = self.copy()
        name, = damage(data, 1)
        archive = data + "-packed/a.tar"
        tr.pack(data, [archive])
        _, process = self.run_on(archive, "--max_damaged=0.1")
        self.assertIn(f"warning: a.tar/{name} is left out: ", process.stderr)

    def test_ten_damaged_files(self):
        data = self.copy()
        spoilt = damage(data, 10)
        self.assertEqual(len(spoilt), 10)
        one, process = self.run_on(data, "--max_damaged=0.1")
        for name in spoilt:
            line = "warning: %s is left out: " % name
            self.assertEqual(process.stderr.count(line), 1, process.stderr)
        self.assertIn("warning: 10 damaged images were left out",
                      process.stderr)
        self.assertEqual(process.stderr.count("\n"), 11)
        self.assertEqual(tr.result(one)["damaged_images"], 10)
        two, process_two = self.run_on(data, "--max_damaged=0.1",
                                       "--loader_threads=3")
        self.assertEqual(tr.metrics(one), tr.metrics(two))
        self.assertEqual(process.stderr, process_two.stderr)

    def test_damage_is_counted_from_before_a_resume(self):
        """Also where the file is whole by then, and so not met again."""
        data = self.copy()
        name = [n for n in images(data) if n.startswith("train/")][0]
        path = os.path.join(data, name)
        away = data + "-away"
        shutil.move(path, away)
        with open(path, "w"):
            pass
        folder, process = self.run_on(data, "--max_steps=%d" % STEPS)
        self.assertEqual(process.stderr.count(name + " is left out: "), 1)
        shutil.move(away, path)
        process = tr.run("--output_dir=" + folder, "--resume", "--max_steps=0")
        self.assertEqual(process.returncode, 0, process.stderr)
        # It has been named before.
        self.assertEqual(process.stderr,
                         "warning: 1 damaged image was left out\n")
        self.assertEqual(tr.result(folder)["damaged_images"], 1)

    def test_too_much_damage_ends_the_run(self):
        data = self.copy()
        spoilt = damage(data, 11)
        folder = tr.new_folder()
        process = tr.run("--output_dir=" + folder, *flags(data))
        self.assertEqual(process.returncode, 1)
        # One in a hundred of 180 images would be one.
        self.assertIn("11 of 180 images are damaged so far; --max_damaged=0.01 "
                      "allows 10 (%s: the file is empty; %s: "
                      "JPEG: Premature end of JPEG file; " %
                      (spoilt[0], spoilt[1]), process.stderr)
        self.assertIn("or pass --max_damaged=0.2 to go on", process.stderr)
        # Nothing that the same command, once they are repaired, ends at.
        self.assertEqual(os.listdir(folder), [])

    def test_without_labels(self):
        flat = tr.new_folder()
        os.mkdir(flat)
        for i, name in enumerate(images(self.data)):
            shutil.copy(os.path.join(self.data, name),
                        os.path.join(flat, "%03d.JPG" % i))
        folder, process = self.run_on(flat, "--channels=1")
        self.assertIn("225 train and no test images", process.stdout)
        records = tr.metrics(folder)
        self.assertIsNone(records[0]["knn_top1"])
        self.assertGreater(records[0]["effective_rank"], 1)
        self.assertIsNone(tr.result(folder)["trained"]["knn_top1"])
        self.assertGreaterEqual(tr.result(folder)["raw_pixels"]["view_top1"], 0)
        with open(os.path.join(folder, "report.html")) as f:
            page = f.read()
        self.assertIn("data:image/png;base64,", page)
        self.assertIn("cluster 1", page)
        self.assertIn("alt=\"Image: cluster ", page)
        self.assertRegex(page, r"<figcaption>\d\d\d\.JPG</figcaption>")
        self.assertIn("Two views of an image find each other", page)
        self.assertIn("--run=" + folder, page)
        self.assertIn("--images=" + flat, page)
        self.assertNotIn("no labels", page)
        self.assertNotIn("Test images", page)

    def test_what_is_passed_over_is_said(self):
        data = self.copy()
        name = [n for n in images(data) if n.startswith("train/")][0]
        for i in range(3):
            shutil.copy(os.path.join(data, name),
                        os.path.join(data, "train", "%d.xcf" % i))
        _, process = self.run_on(data, "--max_steps=2")
        self.assertIn("180 train and 45 test images", process.stdout)
        self.assertIn("Note: 3 files of other formats were passed over: .xcf 3"
                      "\n", process.stdout)
        # A test set without labels.
        shutil.move(os.path.join(data, "val"), os.path.join(data, "away"))
        os.mkdir(os.path.join(data, "Test"))
        shutil.copy(os.path.join(data, name), os.path.join(data, "Test"))
        _, process = self.run_on(data, "--max_steps=2")
        self.assertIn("180 train and no test images", process.stdout)
        self.assertIn("Note: Test is not scored: it has no labels",
                      process.stdout)

    def test_wrong_folders(self):
        def message(data):
            process = tr.run("--output_dir=" + tr.new_folder(), *flags(data))
            self.assertEqual(process.returncode, 1)
            self.assertEqual(process.stderr.count("\n"), 1, process.stderr)
            return process.stderr

        nowhere = tr.new_folder()
        self.assertIn(nowhere + " does not exist", message(nowhere))
        os.mkdir(nowhere)
        self.assertIn(nowhere + " is empty", message(nowhere))
        data = self.copy()
        shutil.move(os.path.join(data, "train", "vertical"),
                    os.path.join(data, "train", "upright"))
        self.assertIn('is of class "vertical"', message(data))


if __name__ == "__main__":
    unittest.main()
