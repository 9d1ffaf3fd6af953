"""Whatever ends a run, --resume continues it as if nothing had happened."""

import os
import signal
import subprocess
import time
import unittest

from tests.trainers import training_run as tr


class ResumeTest(unittest.TestCase):

    @classmethod
    def setUpClass(cls):
        cls.flags = tr.QUICK + ["--data_dir=" + tr.small_data()]
        cls.whole = tr.new_folder()
        process = tr.run("--output_dir=" + cls.whole, *cls.flags)
        if process.returncode != 0:
            raise AssertionError(process.stderr)

    def assert_same_as_whole(self, folder):
        self.assertEqual(tr.metrics(folder), tr.metrics(self.whole))
        self.assertEqual(tr.result(folder), tr.result(self.whole))

    def resume(self, folder):
        process = tr.run("--resume", "--output_dir=" + folder)
        self.assertEqual(process.returncode, 0, process.stderr)

    def wait_for(self, path, process):
        deadline = time.time() + 60
        while not os.path.exists(path):
            self.assertIsNone(process.poll(), "the program ended early")
            self.assertLess(time.time(), deadline)
            time.sleep(0.002)

    def test_same_seed_same_run(self):
        folder = tr.new_folder()
        process = tr.run("--output_dir=" + folder, "--loader_threads=2",
                         *self.flags)
        self.assertEqual(process.returncode, 0, process.stderr)
        self.assert_same_as_whole(folder)

    def test_other_seed_other_run(self):
        folder = tr.new_folder()
        flags = [f for f in self.flags if not f.startswith("--seed")]
        process = tr.run("--output_dir=" + folder, "--seed=8", *flags)
        self.assertEqual(process.returncode, 0, process.stderr)
        self.assertNotEqual(tr.metrics(folder), tr.metrics(self.whole))

    def test_killed_again_and_again(self):
        folder = tr.new_folder()
        flags = ["--output_dir=" + folder, *self.flags]
        for delay in (0.0, 0.05, 0.15, 0.3, 0.45):
            process = tr.start(*flags)
            self.wait_for(os.path.join(folder, "config.json"), process)
            if delay:
                self.wait_for(os.path.join(folder, "checkpoint-last.pt"),
                              process)
            time.sleep(delay)
            process.kill()
            process.communicate()
            flags = ["--output_dir=" + folder, "--resume"]
        self.resume(folder)
        self.assert_same_as_whole(folder)

    def test_interrupt_saves_within_the_epoch(self):
        folder = tr.new_folder()
        process = tr.start("--output_dir=" + folder, *self.flags)
        self.wait_for(os.path.join(folder, "checkpoint-last.pt"), process)
        time.sleep(0.1)
        process.send_signal(signal.SIGINT)
        _, stderr = process.communicate()
        self.assertEqual(process.returncode, 128 + signal.SIGINT)
        self.assertIn("everything is saved", stderr)
        self.assertIn("--resume --output_dir=" + folder, stderr)
        self.resume(folder)
        self.assert_same_as_whole(folder)

    def test_steps_in_two_parts(self):
        """max_steps stops in mid-epoch; more of them continue from there."""
        folder = tr.new_folder()
        process = tr.run("--output_dir=" + folder, "--max_steps=11",
                         *self.flags)
        self.assertEqual(process.returncode, 0, process.stderr)
        self.assertEqual(tr.metrics(folder)[-1]["step"], 11)
        process = tr.run("--output_dir=" + folder, "--resume", "--max_steps=0")
        self.assertEqual(process.returncode, 0, process.stderr)
        self.assert_same_as_whole(folder)

    def test_a_damaged_checkpoint_is_refused_and_the_previous_one_works(self):
        folder = tr.new_folder()
        process = tr.run("--output_dir=" + folder, "--max_steps=17",
                         *self.flags)
        self.assertEqual(process.returncode, 0, process.stderr)
        last = os.path.join(folder, "checkpoint-last.pt")
        with open(last, "r+b") as f:
            f.seek(5000)
            byte = f.read(1)
            f.seek(5000)
            f.write(bytes([byte[0] ^ 1]))
        process = tr.run("--output_dir=" + folder, "--resume", "--max_steps=0")
        self.assertEqual(process.returncode, 1)
        self.assertIn(last + " is damaged: its checksum does not match",
                      process.stderr)
        previous = os.path.join(folder, "checkpoint-previous.pt")
        self.assertIn("mv %s %s" % (previous, last), process.stderr)
        os.rename(previous, last)
        process = tr.run("--output_dir=" + folder, "--resume", "--max_steps=0")
        self.assertEqual(process.returncode, 0, process.stderr)
        self.assert_same_as_whole(folder)

    def test_the_way_on_is_from_what_is_there(self):
        folder = tr.new_folder()
        process = tr.run("--output_dir=" + folder, "--keep=1", "--keep_every=1",
                         *self.flags)
        self.assertEqual(process.returncode, 0, process.stderr)
        last, second = [os.path.join(folder, "checkpoint-%s.pt" % name)
                        for name in ("last", "epoch-2")]

        def damage_and_resume():
            with open(last, "r+b") as f:
                f.truncate(5000)
            process = tr.run("--output_dir=" + folder, "--resume")
            self.assertEqual(process.returncode, 1)
            self.assertIn(last + " is damaged", process.stderr)
            return process.stderr

        # That of the third epoch is the same file.
        command = ["cp", second, last]
        self.assertIn("One before it is good (2 epochs done). To continue from "
                      "there:\n  " + " ".join(command), damage_and_resume())
        # Nor does a run begin again where others are left.
        os.remove(last)
        process = tr.run("--output_dir=" + folder, "--resume")
        self.assertEqual(process.returncode, 1)
        self.assertIn("there is no %s. One before it is good (2 epochs done). "
                      "To continue from there:\n  cp " % last, process.stderr)
        subprocess.check_call(command)
        self.resume(folder)
        self.assert_same_as_whole(folder)

        for epoch in (1, 2, 3):
            os.remove(os.path.join(folder, "checkpoint-epoch-%d.pt" % epoch))
        self.assertIn("There is no other checkpoint in %s that is good; start "
                      "again with --overwrite" % folder, damage_and_resume())

    def test_other_images_are_said_and_not_compared_with(self):
        folder = tr.new_folder()
        flags = [f for f in self.flags if not f.startswith("--data_dir")]
        process = tr.run("--output_dir=" + folder, "--max_steps=11",
                         "--data_dir=" + tr.small_data(train=264), *flags)
        self.assertEqual(process.returncode, 0, process.stderr)
        self.assertIn("--resume --output_dir=%s --max_steps=0  (trains the "
                      "rest: --max_steps=11 ended it in epoch 2 of 3)" % folder,
                      process.stdout)
        process = tr.run("--output_dir=" + folder, "--resume", "--max_steps=0",
                         "--data_dir=" + tr.small_data(train=200, test=50))
        self.assertEqual(process.returncode, 0, process.stderr)
        self.assertIn("the run had 264 training and 100 test images of 10 "
                      "classes and now has 200 training and 50 test images",
                      process.stderr)
        # Of 8 batches an epoch one was done; now there are 6.
        self.assertEqual([r["step"] for r in tr.metrics(folder)], [8, 12, 18])
        self.assertIsNone(tr.result(folder)["untrained"]["knn_top1"])
        self.assertNotIn("Training", process.stdout)
        # From now on these are its images.
        process = tr.run("--output_dir=" + folder, "--resume")
        self.assertEqual((process.returncode, process.stderr), (0, ""))

    def test_what_resume_refuses(self):
        def message(*flags):
            process = tr.run("--resume", *flags)
            self.assertEqual(process.returncode, 1)
            self.assertEqual(process.stdout, "")
            return process.stderr

        nowhere = tr.new_folder()
        self.assertIn("there is no run in " + nowhere,
                      message("--output_dir=" + nowhere))
        other = message("--output_dir=" + self.whole, "--base_lr=1")
        self.assertIn("base_lr", other)


if __name__ == "__main__":
    unittest.main()
