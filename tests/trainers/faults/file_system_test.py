"""A run that dies, or whose disk fails, at any change it makes to its files.

fault_injector.cc counts these changes; each test has the run fail at every one
of them, in turn, and then continues it.
"""

import errno
import os
import unittest

from tests.trainers import training_run as tr

FLAGS = [
    f for f in tr.QUICK
    if not f.startswith(("--batch", "--crop", "--epochs", "--knn_k", "--projector",
                         "--warmup"))
] + [
    # Two steps an epoch: what is computed between two changes of files is of no
    # importance here, and there are some hundred runs.
    "--batch_size=16", "--crop_size=8", "--knn_k=5",
    "--epochs=2", "--projector_hidden=16", "--projector_dim=16", "--keep=3",
    "--keep_every=1", "--baselines=false"
]
NOT_A_RUN = "there is no run in"


def injector():
    return os.path.join(os.environ["TEST_SRCDIR"], os.environ["TEST_WORKSPACE"],
                        "tests/trainers/faults/libfault_injector.so")


def checkpoints(folder):
    return sorted(f for f in os.listdir(folder) if f.endswith(".pt"))


class FileSystemTest(unittest.TestCase):

    @classmethod
    def setUpClass(cls):
        cls.flags = FLAGS + ["--data_dir=" + tr.small_data(train=36, test=12)]
        cls.whole = tr.new_folder()
        log = cls.whole + ".log"
        process = cls.run_with(cls.whole, GSG_FAULT_LOG=log)
        if process.returncode != 0:
            raise AssertionError(process.stderr)
        with open(log) as f:
            cls.calls = f.read().split()

    @classmethod
    def run_with(cls, folder, **variables):
        """Starts a run in `folder` on a machine with these faults."""
        environment = dict(os.environ, LD_PRELOAD=injector(),
                           GSG_FAULT_FOLDER=folder, **variables)
        return tr.run("--output_dir=" + folder, *cls.flags, env=environment)

    def finish(self, folder):
        """Continues a run that failed, on a good machine, to its end."""
        process = tr.run("--output_dir=" + folder, "--resume")
        if NOT_A_RUN in process.stderr:  # It had not begun.
            process = tr.run("--output_dir=" + folder, *self.flags)
        self.assertEqual(process.returncode, 0, process.stderr)
        self.assertEqual(tr.metrics(folder), tr.metrics(self.whole))
        self.assertEqual(tr.result(folder), tr.result(self.whole))
        self.assertEqual(sorted(os.listdir(folder)),
                         sorted(os.listdir(self.whole)))

    def test_what_is_counted(self):
        """The run changes its files in the ways that the faults are for."""
        for call in ("open", "write", "fsync", "rename", "link", "mkdir"):
            self.assertIn(call, self.calls)
        self.assertEqual(checkpoints(self.whole), [
            "checkpoint-epoch-1.pt", "checkpoint-epoch-2.pt",
            "checkpoint-last.pt", "checkpoint-previous-2.pt",
            "checkpoint-previous.pt"
        ])

    def killed_at(self, first, step):
        for at in range(first, len(self.calls) + 1, step):
            with self.subTest(at=at, call=self.calls[at - 1]):
                folder = tr.new_folder()
                process = self.run_with(folder, GSG_FAULT="kill",
                                        GSG_FAULT_AT=str(at))
                self.assertEqual(process.returncode, -9, process.stderr)
                self.finish(folder)

    def test_killed_at_every_odd_change(self):
        self.killed_at(1, 2)

    def test_killed_at_every_even_change(self):
        self.killed_at(2, 2)

    def disk_fails_at(self, first, step, error):
        for at in range(first, len(self.calls) + 1, step):
            with self.subTest(at=at, call=self.calls[at - 1]):
                folder = tr.new_folder()
                process = self.run_with(folder, GSG_FAULT=str(error),
                                        GSG_FAULT_AT=str(at))
                self.assertEqual(process.returncode, 1, process.stderr)
                self.assertIn(os.strerror(error), process.stderr)
                self.assertIn(folder, process.stderr)
                # Which is for memory.
                self.assertNotIn("--batch_size", process.stderr)
                self.assertEqual(process.stderr.count("\n"), 1, process.stderr)
                if os.path.isdir(folder):
                    left = [f for f in os.listdir(folder)
                            if f.endswith(".partial")]
                    self.assertEqual(left, [])
                self.finish(folder)

    def test_disk_is_full_from_every_third_change_on(self):
        self.disk_fails_at(2, 3, errno.ENOSPC)

    def test_disk_becomes_read_only(self):
        self.disk_fails_at(1, 7, errno.EROFS)


if __name__ == "__main__":
    unittest.main()
