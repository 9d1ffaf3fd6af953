"""gsg as a Python package: what it loads, its GIL, its documentation."""

import concurrent.futures
import contextlib
import inspect
import io
import os
import pathlib
import signal
import subprocess
import sys
import threading
import time
import unittest

import numpy as np

import guided_stop_gradient as gsg
from guided_stop_gradient import _runs

SEED = 4


class PackageTest(unittest.TestCase):

    def test_loads_no_torch(self):
        self.assertFalse([name for name in sys.modules if "torch" in name])
        maps = pathlib.Path("/proc/self/maps").read_text()
        self.assertIn("_native", maps)
        self.assertNotIn("torch", maps)

    def test_frameworks_are_attributes_that_are_imported_when_used(self):
        code = ("import sys, guided_stop_gradient as gsg\n"
                "assert not {'torch', 'jax'} & set(sys.modules)\n"
                "try: gsg.torsh\n"
                "except AttributeError as e: print(e)\n"
                "try: gsg.torch.GuidedStopGradientLoss()\n"
                "except ImportError: pass\n")
        printed = subprocess.check_output(
            [sys.executable, "-c", code], text=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)})
        self.assertIn("'guided_stop_gradient' has no attribute 'torsh'", printed)

    def test_is_the_built_package(self):
        package = pathlib.Path(gsg.__file__).parent
        self.assertTrue((package / "py.typed").exists())
        self.assertEqual(pathlib.Path(gsg._native.__file__).parent, package)

    def test_everything_public_is_documented_and_annotated(self):
        self.assertIn("2503.09058", gsg.__doc__)
        for name in gsg.__all__:
            member = getattr(gsg, name)
            self.assertTrue(member.__doc__, name)
            if inspect.isfunction(member):
                signature = inspect.signature(member)
                annotations = [signature.return_annotation] + [
                    p.annotation for p in signature.parameters.values()]
                self.assertNotIn(inspect.Signature.empty, annotations, name)


class ForkTest(unittest.TestCase):

    def test_threads_after_a_fork(self):
        x = np.eye(64, dtype=np.float32)
        # Leaves a thread that waits for the next call, and that a fork lacks.
        expected = gsg.guided_loss_shared(x, x, x, x, threads=2).loss
        child = os.fork()
        if child == 0:
            loss = gsg.guided_loss_shared(x, x, x, x, threads=2).loss
            os._exit(0 if loss == expected else 1)
        deadline = time.monotonic() + 60
        status = None
        while status is None and time.monotonic() < deadline:
            pid, exited = os.waitpid(child, os.WNOHANG)
            if pid:
                status = exited
            time.sleep(0.01)
        if status is None:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
        self.assertEqual(status, 0)


# Interrupts its parent alone, and ends once it is interrupted itself.
INTERRUPTS_ITS_PARENT = """
import os, signal, sys, time
def save(*_):
    print("saved")
    sys.exit(130)
signal.signal(signal.SIGINT, save)
os.kill(os.getppid(), signal.SIGINT)
time.sleep(5)
"""


class InterruptTest(unittest.TestCase):

    def test_is_passed_on_to_the_program(self):
        # Bazel may have it ignored, as a shell does for what is behind "&".
        self.addCleanup(signal.signal, signal.SIGINT, signal.signal(
            signal.SIGINT, signal.default_int_handler))
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            with self.assertRaises(KeyboardInterrupt):
                _runs._call([sys.executable, "-c", INTERRUPTS_ITS_PARENT],
                            dict(os.environ))
        self.assertEqual(printed.getvalue(), "saved\n")


class GilTest(unittest.TestCase):

    def setUp(self):
        print(f"{self.id()}: seed {SEED}")
        self.rng = np.random.default_rng(SEED)

    def test_other_threads_run_during_a_call(self):
        # Few rows: NumPy gives the GIL up, too, to copy a long result.
        z = self.rng.standard_normal((64, 4096)).astype(np.float32)
        # Python itself takes the GIL from no thread in this long a time: the
        # main thread goes on only where the other one gives it up.
        interval = sys.getswitchinterval()
        sys.setswitchinterval(1000)
        self.addCleanup(sys.setswitchinterval, interval)
        calls = (
            lambda: gsg.guided_loss_shared(z, z, z, z),
            lambda: gsg.guided_loss(z, z, z, z, z, z, z, z),
            lambda: gsg.select_shared(z, z, pairing),
            lambda: gsg.select(z, z, z, z),
            lambda: gsg.feature_std(z),
        )
        pairing = gsg.pairing(len(z))
        for i, call in enumerate(calls):
            with self.subTest(i):
                # The main thread may wake too late; not every time.
                self.assertTrue(any(self.runs_during(call)
                                    for _ in range(1000)))

    def runs_during(self, call):
        inside = threading.Event()

        def target():
            inside.set()
            call()
            inside.clear()

        thread = threading.Thread(target=target)
        thread.start()
        was_inside = inside.is_set()
        thread.join()
        return was_inside

    def test_concurrent_calls_are_right(self):
        batches = [self.rng.standard_normal((4, 65, 33)) for _ in range(16)]

        def run(views):
            return gsg.guided_loss_shared(*views, threads=2)

        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            for views, result in zip(batches, pool.map(run, batches)):
                expected = gsg.guided_loss_shared(*views)
                self.assertEqual(result.loss, expected.loss)
                np.testing.assert_array_equal(result.grads, expected.grads)


if __name__ == "__main__":
    unittest.main()
