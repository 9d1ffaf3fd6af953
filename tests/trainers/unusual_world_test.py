"""Runs in worlds that are unusual, but sane, and what a person sees there."""

import os
import resource
import signal
import subprocess
import unittest
import zipfile

from tests.trainers import training_run as tr


class UnusualWorldTest(unittest.TestCase):

    @classmethod
    def setUpClass(cls):
        cls.data = tr.small_data()

    def flags(self, folder, *more):
        given = {flag.split("=")[0] for flag in more}
        return [flag for flag in tr.QUICK
                if flag.split("=")[0] not in given] + [
                    "--data_dir=" + self.data, "--output_dir=" + folder, *more]

    def succeeds(self, process):
        self.assertEqual(process.returncode, 0, process.stderr)
        return process

    def test_a_second_program_ends_with_who_has_the_folder(self):
        folder = tr.new_folder()
        first = tr.start(*self.flags(folder, "--epochs=100000"))
        try:
            for line in first.stdout:
                if line.startswith("epoch"):
                    break
            for flags in (["--resume", "--output_dir=" + folder],
                          self.flags(folder, "--overwrite")):
                second = tr.run(*flags)
                self.assertEqual(second.returncode, 1)
                self.assertIn("(process %d) is training in %s" %
                              (first.pid, folder), second.stderr)
        finally:
            first.kill()
            first.communicate()
        # The kernel gave it back.
        self.succeeds(tr.run("--resume", "--output_dir=" + folder,
                             "--max_steps=1"))

    def test_ctrl_c_says_at_once_that_the_step_ends_first(self):
        process = tr.start(*self.flags(tr.new_folder(), "--epochs=100000"))
        for line in process.stdout:
            if line.split()[:1] == ["2"]:
                break
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate()
        self.assertEqual(process.returncode, 128 + signal.SIGINT)
        self.assertRegex(errors, r"stopping after this step \(about .*\)")
        self.assertIn("everything is saved", errors)

    def test_more_epochs_go_on_with_a_schedule_that_is_said(self):
        folder = tr.new_folder()
        self.succeeds(tr.run(*self.flags(folder)))
        longer = self.succeeds(tr.run("--resume", "--epochs=4",
                                      "--output_dir=" + folder))
        self.assertIn("--epochs was 3 and is now 4: from here on the learning "
                      "rate is that of a run of 4 epochs", longer.stderr)
        self.assertEqual([r["epoch"] for r in tr.metrics(folder)],
                         [1, 2, 3, 4])
        fewer = tr.run("--resume", "--epochs=2", "--output_dir=" + folder)
        self.assertEqual(fewer.returncode, 1)
        self.assertIn("epochs=2 (the run has 4)", fewer.stderr)

    def test_a_relative_data_dir_is_found_from_elsewhere(self):
        folder = tr.new_folder()
        parent, name = os.path.split(self.data)
        flags = [f for f in self.flags(folder, "--max_steps=1")
                 if not f.startswith("--data_dir")]
        self.succeeds(tr.run(*flags, "--data_dir=" + name, cwd=parent))
        self.succeeds(tr.run("--resume", "--max_steps=2",
                             "--output_dir=" + folder, cwd="/"))

    def test_names_of_folders_survive_a_shell(self):
        folder = tr.new_folder() + " it's \"odd\""
        process = self.succeeds(tr.run(*self.flags(folder)))
        command = next(line for line in process.stdout.splitlines()
                       if "trainers:embed" in line)
        words = subprocess.check_output(
            ["sh", "-c", "printf '%s\\n' " + command.split(" -- ")[1]],
            universal_newlines=True).splitlines()
        self.assertEqual(words[0], "--run=" + folder)

    def test_no_home_no_temporary_folder_and_the_locale_of_c(self):
        environment = {"HOME": "/proc", "TMPDIR": "/no/such/folder",
                       "LC_ALL": "C", "TERM": "dumb",
                       "TEST_SRCDIR": os.environ["TEST_SRCDIR"]}
        process = self.succeeds(tr.run(*self.flags(tr.new_folder()),
                                       env=environment))
        self.assertIn("trained network", process.stdout)

    def test_memory_that_runs_out_is_said_in_one_message(self):
        def little_memory():
            resource.setrlimit(resource.RLIMIT_AS, (2 << 30, 2 << 30))
        # The batches are those that were fitted to so few images.
        process = tr.run("--recipe=photos", "--threads=1", "--crop_size=768",
                         "--data_dir=" + tr.image_folder(180), "--nobaselines",
                         "--output_dir=" + tr.new_folder(),
                         preexec_fn=little_memory)
        self.assertEqual(process.returncode, 1, process.stderr)
        self.assertIn("memory ran out", process.stderr)
        self.assertIn("--batch_size below 8,", process.stderr)
        self.assertNotIn("terminate", process.stderr)

    def test_a_file_of_torch_save_is_called_that(self):
        path = os.path.join(os.environ["TEST_TMPDIR"], "resnet18.pth")
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("archive/data.pkl", b"\x80\x02}q\x00.")
        folder = tr.new_folder()
        self.succeeds(tr.run(*self.flags(folder, "--max_steps=1")))
        os.replace(path, os.path.join(folder, "checkpoint-last.pt"))
        process = tr.run("--resume", "--output_dir=" + folder)
        self.assertEqual(process.returncode, 1)
        self.assertIn("is a file of torch.save", process.stderr)

    def test_other_programs_names(self):
        for given, meant in (("--device=gpu", "cuda"),
                             ("--out_dir=x", "--output_dir"),
                             ("--num_workers=2", "--loader_threads"),
                             ("--lr=1", "--base_lr"),
                             ("--pretrained", "random weights")):
            process = tr.run(given)
            self.assertEqual(process.returncode, 2)
            self.assertIn(meant, process.stderr)

    def test_version(self):
        self.assertRegex(self.succeeds(tr.run("--version")).stdout,
                         r"^simsiam_gsg \d+\.\d+\.\d+\n$")


if __name__ == "__main__":
    unittest.main()
