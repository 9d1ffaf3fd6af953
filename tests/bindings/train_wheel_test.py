"""Both wheels in a fresh environment train, are typed, and do what docs/train.md
shows.

There is no Bazel on PATH.
"""

import importlib.metadata
import json
import pathlib
import re
import shutil
import subprocess
import sys
import unittest

import numpy
import pytest

from tests.bindings import fresh_environment
from tests.trainers import training_run

# The page's runs with a network that takes seconds.
QUICK = dict(backbone="resnet_small", stem="small_stride2", threads=1)

# What a user's program may say, and may not.
TYPED = """
import guided_stop_gradient as gsg
import jax.numpy
from guided_stop_gradient.torch import GuidedStopGradientLoss
import numpy as np
import torch

x = np.zeros((2, 3), np.float32)
result = gsg.guided_loss_shared(x, x, torch.from_numpy(x),
                                memoryview(bytes(24)).cast("f", (2, 3)))
reveal_type(result.loss)
reveal_type(result.pair)
reveal_type(gsg.pairing(5))
reveal_type(GuidedStopGradientLoss(views="four").step)
gsg.select([[1.0]], x, x, x)
gsg.guided_loss(x, x, x, x, x, x, x)
gsg.select(x, x, x, x, selection="mni")
GuidedStopGradientLoss(reduction="avg")
j = jax.numpy.zeros((2, 3))
gsg.guided_loss_shared(j, j, j, j)
reveal_type(gsg.jax.guided_loss_shared(j, j, x, x))
gsg.torch.GuidedStopGradientLoss(views="two")

run = gsg.train("photos", epochs=2)
reveal_type(run.metrics)
reveal_type(run.embed(["a.jpg"]))
reveal_type(run.backbone())
gsg.train(1)
"""
REVEALED = ('Revealed type is "float"', "dtype[numpy.unsignedinteger[",
            "dtype[numpy.signedinteger[", 'Revealed type is "int"',
            '"select" has incompatible type "list[list[float]]"',
            'Missing positional argument "z22"',
            """incompatible type "Literal['mni']\"""",
            """incompatible type "Literal['avg']\"""",
            """incompatible type "Literal['two']\"""", "Array",
            "list[dict[str, Any]]", "dtype[numpy.floating[",
            "torch.nn.modules.module.Module", 'incompatible type "int"')


class TrainWheelTest(fresh_environment.FreshEnvironmentTest):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        assert len(cls.wheels) == 2, cls.wheels
        images = pathlib.Path(training_run.image_folder(48))
        (images / "train/horizontal").rename(images / "train/cat")
        (images / "val/horizontal").rename(images / "val/cat")
        images.rename(cls.work / "photos")
        # Every test may need a run.
        page = (cls.runfiles / "gsg/docs/train.md").read_text(encoding="utf-8")
        cls.shell, = re.findall(r"^```sh\n(.*?)^```$", page, re.DOTALL | re.M)
        cls.snippet, = re.findall(r"^```python\n(.*?)^```$", page,
                                  re.DOTALL | re.M)
        quick = [f"--{name}={value}" for name, value in QUICK.items()]
        cls.printed = [
            cls.call(*line.split(), *(quick if " train " in line else ()))
            for line in cls.shell.splitlines()]

    def test_there_is_no_bazel(self):
        for name in ("bazel", "bazelw", "bazelisk"):
            self.assertIsNone(shutil.which(name, path=f"{self.work}/env/bin"))

    def test_the_pages_commands(self):
        self.assertEqual(sum(1 for _ in (self.work / "photos").rglob("*.jpg")),
                         60)
        run = self.work / "runs/photos"
        self.assertIn("<html", (run / "report.html").read_text(encoding="utf-8"))
        config = json.loads((run / "config.json").read_text(encoding="utf-8"))
        self.assertEqual((config["recipe"], config["epochs"]), ("photos", 6))
        self.assertEqual(len((run / "metrics.jsonl").read_text().splitlines()), 6)
        # What to do next, in this installation's words.
        self.assertIn("\n  gsg embed --run=", self.printed[0])
        self.assertNotIn("bazelw", self.printed[0])
        self.assertRegex(self.printed[1], r"k-NN")
        rows = numpy.load(self.work / "photos.npy")
        self.assertEqual(rows.shape, (60, rows.shape[1]))
        self.assertTrue(numpy.isfinite(rows).all())
        self.assertGreater(rows.std(axis=0).max(), 0)
        self.assertTrue(any((self.work / "answers").glob("*.html")))

    def test_the_pages_python(self):
        program = self.work / "snippet.py"
        quick = ", ".join(f"{name}={value!r}" for name, value in QUICK.items())
        snippet = self.snippet.replace("epochs=6", f"epochs=6, {quick}")
        self.assertNotEqual(snippet, self.snippet)
        program.write_text(snippet + """
import os, pathlib, tarfile
import numpy as np, torch
import guided_stop_gradient_train as programs
assert len(run.metrics) == run.config["epochs"] == 6 and run.result
assert again.folder == run.folder
everything = run.embed("photos")
names = sorted(str(p) for p in pathlib.Path("photos").rglob("*.jpg"))
some = names[7:2:-1]
def same(a, b):
    return np.allclose(a, b, rtol=0, atol=1e-5)
assert same(run.embed(some), everything[7:2:-1])
assert not same(run.embed(some), everything[3:8])
assert same(rows[0], everything[names.index("photos/train/cat/0.jpg")])
with tarfile.open("photos.tar", "w") as tar:
    tar.add("photos")
assert same(run.embed("photos.tar"), everything)
assert same(run.embed("photos.tar/photos/train/cat/0.jpg"), rows)
for archives in ("photos.tar", "a-{0..1}.tar", "a.tar,b.tar"):
    assert programs.train_command_line([archives]) == (
        "simsiam_gsg", ["--recipe=photos", f"--data_dir={archives}"])
os.mkdir("a,b")
for folders in ("photos,answers", "photos/train,photos/val,runs", "a,b"):
    assert programs.train_command_line([folders]) == (
        "simsiam_gsg", ["--recipe=photos", f"--data_dir={folders}"])
few = dict(output_dir="runs/byol", max_steps=1)
gsg.train("photos", method="byol", batch_size=16, backbone="resnet_small",
          stem="small_stride2", threads=1, **few)
assert gsg.train(resume=True, **few).config["method"] == "byol"
for resume in ("--resume", "--resume=true"):
    method, _ = programs.train_command_line([resume, "--output_dir=runs/byol"])
    assert method == "byol"
for anew in ("--noresume", "--resume=false", "--overwrite"):
    method, _ = programs.train_command_line([anew, "--output_dir=runs/byol"])
    assert method == "simsiam_gsg"
assert isinstance(network, torch.nn.Module) and not network.training
assert network(torch.zeros(1, 3, 64, 64)).shape == (1, rows.shape[1])
pathlib.Path("broken.jpg").write_bytes(b"none")
pathlib.Path("broken").write_bytes(b"none")
pathlib.Path("noext").write_bytes(pathlib.Path(names[0]).read_bytes())
assert same(run.embed(["noext"]), everything[:1])
assert same(run.embed("noext"), everything[:1])
assert same(run.embed(pathlib.Path(name) for name in names[:2]), everything[:2])
for call, kind, words in (
        (lambda: run.embed([names[0], "broken.jpg"]), ValueError, "broken.jpg"),
        (lambda: run.embed(["broken.jpg", "broken"]), ValueError,
         f"can be read: {os.getcwd()}/broken.jpg, {os.getcwd()}/broken"),
        (lambda: run.embed(["broken"]), ValueError,
         f"can be read: {os.getcwd()}/broken"),
        (lambda: run.embed(3), TypeError, "a list of them, not int"),
        (lambda: run.embed(b"noext"), TypeError, "a list of them, not bytes"),
        (lambda: run.embed(["noext", 3]), TypeError, "paths[1] must be a path"),
        (lambda: run.embed([]), ValueError, "empty"),
        (lambda: run.embed(["no.jpg"]), FileNotFoundError, "no.jpg"),
        (lambda: run.embed("nowhere"), FileNotFoundError, "nowhere"),
        (lambda: gsg.train("photos", epoch=1), ValueError, "epoch"),
        (lambda: gsg.train("photos", method="dino"), ValueError, "simsiam_gsg"),
        (lambda: gsg.train("photos", batch_size=16, output_dir="runs/python"),
         RuntimeError, "--overwrite"),
        (lambda: gsg.train(output_dir="runs/byol", resume=True, method="simsiam"),
         RuntimeError, "gsg train --method=byol --resume --output_dir=runs/byol"),
        (lambda: gsg.Run("photos"), FileNotFoundError, "config.json")):
    try:
        call()
    except kind as error:
        assert words in str(error), error
    else:
        raise AssertionError(words)
assert not pathlib.Path("gsg_runs").exists()
made = gsg.train("photos", batch_size=16, max_steps=1, backbone="resnet_small",
                 stem="small_stride2", threads=1)
assert made.folder.parent == pathlib.Path("gsg_runs").absolute()
print("all", "well")
""", encoding="utf-8")
        self.assertIn("all well", self.call(self.python, "-W", "error", program))

    def test_onnx(self):
        program = self.work / "onnx_features.py"
        program.write_text("""
import json
import guided_stop_gradient as gsg
import numpy as np
import onnxruntime
import torch
torch.manual_seed(1)
vit = gsg.train("photos", max_steps=1, batch_size=16, threads=1, patch_size=8,
                crop_size=16, backbone="vit_tiny", output_dir="runs/vit")
convnext = gsg.train("photos", max_steps=1, batch_size=16, threads=1, crop_size=16,
                     backbone="convnext_tiny", stem="small_stride2",
                     output_dir="runs/convnext")
for run, sides in ((gsg.Run("runs/photos"), (24, 40)), (vit, (16,)),
                   (convnext, (16, 40))):
    run.export_onnx("network.onnx")
    session = onnxruntime.InferenceSession("network.onnx")
    meta = json.loads(torch.load(run.folder / "checkpoint-last.pt")["meta"])
    mean, std = (torch.tensor(meta["channel_" + name]).view(-1, 1, 1)
                 for name in ("mean", "std"))
    for side in sides:
        images = torch.rand(3, 3, side, side)
        ours, = session.run(["features"], {"images": images.numpy()})
        with torch.no_grad():
            theirs = run.backbone()((images - mean) / std).numpy()
        assert ours.shape == theirs.shape and theirs.std(0).mean() > 1e-3
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-4)
print("all", "well")
""", encoding="utf-8")
        self.assertIn("all well", self.call(self.python, program))

    def test_commands(self):
        version = importlib.metadata.version("numpy")  # of another package
        self.assertNotEqual(self.call("gsg", "--version"), f"gsg {version}\n")
        versions = {self.call(self.work / "env/bin/python", "-c", f"""
import {name}; print({name}.__version__)""") for name in (
            "guided_stop_gradient", "guided_stop_gradient_train")}
        self.assertEqual({f"gsg {v}" for v in versions},
                         {self.call("gsg", "--version")})
        text = self.call("gsg", "--help")
        for name in ("train", "evaluate", "embed", "explore", "search", "export",
                     "report", "study"):
            self.assertIn(f"  gsg {name} ", text)
            self.assertIn("--help", self.call("gsg", name, "--help"))
        self.assertIn("distance\n", self.call("gsg", "study", "--list_studies"))
        # The study starts the wheel's own trainers, on the wheel's own data.
        plan = self.call("gsg", "study", "--study=distance", "--print")
        self.assertIn(f"{self.target}/guided_stop_gradient_train/runfiles", plan)
        config = json.loads(self.call("gsg", "train", "--print_config"))
        self.assertEqual(config["dataset"], "fashion_mnist")
        for arguments, message in (
                (["trian"], 'gsg: unknown command "trian"; use one of train,'),
                (["train", "nowhere"], "gsg: train: there is no folder nowhere"),
                (["train", "photos,no"], "gsg: train: there is no folder no"),
                (["train", "photos,"], "gsg: train: there is no folder photos,"),
                (["train", "photos", "answers"], "gsg: train: one folder"),
                (["train", "--method=dino"], 'gsg: train: --method is "dino"')):
            output = self.call("gsg", *arguments, code=2)
            self.assertIn(message, output)
            self.assertEqual(len(output.splitlines()), 1)

    def test_pip_check_and_warnings(self):
        self.check_imports("guided_stop_gradient", "guided_stop_gradient_train")
        requires = importlib.metadata.Distribution.at(next(self.target.glob(
            "guided_stop_gradient_train-*.dist-info"))).requires
        self.assertIn("torch==2.11.*", requires)

    def test_licenses(self):
        info = next(self.target.glob("guided_stop_gradient_train-*.dist-info"))
        for name in ("giflib", "libjpeg62-turbo-dev", "libtiff", "libwebp-dev",
                     "zlib1g-dev"):
            text = (info / "licenses" / name).read_text(encoding="utf-8")
            self.assertIn("Copyright", text)
        self.assertIn("Apache License", (info / "LICENSE").read_text("utf-8"))
        images = self.target / "guided_stop_gradient_train/runfiles/fashion_mnist"
        copyright, = images.rglob("copyright")
        self.assertIn("Zalando", copyright.read_text(encoding="utf-8"))

    def test_torch_of_another_version_is_refused(self):
        # An installed torch 2.9, before the one that is there.
        other = self.work / "other"
        (other / "torch-2.9.0.dist-info").mkdir(parents=True)
        (other / "torch-2.9.0.dist-info/METADATA").write_text(
            "Metadata-Version: 2.1\nName: torch\nVersion: 2.9.0\n")
        output = self.call("gsg", "report", code=2, PYTHONPATH=str(other))
        self.assertEqual(output, "gsg: torch 2.9.0 is installed; the programs need "
                                 "2.11: pip install 'torch==2.11.*'\n")

    def test_without_the_second_wheel(self):
        self.assertIn("pip install guided-stop-gradient-train", self.call(
            self.python, "-c", """
import sys
sys.modules["guided_stop_gradient_train"] = None
import guided_stop_gradient as gsg
gsg.train("photos")""", code=1))

    def test_programs_need_no_cuda(self):
        # libtorch loads those that it was linked to.
        programs = self.target / "guided_stop_gradient_train/runfiles/gsg/trainers"
        for name in ("simsiam_gsg", "programs/embed"):
            needed = subprocess.check_output(
                ["/usr/bin/readelf", "--dynamic", programs / name], text=True)
            self.assertIn("[libtorch_cpu.so]", needed)
            if "[libtorch_cuda.so]" in needed:
                self.skipTest("built with --config=cuda")
            for word in ("cuda", "cupti", "PATH", "jpeg", "png", "webp"):
                self.assertNotIn(word, needed)

    def test_types(self):
        program = self.work / "typed.py"
        program.write_text(TYPED, encoding="utf-8")
        mypy = (sys.executable, "-m", "mypy", "--strict",
                "--python-executable", self.python)
        lend = dict(PYTHONPATH=str(fresh_environment.folder_of(pytest)))
        output = self.call(*mypy, program, code=1, **lend)
        for message in REVEALED:
            self.assertIn(message, output)
        self.assertIn("Found 6 errors", output)
        self.assertIn("Success", self.call(
            *mypy, "-p", "guided_stop_gradient", "-m",
            "guided_stop_gradient_train", **lend))


if __name__ == "__main__":
    unittest.main()
