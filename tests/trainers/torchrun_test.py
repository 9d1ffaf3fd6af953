"""torchrun starts a training program, and it is the run that --nproc starts."""

import os
import subprocess
import sys
import unittest

from tests.trainers import training_run as tr

FLAGS = tr.QUICK + ["--nobaselines", "--max_steps=4"]


class TorchrunTest(unittest.TestCase):

    def test_two_processes(self):
        data = "--data_dir=" + tr.small_data()
        folders = [tr.new_folder(), tr.new_folder()]
        process = tr.run("--nproc=2", data, "--output_dir=" + folders[0],
                         *FLAGS)
        self.assertEqual(process.returncode, 0, process.stderr)
        # The interpreter's path is this test's, which has torch on it.
        process = subprocess.run(
            [sys.executable, "-m", "torch.distributed.run", "--no-python",
             "--standalone", "--nproc-per-node=2", tr.program(), data,
             "--output_dir=" + folders[1], *FLAGS],
            env=dict(os.environ, PYTHONPATH=os.pathsep.join(sys.path)),
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            universal_newlines=True)
        self.assertEqual(process.returncode, 0, process.stderr)
        self.assertIn("2 processes of 1 CPU threads", process.stdout)
        self.assertEqual(tr.metrics(folders[1]), tr.metrics(folders[0]))


if __name__ == "__main__":
    unittest.main()
