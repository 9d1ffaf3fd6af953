"""Packs for the GPU machine and tries every command line there, on the CPU."""

import json
import os
import subprocess
import sys
import tempfile
import unittest

from benchmarks import training_step_versus_pytorch as versus

PACK = sys.argv.pop(1)


class GpuTest(unittest.TestCase):

    @classmethod
    def setUpClass(cls):
        folder = tempfile.mkdtemp(dir=os.environ["TEST_TMPDIR"])
        cls.pack = os.path.join(folder, "pack")
        cls.output = os.path.join(folder, "out")
        subprocess.run([os.path.abspath(PACK), "--output", cls.pack],
                       check=True)

    def measure(self, *flags):
        # Torch, for the step beside PyTorch's, is this test's.
        environment = dict(os.environ, PYTHONPATH=":".join(sys.path))
        return subprocess.run(
            [sys.executable, os.path.join(self.pack, "measure.py"),
             "--pack", self.pack, "--output", self.output, "--device=cpu",
             *flags], capture_output=True, text=True, env=environment)

    def test_every_command_line_runs(self):
        done = self.measure("--dry_run")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        with open(os.path.join(self.output, "results.json")) as f:
            rows = json.load(f)["rows"]
        states = {row["run"]: row["state"] for row in rows}
        self.assertEqual(
            {state for run, state in states.items()
             if not run.endswith(("-1", "-2"))}, {"done"}, states)
        # Seeds that the dry run leaves out are empty rows, not failures.
        self.assertEqual(states["four-simsiam-1"], "not measured yet")
        for name in ("four-byol_gsg-0", "no-predictor-simsiam-0"):
            with open(os.path.join(self.output, "runs", name,
                                   "metrics.jsonl")) as f:
                self.assertEqual(json.loads(f.read())["step"], 2)

    def test_memory_of_pytorchs_step(self):
        """Which the dry run leaves out: it takes a process for each step."""
        self.assertGreater(versus.memory_of_torch(
            "fashion_mnist", "SimSiam", "eager", 2, "float32", 1), 0)

    def test_says_which_data_is_missing(self):
        failed = self.measure("--minutes=1")
        self.assertNotEqual(failed.returncode, 0)
        self.assertIn("data_batch_1.bin", failed.stderr)
        self.assertNotIn("Traceback", failed.stderr)


if __name__ == "__main__":
    unittest.main()
