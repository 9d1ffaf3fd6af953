"""explore and search, as a user runs them, against planted truth and NumPy."""

import csv
import json
import os
import shutil
import signal
import subprocess
import time
import unittest

import numpy as np

from tests.trainers import training_run as tr
from tests.trainers.explore import explore_data
from tests.trainers.programs import program_run as pr

K = 10


def table(folder, name):
    with open(os.path.join(folder, name), newline="") as f:
        return list(csv.DictReader(f))


def files(folder):
    return {name: os.stat(os.path.join(folder, name)).st_mtime_ns
            for name in os.listdir(folder)}


class ExploreTest(unittest.TestCase):

    @classmethod
    def setUpClass(cls):
        cls.planted = explore_data.Planted()
        cls.output = tr.new_folder()
        cls.printed = pr.succeed(
            "explore", "--features=" + cls.planted.features,
            "--images=" + cls.planted.images, "--output=" + cls.output,
            "--duplicates=0.999", "--threads=1")
        cls.run_folder = tr.new_folder()
        process = tr.run(*tr.QUICK, "--data_dir=" + tr.small_data(),
                         "--output_dir=" + cls.run_folder)
        if process.returncode != 0:
            raise AssertionError(process.stderr)

    def fails(self, code, name, *flags):
        process = pr.run(name, *flags)
        self.assertEqual(process.returncode, code, process.stderr)
        self.assertEqual(process.stderr.count("\n"), 1, process.stderr)
        return process.stderr

    def cosines(self):
        rows = self.planted.rows.astype(np.float64)
        rows = rows - rows.mean(0)
        rows /= np.linalg.norm(rows, axis=1, keepdims=True)
        return rows @ rows.T

    def test_neighbors_are_those_of_numpy(self):
        cosines = self.cosines()
        np.fill_diagonal(cosines, -2)
        place = {name: i for i, name in enumerate(self.planted.names)}
        rows = table(self.output, "neighbors.csv")
        self.assertEqual(len(rows), K * len(place))
        nearest = -np.sort(-cosines, axis=1)[:, :K]
        for row in rows:
            i, j = place[row["file"]], place[row["neighbor"]]
            wanted = nearest[i, int(row["rank"]) - 1]
            self.assertAlmostEqual(float(row["cosine"]), wanted, 4)
            self.assertAlmostEqual(cosines[i, j], wanted, 4)

    def test_the_planted_ones_are_found(self):
        pairs = {}
        for row in table(self.output, "duplicates.csv"):
            pairs.setdefault(row["group"], []).append(row)
        found = set()
        for group in pairs.values():
            self.assertEqual([row["copy"] for row in group],
                             ["first", "exact"])
            found.add(frozenset(row["file"] for row in group))
        self.assertEqual(found, {frozenset(pair) for pair in
                                 self.planted.copies.items()})
        outliers = table(self.output, "outliers.csv")
        self.assertEqual({row["file"] for row in
                          outliers[:explore_data.FOREIGN]},
                         set(self.planted.foreign))
        self.assertEqual(len(outliers), len(self.planted.names))
        # Foreign images may look like any class.
        labels = [row for row in table(self.output, "labels.csv")
                  if row["file"] not in self.planted.foreign]
        for row in labels[:explore_data.WRONG]:
            self.assertEqual(row["suggested"], self.planted.wrong[row["file"]])
            self.assertEqual(row["verdict"], "wrong")
        self.assertIn("5 images are copies of another one, pixel by pixel.",
                      self.printed)

    def test_clusters_are_the_classes(self):
        rows = table(self.output, "clusters.csv")
        self.assertEqual({row["cluster"] for row in rows}, {"1", "2", "3"})
        of_class = {}
        for row in rows:
            if row["file"] in self.planted.foreign:
                continue
            true = self.planted.wrong.get(row["file"],
                                          os.path.dirname(row["file"]))
            self.assertEqual(row["cluster"],
                             of_class.setdefault(true, row["cluster"]))

    def test_sheets_are_there_and_stay_what_they_are(self):
        sheets = os.path.join(self.output, "sheets")
        before = files(sheets)
        self.assertEqual(len(before), 1)
        with open(os.path.join(self.output, "index.html")) as f:
            self.assertIn("sheets/" + list(before)[0], f.read())
        again = pr.succeed("explore", "--features=" + self.planted.features,
                           "--images=" + self.planted.images,
                           "--output=" + self.output, "--duplicates=0.999",
                           "--threads=1")
        self.assertEqual(again, self.printed)
        self.assertEqual(files(sheets), before)
        # They are nobody's images.
        self.assertIn("has no images but 1 sheet of thumbnails", self.fails(
            1, "embed", "--run=" + self.run_folder, "--images=" + self.output,
            "--output=" + tr.new_folder() + ".npy"))

    def test_without_images(self):
        output = tr.new_folder()
        pr.succeed("explore", "--features=" + self.planted.features,
                   "--output=" + output, "--labels=none", "--clusters=4",
                   "--duplicates=0.999", "--threads=1")
        copies = table(output, "duplicates.csv")
        self.assertEqual(len(copies), 10)
        self.assertEqual({row["copy"] for row in copies}, {"first", "unknown"})
        self.assertFalse(os.path.exists(os.path.join(output, "labels.csv")))
        self.assertEqual({row["cluster"] for row in
                          table(output, "clusters.csv")}, set("1234"))

    def test_a_run_s_features_are_kept(self):
        images = tr.image_folder(24)
        output = tr.new_folder()
        flags = ("--run=" + self.run_folder, "--images=" + images,
                 "--output=" + output, "--threads=1")
        pr.succeed("explore", *flags)
        features = os.path.join(output, "features.npy")
        first = np.load(features)
        with open(os.path.join(output, "features.txt")) as f:
            names = f.read().splitlines()
        self.assertEqual(first.shape, (30, 256))
        # As embed has them.
        embedded = os.path.join(output, "embedded.npy")
        pr.succeed("embed", "--run=" + self.run_folder, "--images=" + images,
                   "--output=" + embedded, "--threads=1")
        np.testing.assert_allclose(first, np.load(embedded), rtol=1e-4,
                                   atol=1e-5)
        # What is kept is taken, whatever it is; what has changed is not.
        changed = first.copy()
        changed[0] += 1
        with open(features, "r+b") as f:
            f.seek(128)
            f.write(changed.tobytes())
        pr.succeed("explore", *flags)  # the checksum is wrong: all anew
        np.testing.assert_array_equal(np.load(features), first)
        os.utime(os.path.join(images, names[3]))
        shutil.copy(os.path.join(images, names[5]),
                    os.path.join(images, "zz.jpg"))
        os.remove(os.path.join(images, names[4]))
        pr.succeed("explore", *flags)
        now = np.load(features)
        kept = [i for i in range(30) if i != 4]
        np.testing.assert_allclose(now[:29], first[kept], rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(now[29], first[5], rtol=1e-4, atol=1e-5)

    def test_an_interrupt_keeps_what_is_finished(self):
        images = tr.image_folder(800)
        output = tr.new_folder()
        command = [pr.path("explore"), "--run=" + self.run_folder,
                   "--images=" + images, "--output=" + output, "--threads=1",
                   "--image_size=96"]  # which takes some seconds
        for attempt in range(1, 41):
            # It may not yet have caught signals, or still have listed files; or
            # this was too late for a fast machine.
            shutil.rmtree(output, ignore_errors=True)
            process = subprocess.Popen(command, stderr=subprocess.PIPE,
                                       universal_newlines=True)
            time.sleep(0.1 * attempt)
            process.send_signal(signal.SIGINT)
            _, error = process.communicate()
            if "the same command goes on" in error:
                break
        self.assertIn("the same command goes on", error)
        self.assertEqual(process.returncode, 128 + signal.SIGINT)
        pr.succeed("explore", *command[1:])
        self.assertEqual(np.load(os.path.join(output, "features.npy")).shape[0],
                         1000)

    def test_damaged_images_are_named_and_left_out(self):
        images = tr.image_folder(24)
        damaged = os.path.join(images, "broken.jpg")
        with open(damaged, "wb") as f:
            f.write(b"\xff\xd8 no more")
        output = tr.new_folder()
        process = pr.run("explore", "--run=" + self.run_folder,
                         "--images=" + images, "--output=" + output,
                         "--threads=1")
        self.assertEqual(process.returncode, 0, process.stderr)
        self.assertIn("broken.jpg is left out", process.stderr)
        self.assertIn("1 file could not be read", process.stdout)

    def test_search_finds_the_image_itself_first(self):
        images = tr.image_folder(24)
        output = tr.new_folder()
        pr.succeed("explore", "--run=" + self.run_folder, "--images=" + images,
                   "--output=" + output, "--threads=1")
        with open(os.path.join(output, "features.txt")) as f:
            names = f.read().splitlines()
        page = os.path.join(output, "hits.html")
        printed = pr.succeed("search", "--index=" + output, "--k=3",
                             "--query=" + os.path.join(images, names[7]),
                             "--html=" + page, "--threads=1")
        lines = [line.split("  ") for line in
                 printed.strip().replace(" 1.0000", "1.0000").splitlines()]
        self.assertEqual(len(lines), 3)
        self.assertEqual(lines[0], ["1.0000", names[7]])
        neighbors = [row["neighbor"] for row in table(output, "neighbors.csv")
                     if row["file"] == names[7]]
        self.assertEqual([line.split("  ")[-1] for line in
                          printed.strip().splitlines()][1:], neighbors[:2])
        with open(page) as f:
            html = f.read()
        self.assertEqual(html.count("data:image/jpeg"), 4)
        # Several queries.
        printed = pr.succeed("search", "--index=" + output, "--k=1",
                             "--threads=1", os.path.join(images, names[1]),
                             os.path.join(images, names[2]))
        self.assertEqual(len(printed.splitlines()), 4)
        # By its name in the index.
        self.assertEqual(
            pr.succeed("search", "--index=" + output, "--k=1", "--threads=1",
                       "--query=" + names[2]), printed.splitlines()[3] + "\n")
        self.assertIn(
            "nowhere.jpg is not among the 30 images of the index, e.g. %s; "
            "nor is there such a file" % names[0], self.fails(
                1, "search", "--index=" + output, "--query=nowhere.jpg"))
        # One of them that is none leaves the other as it is.
        process = pr.run("search", "--index=" + output, "--k=1", "--threads=1",
                         page, os.path.join(images, names[2]))
        self.assertEqual(process.returncode, 1)
        self.assertEqual(process.stdout.splitlines(), printed.splitlines()[2:])
        self.assertIn(page, process.stderr)
        self.assertIn("1 of 2 images have no answer", process.stderr)

    def test_search_refuses_another_network(self):
        images = tr.image_folder(8)
        output, run = tr.new_folder(), os.path.join(tr.new_folder(), "run")
        shutil.copytree(self.run_folder, run)
        pr.succeed("explore", "--run=" + run, "--images=" + images,
                   "--output=" + output, "--threads=1")
        checkpoint = os.path.join(run, "checkpoint-last.pt")
        with open(checkpoint, "rb") as f:
            content = f.read()
        with open(os.path.join(output, "features.txt")) as f:
            name = f.readline().rstrip("\n")
        query = ("search", "--index=" + output, "--threads=1",
                 "--query=" + os.path.join(images, name))
        # As training goes on it writes another in its place.
        with open(checkpoint, "wb") as f:
            f.write(content[:-1] + bytes([content[-1] ^ 1]))
        error = self.fails(1, *query)
        self.assertIn(checkpoint + " is not the network any more", error)
        self.assertIn("Run explore again", error)
        # A copy is the same network, whatever its date.
        with open(checkpoint, "wb") as f:
            f.write(content)
        self.assertIn("1.0000", pr.succeed(*query))

    def test_archives_are_explored_as_their_folder(self):
        images = tr.image_folder(24)
        place = tr.new_folder()
        tr.pack(images, [f"{place}/a-{i}.tar" for i in range(2)])
        archives = place + "/a-{0..1}.tar"

        def explore(images):
            output = tr.new_folder()
            pr.succeed("explore", "--run=" + self.run_folder,
                       "--images=" + images, "--output=" + output,
                       "--threads=1")
            return output

        of_folder, output = explore(images), explore(archives)
        for name in ("duplicates", "outliers", "clusters", "neighbors",
                     "labels"):
            rows = table(output, name + ".csv")
            for row in rows:
                for column in {"file", "neighbor"} & row.keys():
                    archive, row[column] = row[column].split("/", 1)
                    self.assertIn(archive, ("a-0.tar", "a-1.tar"))
            self.assertEqual(rows, table(of_folder, name + ".csv"), name)
        # The page has the thumbnails; a browser finds no image in an archive.
        sheets = files(os.path.join(output, "sheets"))
        self.assertEqual(len(sheets), 1)
        with open(os.path.join(output, "index.html")) as f:
            page = f.read()
        self.assertIn("sheets/" + list(sheets)[0], page)
        self.assertIn('"images":""', page)
        # Again: nothing is new.
        features = os.path.join(output, "features.npy")
        first = np.load(features)
        pr.succeed("explore", "--run=" + self.run_folder,
                   "--images=" + archives, "--output=" + output, "--threads=1")
        np.testing.assert_array_equal(np.load(features), first)
        self.assertEqual(files(os.path.join(output, "sheets")), sheets)

        with open(os.path.join(output, "features.txt")) as f:
            names = f.read().splitlines()
        html = os.path.join(output, "hits.html")
        printed = pr.succeed("search", "--index=" + output, "--k=3",
                             "--query=" + os.path.join(place, names[7]),
                             "--html=" + html, "--threads=1")
        lines = [line.split() for line in printed.splitlines()]
        self.assertEqual(lines[0], ["1.0000", names[7]])
        self.assertEqual(len(lines), 3)
        with open(html) as f:
            self.assertEqual(f.read().count("data:image/jpeg"), 4)
        self.assertIn("has 30 images; give one, such as a-", self.fails(
            1, "search", "--index=" + output, "--query=" + archives))
        # By name, as a path below the archives' folder, too.
        given = tr.new_folder()
        pr.succeed("explore", "--features=" + features,
                   "--images=" + archives, "--output=" + given, "--threads=1")
        for query in (names[7], os.path.join(place, names[7])):
            self.assertIn(names[7], pr.succeed("search", "--index=" + given,
                                               "--query=" + query, "--k=1"))

    def test_search_by_name_where_features_were_given(self):
        name = list(self.planted.copies)[0]
        printed = pr.succeed("search", "--index=" + self.output,
                             "--query=" + name, "--k=2")
        self.assertIn(self.planted.copies[name], printed)
        error = self.fails(1, "search", "--index=" + self.output,
                           "--query=unknown.jpg")
        self.assertIn("is not among the 125 images", error)

    def test_errors_say_what_to_do(self):
        features = "--features=" + self.planted.features
        output = "--output=" + tr.new_folder()
        self.assertIn("needs features", self.fails(2, "explore", output))
        self.assertIn("give one", self.fails(2, "explore", features,
                                             "--run=x"))
        self.assertIn("--images", self.fails(2, "explore", "--run=x"))
        self.assertIn("--images", self.fails(2, "explore", "--weights=x"))
        self.assertIn("--clusters=many", self.fails(2, "explore", features,
                                                    "--clusters=many"))
        self.assertIn("--duplicates=2", self.fails(2, "explore", features,
                                                   "--duplicates=2"))
        elsewhere = tr.image_folder(8)
        self.assertIn("has none of the images", self.fails(
            1, "explore", features, output, "--images=" +
            elsewhere))
        self.assertIn("no index.json", self.fails(
            1, "search", "--index=" + elsewhere, "--query=x"))
        with open(os.path.join(elsewhere, "index.json"), "w") as f:
            json.dump({"checkpoint": 3}, f)
        self.assertIn("run explore again", self.fails(
            1, "search", "--index=" + elsewhere, "--query=x"))


if __name__ == "__main__":
    unittest.main()
