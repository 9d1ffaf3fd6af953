"""Images and features of which is known what explore should find, for tests."""

import os
import shutil

import numpy as np

from tests.trainers import training_run as tr

FOREIGN = 3
WRONG = 4


class Planted:
    """A folder of images in class folders, and a .npy of made features.

    120 images of three classes, whose features lie around three directions. Of
    the first five there is a copy each, of the class's last three in order none
    is like any other image (foreign), and four lie in another class's folder.
    """

    def __init__(self):
        folder = tr.image_folder(120)
        self.images = os.path.join(folder, "train")
        names = sorted(os.path.relpath(os.path.join(place, name), self.images)
                       for place, _, files in os.walk(self.images)
                       for name in files)
        random = np.random.default_rng(1)
        classes = sorted({os.path.dirname(name) for name in names})
        self.classes = classes
        self.copies = {}
        for name in names[:5]:
            copy = name.replace(".jpg", "-copy.jpg")
            shutil.copy(os.path.join(self.images, name),
                        os.path.join(self.images, copy))
            self.copies[copy] = name
        self.wrong = {}
        for name in names[40:40 + WRONG]:
            true = os.path.dirname(name)
            other = classes[(classes.index(true) + 1) % 3]
            moved = os.path.join(other, "moved-" + os.path.basename(name))
            os.rename(os.path.join(self.images, name),
                      os.path.join(self.images, moved))
            self.wrong[moved] = true
        self.names = sorted(os.path.relpath(os.path.join(place, name),
                                            self.images)
                            for place, _, files in os.walk(self.images)
                            for name in files)
        centers = random.normal(size=(3, 24))
        rows = {}
        for name in self.names:
            true = self.wrong.get(name, os.path.dirname(name))
            rows[name] = (centers[classes.index(true)] +
                          0.5 * random.normal(size=24))
        for copy, name in self.copies.items():
            rows[copy] = rows[name]
        plain = [name for name in self.names if "copy" not in name and
                 name not in self.wrong and name not in self.copies.values()]
        self.foreign = plain[-FOREIGN:]
        for name in self.foreign:
            rows[name] = 4 * random.normal(size=24)
        self.rows = np.array([rows[name] for name in self.names], np.float32)
        self.features = os.path.join(folder, "made.npy")
        np.save(self.features, self.rows)
        with open(os.path.join(folder, "made.txt"), "w") as f:
            f.write("".join(name + "\n" for name in self.names))
