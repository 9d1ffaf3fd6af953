"""Several processes train one network, and end or go on together."""

import os
import signal
import socket
import subprocess
import time
import unittest

from tests.trainers import training_run as tr

# Saves after every step, so that whatever ends a run there is something to go
# on from.
FLAGS = [f for f in tr.QUICK if f != "--epochs=3"] + [
    "--epochs=2", "--checkpoint_minutes=0.00001", "--nobaselines",
    "--pairing_scope=world"
]
ENVIRONMENT = dict(os.environ, OMP_NUM_THREADS="1")


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def start(*flags, variables=None, cwd=None):
    return subprocess.Popen([tr.program(), *flags],
                            env=dict(ENVIRONMENT, **(variables or {})),
                            cwd=cwd,
                            stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE,
                            universal_newlines=True)


def run(*flags, **kwargs):
    process = start(*flags, **kwargs)
    process.stdout_text, process.stderr_text = process.communicate()
    return process


def children(pid):
    """The processes that `pid` started, in this order."""
    with open("/proc/%d/task/%d/children" % (pid, pid)) as f:
        return [int(child) for child in f.read().split()]


def alive(pid):
    try:
        with open("/proc/%d/stat" % pid) as f:
            return f.read().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def torchrun_variables(rank, size, port):
    return {
        "RANK": str(rank),
        "WORLD_SIZE": str(size),
        "LOCAL_RANK": str(rank),
        "LOCAL_WORLD_SIZE": str(size),
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": str(port)
    }


class DistributedTest(unittest.TestCase):

    @classmethod
    def setUpClass(cls):
        cls.flags = FLAGS + ["--data_dir=" + tr.small_data()]
        cls.whole = {}
        # Given up after 12 seconds, beside the other tests.
        folder = tr.new_folder()
        cls.silent = start("--nproc=2", "--dist_timeout=2",
                           "--output_dir=" + folder, *cls.flags)
        cls().wait_for_checkpoint(folder, cls.silent)
        cls.silent_pids = children(cls.silent.pid)
        os.kill(cls.silent_pids[1], signal.SIGSTOP)

    def run_whole(self, ranks):
        """The folder of a run that no one disturbs."""
        if ranks not in self.whole:
            folder = tr.new_folder()
            process = run("--nproc=%d" % ranks, "--output_dir=" + folder,
                          *self.flags)
            self.assertEqual(process.returncode, 0, process.stderr_text)
            self.assertEqual(process.stderr_text, "")
            self.assertIn("Report: " + folder, process.stdout_text)
            self.assertEqual(process.stdout_text.count("Output: "), 1)
            self.whole[ranks] = folder
        return self.whole[ranks]

    def wait_for_checkpoint(self, folder, process, steps=3):
        """Until that many were written."""
        path = os.path.join(folder, "checkpoint-last.pt")
        seen, last = 0, None
        deadline = time.time() + 120
        while seen < steps:
            self.assertIsNone(process.poll(), "the program ended early")
            self.assertLess(time.time(), deadline)
            try:
                now = os.stat(path).st_ino
            except FileNotFoundError:
                now = None
            if now != last:
                seen, last = seen + 1, now
            time.sleep(0.002)

    def assert_ended(self, pids):
        deadline = time.time() + 20
        while any(alive(pid) for pid in pids):
            self.assertLess(time.time(), deadline, "left behind")
            time.sleep(0.01)

    def test_ranks_with_a_part_each_are_one_process(self):
        """In float32, at the images and pairs of one process.

        The first step's loss is the mean of 128 cosines of 64 values, each sum
        within 64 * 2^-24 = 4e-6. Its gradient is a small difference of large
        terms, BatchNorm's, so that rounding decides its last digits: one
        process with two threads instead of one, which only adds in another
        order, moves the second step's loss by 6e-6. Four times that, of which
        half is in the mean of two steps, is 1.2e-5; and every step on multiplies
        it (by the eighth to 3e-3), which is why float64 is compared over ten
        steps (parity_test) and this over two.
        """
        replaced = ("--batch_size", "--crop_size", "--data_dir")
        flags = [f for f in self.flags if not f.startswith(replaced)] + [
            "--batch_size=64", "--data_dir=" + tr.small_data(136, 200)]
        for steps, delta in ((1, 4e-6), (2, 1.2e-5)):
            one = None
            for ranks in (1, 2, 4):
                folder = tr.new_folder()
                process = run("--nproc=%d" % ranks, "--max_steps=%d" % steps,
                              "--output_dir=" + folder, *flags)
                self.assertEqual(process.returncode, 0, process.stderr_text)
                got = tr.metrics(folder)[0]
                one = one or got
                self.assertAlmostEqual(got["loss"], one["loss"], delta=delta)
                self.assertAlmostEqual(got["feature_std"], one["feature_std"],
                                       delta=delta)
                self.assertEqual(got["pair_share"], one["pair_share"])
                # Of 200 test images, one.
                self.assertAlmostEqual(got["knn_top1"], one["knn_top1"],
                                       delta=0.51)

    def test_in_bfloat16(self):
        """One step: of one process up to what rounding to 8 bits can move."""
        def loss(*flags):
            folder = tr.new_folder()
            process = run("--max_steps=1", "--output_dir=" + folder, *flags,
                          *self.flags)
            self.assertEqual(process.returncode, 0, process.stderr_text)
            return tr.metrics(folder)[0]["loss"]

        two = loss("--nproc=2", "--precision=bfloat16")
        self.assertAlmostEqual(two, loss("--precision=bfloat16"), delta=2**-8)
        self.assertNotAlmostEqual(two, loss("--nproc=2"), delta=1e-6)

    def test_a_killed_rank_ends_all_and_the_run_goes_on(self):
        for ranks, victim in ((2, 0), (4, 2)):
            with self.subTest(ranks=ranks, victim=victim):
                whole = self.run_whole(ranks)
                folder = tr.new_folder()
                process = start("--nproc=%d" % ranks, "--output_dir=" + folder,
                                *self.flags)
                self.wait_for_checkpoint(folder, process)
                pids = children(process.pid)
                self.assertEqual(len(pids), ranks)
                began = time.time()
                os.kill(pids[victim], signal.SIGKILL)
                _, stderr = process.communicate()
                self.assertLess(time.time() - began, 15)
                self.assertEqual(process.returncode, 128 + signal.SIGKILL)
                self.assertEqual(stderr.count("\n"), 1, stderr)
                self.assertIn(
                    "process %d of %d (rank %d, pid %d) was killed by signal 9"
                    % (victim + 1, ranks, victim, pids[victim]), stderr)
                self.assertIn("--resume --output_dir=%s --nproc=%d" %
                              (folder, ranks), stderr)
                self.assert_ended(pids)
                process = run("--resume", "--nproc=%d" % ranks,
                              "--output_dir=" + folder)
                self.assertEqual(process.returncode, 0, process.stderr_text)
                self.assertEqual(process.stderr_text, "")
                # Bit for bit.
                self.assertEqual(tr.metrics(folder), tr.metrics(whole))
                self.assertEqual(tr.result(folder), tr.result(whole))

    def test_another_number_of_ranks_goes_on_with_a_warning(self):
        folder = tr.new_folder()
        process = run("--nproc=2", "--max_steps=5", "--output_dir=" + folder,
                      *self.flags)
        self.assertEqual(process.returncode, 0, process.stderr_text)
        process = run("--nproc=4", "--max_steps=11", "--resume",
                      "--output_dir=" + folder)
        self.assertEqual(process.returncode, 0, process.stderr_text)
        self.assertIn("the run had 2 processes and now has 4",
                      process.stderr_text)
        self.assertEqual(process.stderr_text.count("\n"), 1)
        process = run("--max_steps=0", "--resume", "--output_dir=" + folder)
        self.assertEqual(process.returncode, 0, process.stderr_text)
        self.assertIn("the run had 4 processes and now has 1",
                      process.stderr_text)
        self.assertEqual([r["step"] for r in tr.metrics(folder)],
                         [8, 16])

    def test_an_interrupt_of_the_launcher_or_of_a_rank_saves(self):
        for sent, of_launcher in ((signal.SIGINT, True),
                                  (signal.SIGTERM, False)):
            with self.subTest(signal=sent):
                folder = tr.new_folder()
                process = start("--nproc=2", "--output_dir=" + folder,
                                *self.flags)
                self.wait_for_checkpoint(folder, process)
                pids = children(process.pid)
                os.kill(process.pid if of_launcher else pids[1], sent)
                _, stderr = process.communicate()
                self.assertEqual(process.returncode, 128 + sent, stderr)
                self.assertEqual(stderr.count("everything is saved"), 1, stderr)
                self.assert_ended(pids)
                process = run("--resume", "--nproc=2", "--output_dir=" + folder)
                self.assertEqual(process.returncode, 0, process.stderr_text)
                self.assertEqual(tr.metrics(folder),
                                 tr.metrics(self.run_whole(2)))

    def test_ranks_end_with_a_launcher_that_is_killed(self):
        folder = tr.new_folder()
        process = start("--nproc=2", "--output_dir=" + folder, *self.flags)
        self.wait_for_checkpoint(folder, process)
        pids = children(process.pid)
        process.kill()
        process.communicate()
        self.assert_ended(pids)

    def start_by_hand(self, flags, cwds=(None, None)):
        """Two ranks as torchrun starts them."""
        port = free_port()
        return [
            start(*flags, variables=torchrun_variables(rank, 2, port),
                  cwd=cwds[rank]) for rank in range(2)
        ]

    def test_as_torchrun_starts_them(self):
        folder = tr.new_folder()
        processes = self.start_by_hand(["--output_dir=" + folder, *self.flags])
        said = [process.communicate() for process in processes]
        self.assertEqual([p.returncode for p in processes], [0, 0], said)
        self.assertIn("2 processes of 1 CPU threads", said[0][0])
        self.assertEqual(said[1], ("", ""))
        self.assertEqual(tr.metrics(folder), tr.metrics(self.run_whole(2)))

    def test_one_rank_without_data_ends_both(self):
        # What this path is differs from process to process.
        data = [f for f in self.flags if f.startswith("--data_dir=")][0]
        here = data[len("--data_dir="):]
        flags = [f for f in self.flags if f != data]
        nowhere = os.path.dirname(tr.new_folder())
        processes = self.start_by_hand(
            ["--data_dir=/proc/self/cwd", "--output_dir=" + tr.new_folder(),
             *flags], cwds=(here, nowhere))
        said = [process.communicate()[1] for process in processes]
        self.assertEqual([p.returncode for p in processes], [3, 1], said)
        self.assertEqual(said[0], "")
        self.assertIn("/proc/self/cwd", said[1])
        self.assertEqual(said[1].count("\n"), 1)

    def test_a_lost_rank_is_told_of_once(self):
        folder = tr.new_folder()
        processes = self.start_by_hand(["--output_dir=" + folder, *self.flags])
        self.wait_for_checkpoint(folder, processes[0])
        processes[1].kill()
        _, stderr = processes[0].communicate()
        processes[1].communicate()
        self.assertEqual(processes[0].returncode, 3)
        self.assertIn("rank 0 of 2 lost contact with another process", stderr)
        self.assertIn("--resume --output_dir=" + folder, stderr)
        self.assertEqual(stderr.count("\n"), 1, stderr)

    def test_a_silent_rank_is_given_up(self):
        _, stderr = self.silent.communicate()
        self.assertEqual(self.silent.returncode, 1, stderr)
        self.assertIn("lost contact with each other", stderr)
        self.assertEqual(stderr.count("\n"), 1, stderr)
        self.assert_ended(self.silent_pids)

    def test_all_ranks_collapse_with_one_message(self):
        process = run("--nproc=2", "--collapse_threshold=1",
                      "--output_dir=" + tr.new_folder(), *self.flags)
        self.assertEqual(process.returncode, 1)
        self.assertIn("the features collapsed by step 8", process.stderr_text)
        self.assertEqual(process.stderr_text.count("\n"), 1,
                         process.stderr_text)

    def test_all_ranks_break_down_with_one_message(self):
        process = run("--nproc=2", "--base_lr=1e30",
                      "--output_dir=" + tr.new_folder(), *self.flags)
        self.assertEqual(process.returncode, 1)
        self.assertIn("training broke down at step", process.stderr_text)
        self.assertEqual(process.stderr_text.count("\n"), 1,
                         process.stderr_text)

    def test_a_folder_that_cannot_be_written(self):
        process = run("--nproc=2", "--output_dir=/dev/null/run", *self.flags)
        self.assertEqual(process.returncode, 1)
        self.assertIn("/dev/null/run", process.stderr_text)
        self.assertEqual(process.stderr_text.count("\n"), 1,
                         process.stderr_text)

    def test_batches_that_cannot_be_shared_out(self):
        for flags, words in (
            (["--nproc=3"], "--batch_size=32 is not a multiple of the 3"),
            (["--nproc=2", "--batch_size=2", "--pairing_scope=rank"],
             "--pairing_scope=world")):
            given = [flag.split("=")[0] for flag in flags]
            others = [f for f in self.flags if f.split("=")[0] not in given]
            process = run("--output_dir=" + tr.new_folder(), *others, *flags)
            self.assertEqual(process.returncode, 1)
            self.assertIn(words, process.stderr_text)
            self.assertEqual(process.stderr_text.count("\n"), 1,
                             process.stderr_text)

    def test_what_the_environment_may_not_say(self):
        for variables, flags, words in (
            ({"RANK": "0"}, [], "RANK but not WORLD_SIZE"),
            ({"RANK": "2", "WORLD_SIZE": "2"}, [], "RANK=2 and WORLD_SIZE=2"),
            ({"SLURM_PROCID": "0", "SLURM_NTASKS": "2"}, [],
             "MASTER_ADDR is not set"),
            (torchrun_variables(0, 2, 1), ["--nproc=2"],
             "already one of 2 processes")):
            process = run("--output_dir=" + tr.new_folder(), *flags,
                          *self.flags, variables=variables)
            self.assertEqual(process.returncode, 2)
            self.assertIn(words, process.stderr_text)
            self.assertEqual(process.stderr_text.count("\n"), 1)

    def test_no_one_to_meet(self):
        process = run("--output_dir=" + tr.new_folder(), "--dist_timeout=1",
                      *self.flags,
                      variables=torchrun_variables(1, 2, free_port()))
        self.assertEqual(process.returncode, 1)
        self.assertIn("rank 1 did not find the other 1 processes",
                      process.stderr_text)
        self.assertEqual(process.stderr_text.count("\n"), 1,
                         process.stderr_text)

    def test_within_ranks(self):
        """Other pairs than across them, and a run like any other."""
        folder = tr.new_folder()
        flags = [f for f in self.flags if f != "--pairing_scope=world"]
        process = run("--nproc=2", "--output_dir=" + folder, *flags)
        self.assertEqual(process.returncode, 0, process.stderr_text)
        got, want = tr.metrics(folder), tr.metrics(self.run_whole(2))
        self.assertNotEqual(got[0]["pair_share"], want[0]["pair_share"])
        self.assertAlmostEqual(sum(got[0]["pair_share"]), 1)
        self.assertAlmostEqual(got[-1]["loss"], want[-1]["loss"], delta=0.1)


if __name__ == "__main__":
    unittest.main()
