"""study, as a user runs it: with a trainer that does as told, and the real one."""

import fcntl
import json
import os
import signal
import subprocess
import sys
import time
import unittest

from tests.trainers import training_run as tr
from tests.trainers.programs import program_run as pr

# Does at once what a training program leaves behind. Its configuration is the
# real one's; how well it does is in the seed. behavior.json beside it may name
# a part of the output folder's name for which it fails or waits to be stopped.
FAKE = """#!%(python)s
import json, os, signal, subprocess, sys, time
here = os.path.dirname(os.path.abspath(__file__))
flags = dict(a.lstrip("-").partition("=")[::2] for a in sys.argv[1:])
out = flags["output_dir"]
with open(os.path.join(here, "calls.txt"), "a") as f:
    print(os.path.basename(__file__), *sys.argv[1:], file=f)
os.makedirs(out, exist_ok=True)
config = os.path.join(out, "config.json")
if "resume" not in flags:
    text = subprocess.check_output(
        [%(real)r, *sys.argv[1:], "--print_config"], text=True)
    with open(config + ".new", "w") as f:
        f.write(text)
    os.rename(config + ".new", config)
with open(os.path.join(here, "behavior.json")) as f:
    behavior = json.load(f)
name = os.path.basename(out)
if behavior.get("fail", "nothing") in name:
    print("line one\\nthe reason of it", file=sys.stderr)
    sys.exit(1)
if behavior.get("wait", "nothing") in name:
    def save(*_):
        open(os.path.join(out, "saved"), "w").close()
        sys.exit(128 + signal.SIGTERM)
    signal.signal(signal.SIGTERM, save)
    open(os.path.join(here, "waiting"), "w").close()
    time.sleep(600)
with open(config) as f:
    values = json.load(f)
score = 80 + values["seed"] + 5 * (values["distance"] == "cosine")
with open(os.path.join(out, "metrics.jsonl"), "w") as f:
    for epoch in (1, 2):
        print(json.dumps({"epoch": epoch, "loss": -0.1 * epoch,
                          "feature_std": 0.9, "knn_top1": score}), file=f)
with open(os.path.join(out, "result.json"), "w") as f:
    json.dump({"trained": {"knn_top1": score, "linear_top1": None}}, f)
"""

STUDY = {
    "title": "Which distance",
    "question": "Does it matter?",
    "base": {"epochs": 2},
    "grid": {"distance": ["euclidean", "cosine"]},
    "seeds": [0, 2],
}


def write_json(path, value):
    with open(path, "w") as f:
        json.dump(value, f)
    return path


class FakeTrainerTest(unittest.TestCase):

    def setUp(self):
        self.folder = os.path.dirname(tr.new_folder())
        self.trainers = self.path("trainers")
        os.makedirs(self.trainers)
        for method in tr.METHODS:
            program = os.path.join(self.trainers, method)
            with open(program, "w") as f:
                f.write(FAKE % {"python": sys.executable,
                                "real": tr.program(method)})
            os.chmod(program, 0o755)
        self.behave()
        self.study = write_json(self.path("mine.json"), STUDY)

    def path(self, *names):
        return os.path.join(self.folder, *names)

    def behave(self, **behavior):
        write_json(os.path.join(self.trainers, "behavior.json"), behavior)

    def calls(self):
        """What the trainers were called with since the last time."""
        path = os.path.join(self.trainers, "calls.txt")
        if not os.path.exists(path):
            return []
        with open(path) as f:
            calls = f.read().splitlines()
        os.remove(path)
        return calls

    def flags(self, *more, study=None):
        return ["--study=" + (study or self.study), "--jobs=2",
                "--output_dir=" + self.path("out"),
                "--trainer_dir=" + self.trainers, *more]

    def results(self, name="mine"):
        with open(self.path("out", name, "study.json")) as f:
            return json.load(f)

    def knn(self, name="mine"):
        return [arm["knn_top1"]["values"] for arm in self.results(name)["arms"]]

    def test_runs_what_is_not_there_and_tabulates(self):
        printed = pr.succeed("study", *self.flags())
        self.assertEqual(len(self.calls()), 4)
        self.assertIn("[4/4] ", printed)
        self.assertIn("0 running, 0 left", printed)
        self.assertEqual(self.knn(), [[80, 82], [85, 87]])
        cosine = self.results()["arms"][1]["knn_top1"]
        self.assertEqual(cosine["difference"], 5)
        self.assertEqual((cosine["low"], cosine["high"]), (5, 5))
        for name in ("study.md", "study.csv", "report.html"):
            with open(self.path("out", "mine", name)) as f:
                self.assertIn("cosine", f.read())
        # Every run has its log, and says what started it.
        runs = sorted(os.listdir(self.path("out", "runs")))
        self.assertRegex(runs[1], r"^cosine-[0-9a-f]{8}-seed0$")
        with open(self.path("out", "runs", runs[1], "started.jsonl")) as f:
            self.assertIn("--distance=cosine", json.load(f)["command"])
        self.assertIn("log.txt", os.listdir(self.path("out", "runs", runs[1])))

        # Once more: nothing is left to do.
        again = pr.succeed("study", *self.flags())
        self.assertEqual(self.calls(), [])
        self.assertIn("4 finished", again)
        os.remove(self.path("out", "mine", "study.md"))
        self.assertIn("81.00 ± 1.41", pr.succeed("study", *self.flags("--report_only")))
        self.assertIn("study.md", os.listdir(self.path("out", "mine")))

    def test_studies_share_their_runs(self):
        pr.succeed("study", *self.flags())
        self.calls()
        other = write_json(self.path("other.json"), {
            "title": "Other", "base": {"epochs": 2},
            "arms": [{"name": "plain", "method": "simsiam"},
                     {"name": "near", "distance": "cosine"}],
            "seeds": [2]})
        pr.succeed("study", *self.flags(study=other))
        calls = self.calls()
        self.assertEqual(len(calls), 1)
        self.assertTrue(calls[0].startswith("simsiam --epochs=2 --seed=2 "))
        self.assertEqual(self.knn("other"), [[82], [87]])

    def test_others_go_on_when_one_fails(self):
        self.behave(fail="cosine")
        process = pr.run("study", *self.flags("--seeds=0,1,2"))
        self.assertEqual(process.returncode, 1)
        self.assertIn("3 of 6 runs failed", process.stderr)
        self.assertIn("cosine seed 1: exit code 1", process.stderr)
        self.assertIn("  the reason of it\n", process.stderr)
        self.assertEqual(self.knn(), [[80, 81, 82], [None, None, None]])
        self.calls()
        self.behave()
        pr.succeed("study", *self.flags("--seeds=0,1,2"))
        calls = self.calls()
        self.assertEqual(len(calls), 3)
        for call in calls:
            self.assertTrue(call.startswith("simsiam_gsg --resume "), call)
        self.assertEqual(self.knn(), [[80, 81, 82], [85, 86, 87]])

    def test_a_signal_saves_and_the_same_command_goes_on(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            self.behave(wait="cosine")
            seed = str(int(number))
            process = subprocess.Popen(
                [pr.path("study"), *self.flags("--seeds=" + seed)],
                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            waiting = os.path.join(self.trainers, "waiting")
            deadline = time.time() + 60
            while not os.path.exists(waiting):
                self.assertIsNone(process.poll())
                self.assertLess(time.time(), deadline)
                time.sleep(0.01)
            os.remove(waiting)
            process.send_signal(number)
            printed, message = process.communicate()
            self.assertEqual(process.returncode, 128 + number)
            self.assertIn("The same command goes on", message)
            self.assertIn("cosine seed %s: stopped" % seed, printed)
            self.behave()
            self.calls()
            pr.succeed("study", *self.flags("--seeds=" + seed))
            calls = [c for c in self.calls() if "cosine" in c]
            self.assertEqual(len(calls), 1)
            self.assertTrue(calls[0].startswith("simsiam_gsg --resume "))

    def test_one_study_at_a_time_in_a_folder_of_runs(self):
        os.makedirs(self.path("out", "runs"))
        with open(self.path("out", "runs", ".lock"), "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            process = pr.run("study", *self.flags())
        self.assertEqual(process.returncode, 1)
        self.assertIn("another study is at work", process.stderr)
        self.assertEqual(self.calls(), [])

    def test_print_shows_the_commands_and_runs_none(self):
        printed = pr.succeed("study", *self.flags("--print"))
        self.assertIn("4 runs, of which 0 finished", printed)
        self.assertIn("8 epochs", printed)
        commands = [line for line in printed.splitlines()
                    if line.startswith(self.trainers)]
        self.assertEqual(len(commands), 4)
        self.assertEqual(self.calls(), [])
        self.assertFalse(os.path.exists(self.path("out")))
        # They are what the study would run: it has nothing left to do then.
        subprocess.check_call("\n".join(commands), shell=True)
        self.calls()
        pr.succeed("study", *self.flags())
        self.assertEqual(self.calls(), [])

    def test_what_is_wrong_is_said_before_any_run(self):
        def message(code, *flags, study=None):
            process = pr.run("study", *self.flags(*flags, study=study))
            self.assertEqual(process.returncode, code, process.stderr)
            self.assertEqual(process.stderr.count("\n"), 1, process.stderr)
            return process.stderr

        bad = write_json(self.path("bad.json"), {
            "title": "T", "arms": [{"name": "a"}, {
                "name": "b", "method": "simsiam", "selection": "max"}]})
        said = message(1, study=bad)
        self.assertIn(bad + ": arms[1] (b): --selection", said)
        self.assertIn("did you mean distance?", message(1, study="distanse"))
        nowhere = self.path("nowhere.json")
        self.assertIn(nowhere, message(1, study=nowhere))
        self.assertIn("--seeds", message(2, "--seeds=a"))
        self.assertIn("--set", message(2, "--set=epochs"))
        self.assertIn("there is no field epoch", message(1, "--set=epoch=1"))
        self.assertIn("did you mean --jobs?", message(2, "--job=1"))
        self.assertEqual(self.calls(), [])
        process = pr.run("study")
        self.assertEqual(process.returncode, 2)
        self.assertIn("--list_studies", process.stderr)


class ReadyStudiesTest(unittest.TestCase):

    def test_help_and_list(self):
        self.assertIn("Usage: study ", pr.succeed("study", "--help"))
        printed = pr.succeed("study", "--list_studies")
        for name in ("batch", "byol", "distance", "epochs", "guidance", "guiding",
                     "learning_rate", "predictor", "selection", "views"):
            self.assertIn("\n" + name + "\n    ", "\n" + printed)

    # What they have in common is run once: 11 arms instead of 14.
    def test_distance_selection_and_predictor_share_runs(self):
        keys = set()
        for name in ("distance", "selection", "predictor"):
            printed = pr.succeed("study", "--study=" + name, "--print",
                                 "--output_dir=" + tr.new_folder())
            keys.update(word.rpartition("/")[2].split("-")[-2]
                        for word in printed.split()
                        if word.startswith("--output_dir="))
        self.assertEqual(len(keys), 11)

    def test_another_recipe_takes_the_place_of_theirs(self):
        for name in ("batch", "distance", "predictor", "selection", "views"):
            printed = pr.succeed("study", "--study=" + name, "--print",
                                 "--recipe=cifar10_fast", "--seeds=0",
                                 "--output_dir=" + tr.new_folder())
            self.assertIn("--recipe=cifar10_fast", printed)
            self.assertNotIn("fashion", printed)


class RealTrainerTest(unittest.TestCase):

    def test_its_runs_are_those_of_the_training_program(self):
        base = {"dataset": "mnist", "data_dir": tr.small_data(260, 100),
                "epochs": 2, "batch_size": 64, "projector_hidden": 64,
                "projector_dim": 64, "crop_size": 12, "knn_k": 20,
                "baselines": False, "stop_on_collapse": False}
        study = write_json(os.path.dirname(tr.new_folder()) + "/tiny.json", {
            "title": "Tiny", "base": base, "seeds": [0, 1], "arms": [
                {"name": "SimSiam", "method": "simsiam"},
                {"name": "guided, no predictor", "predictor": "none"}]})
        out = tr.new_folder()
        printed = pr.succeed("study", "--study=" + study, "--output_dir=" + out)
        self.assertIn("[4/4] ", printed)
        with open(os.path.join(out, "tiny", "study.json")) as f:
            arms = json.load(f)["arms"]
        self.assertEqual([arm["finished"] for arm in arms], [2, 2])

        alone = tr.new_folder()
        flags = ["--%s=%s" % (key, str(value).lower() if isinstance(value, bool)
                              else value) for key, value in base.items()]
        process = tr.run(*flags, "--predictor=none", "--seed=1", "--threads=1",
                         "--output_dir=" + alone)
        self.assertEqual(process.returncode, 0, process.stderr)
        arm = arms[1]
        trained = tr.result(alone)["trained"]
        last = tr.metrics(alone)[-1]
        for metric in ("knn_top1", "linear_top1"):
            self.assertEqual(arm[metric]["values"][1], trained[metric])
        for metric in ("loss", "feature_std", "effective_rank"):
            self.assertEqual(arm[metric]["values"][1], last[metric])
        with open(os.path.join(out, "tiny", "report.html")) as f:
            page = f.read()
        self.assertIn("report.html\">SimSiam seed 0</a>", page)
        self.assertNotIn("http", page.replace("http://www.w3.org", ""))


if __name__ == "__main__":
    unittest.main()
