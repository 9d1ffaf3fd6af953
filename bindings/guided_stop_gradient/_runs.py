"""Training from Python: what guided-stop-gradient-train's programs do, and left."""

import collections
import importlib
import json
import os
import pathlib
import secrets
import signal
import subprocess
import tempfile
import time
from typing import (TYPE_CHECKING, Any, Deque, Dict, Iterable, List, Optional,
                    Sequence, Set, Union)

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from torch import nn

Path = Union[str, "os.PathLike[str]"]


def _programs() -> Any:
    try:
        return importlib.import_module("guided_stop_gradient_train")
    except ModuleNotFoundError as error:
        if error.name != "guided_stop_gradient_train":
            raise
        raise ImportError(
            "the training programs are a package of their own: "
            "pip install guided-stop-gradient-train") from None


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return os.fspath(value) if isinstance(value, os.PathLike) else str(value)


def _call(line: Sequence[str], env: Dict[str, str], quiet: bool = False) -> None:
    """Runs a program, prints what it prints, and raises what it complains of."""
    last: Deque[str] = collections.deque(maxlen=20)
    with subprocess.Popen(line, env=env, text=True, errors="replace",
                          stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT) as process:
        assert process.stdout is not None
        interrupted = False
        while True:
            try:
                for text in process.stdout:
                    last.append(text)
                    # Not where the process writes: in a notebook that is nowhere.
                    if not quiet:
                        print(text, end="", flush=True)
                break
            except KeyboardInterrupt:
                # A terminal has sent it to the program, too, which takes two so
                # close for one; os.kill and the like have not. It saves, and says
                # so.
                process.send_signal(signal.SIGINT)
                interrupted = True
        code = process.wait()
    if interrupted:
        raise KeyboardInterrupt
    if code != 0:
        kind = ValueError if code == 2 else RuntimeError  # 2: a wrong flag
        raise kind(f"{os.path.basename(line[0])} ended with exit status {code}:\n"
                   f"{''.join(last)}")


class Run:
    """What a training run left in its folder.

    folder: the --output_dir of `gsg train`, or of gsg.train.

    Raises FileNotFoundError if there is no run in it.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = pathlib.Path(folder)
        if not (self.folder / "config.json").is_file():
            raise FileNotFoundError(f"there is no run in {self.folder}: it has no "
                                    "config.json")

    def __repr__(self) -> str:
        return f"Run({str(self.folder)!r})"

    def _json(self, name: str) -> Dict[str, Any]:
        value: Dict[str, Any] = json.loads(
            (self.folder / name).read_text(encoding="utf-8"))
        return value

    @property
    def config(self) -> Dict[str, Any]:
        """The settings, config.json."""
        return self._json("config.json")

    @property
    def metrics(self) -> List[Dict[str, Any]]:
        """What was measured after each epoch, metrics.jsonl."""
        text = (self.folder / "metrics.jsonl").read_text(encoding="utf-8")
        return [json.loads(line) for line in text.splitlines()]

    @property
    def result(self) -> Dict[str, Any]:
        """What was measured at the end, result.json."""
        return self._json("result.json")

    def embed(self, paths: Union[Path, Iterable[Path]]) -> NDArray[np.float32]:
        """Features of images, [N, D].

        paths: image files, several, in a list or another iterable, whose order the
            rows have; or a folder, whose images at any depth are in the order of
            their paths, byte by byte; or tar archives ("shard-{000..146}.tar", or
            a folder of such), whose images are in the order of their names there;
            or one image, which may be in an archive, "shard-000.tar/cat/1.jpg".

        Raises ValueError, which names them, if images of a list cannot be read;
        those of a folder or of archives are left out.
        """
        programs = _programs()
        with tempfile.TemporaryDirectory() as scratch:
            output = pathlib.Path(scratch, "rows.npy")
            links: Dict[str, str] = {}
            if isinstance(paths, (str, os.PathLike)):
                images = os.fspath(paths)
                if not os.path.exists(images) and not programs.are_archives(images):
                    raise FileNotFoundError(f"there is no {images}")
            else:
                images = os.path.join(scratch, "images")
                links = _link(paths, images)
            read: Set[str] = set()
            try:
                _call([str(programs.program("embed")), f"--run={self.folder}",
                       f"--images={images}", f"--output={output}"],
                      programs.environment(), quiet=True)
                names = output.with_suffix(".txt").read_text(encoding="utf-8")
                read.update(names.splitlines())
            except RuntimeError as error:
                # If it can read no image at all, it ends, and names some links.
                complaint = str(error).splitlines()[-1]
                if not any(name in complaint for name in links):
                    raise
            missing = sorted(links.keys() - read)
            if missing:
                raise ValueError("these are no images that can be read: " +
                                 ", ".join(links[name] for name in missing))
            rows: NDArray[np.float32] = np.load(output)
        return rows

    def backbone(self) -> "nn.Module":
        """The trained network of the last epoch, a torchvision network, in eval().

        It takes images [N, C, H, W] as the run's augmentation leaves them, and
        gives features [N, D]. Needs torchvision.
        """
        network: "nn.Module" = _networks("_backbone").load_backbone(
            self.folder / "checkpoint-last.pt", self.config["stem"])
        return network

    def export_onnx(self, path: Path) -> None:
        """Writes the network of backbone(), behind its normalization, as ONNX.

        path: of the file, in which are the weights, too. Its input "images" is
            float32 [N, C, H, W] with values from 0 to 1, its output "features"
            float32 [N, D]. N may be any; so may H and W for ResNets and
            ConvNeXt, and for Vision Transformers they are config["crop_size"].

        Needs torchvision, onnx and onnxscript.
        """
        _networks("_onnx").export_onnx(self.folder, pathlib.Path(path))


def _networks(name: str) -> Any:
    """A module that makes networks of torchvision's."""
    _programs()
    try:
        return importlib.import_module(f"guided_stop_gradient_train.{name}")
    except ModuleNotFoundError as error:
        if error.name is None or error.name.split(".")[0] != "torchvision":
            raise
        raise ImportError("this makes a network of torchvision's: "
                          "pip install torchvision") from None


def _link(paths: Iterable[Path], folder: str) -> Dict[str, str]:
    """Names of links in a new folder, in order, and what they link to."""
    if isinstance(paths, bytes) or not isinstance(paths, Iterable):
        raise TypeError("paths must be a path or a list of them, not "
                        f"{type(paths).__name__}")
    os.mkdir(folder)
    links = {}
    for k, path in enumerate(paths):
        if not isinstance(path, (str, os.PathLike)):
            raise TypeError(f"paths[{k}] must be a path, not {type(path).__name__}")
        path = os.path.abspath(path)
        if not os.path.isfile(path):
            raise FileNotFoundError(f"paths[{k}]: there is no file {path}")
        # Of a folder embed takes what is called an image; what it is, its bytes say.
        name = f"{k:09d}.jpg"
        os.symlink(path, os.path.join(folder, name))
        links[name] = path
    if not links:
        raise ValueError("paths is empty")
    return links


def train(images: Optional[Path] = None, *, output_dir: Optional[Path] = None,
          method: Optional[str] = None, **flags: Any) -> Run:
    """Trains to the end and returns the run: `gsg train` from Python.

    images: a folder of images, several ("a,b"), or tar archives, as
        --recipe=photos --data_dir=images, unless recipe= is another. None: what
        the flags say, by default Fashion-MNIST.
    output_dir: of the run; None: a new folder below gsg_runs.
    method: "simsiam_gsg", "simsiam", "byol_gsg" or "byol"; None: the first, and
        with resume=True the run's.
    flags: any of `gsg train --help`: epochs=20, batch_size=128, resume=True.

    What the program prints is printed. Ctrl-C saves the run and raises
    KeyboardInterrupt. Raises ValueError for a flag that is unknown or has a wrong
    value, and RuntimeError for any other end but success, with what the program
    said; ImportError without guided-stop-gradient-train.
    """
    programs = _programs()
    if output_dir is None:
        # The program makes it, once it has found that it can train.
        name = (f"{method or programs.METHODS[0]}-{time.strftime('%Y%m%d-%H%M%S')}"
                f"-{secrets.token_hex(4)}")
        output_dir = os.path.abspath(os.path.join("gsg_runs", name))
    arguments = [] if images is None else [os.fspath(images)]
    flags = {"method": method, "output_dir": output_dir, **flags}
    arguments += [f"--{name}={_text(value)}" for name, value in flags.items()
                  if value is not None]
    try:
        line = programs.command_line(["train", *arguments])
        env = programs.environment()
    except programs.ProgramsError as error:
        raise ValueError(str(error)) from None
    _call(line, env)
    return Run(output_dir)
