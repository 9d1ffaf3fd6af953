"""The training programs of GSG, on the LibTorch of the installed torch.

    gsg train photos/
    gsg --help

and from Python guided_stop_gradient.train and guided_stop_gradient.Run.
"""

import importlib.metadata
import importlib.util
import json
import os
import pathlib
import re
import sys
from typing import Dict, List, NoReturn, Optional, Sequence, Tuple

__all__ = ["COMMANDS", "METHODS", "ProgramsError", "are_archives", "command_line",
           "environment", "main", "program", "train_command_line"]
__version__ = importlib.metadata.version("guided-stop-gradient-train")

COMMANDS = {
    "train": "learn features of images without labels",
    "evaluate": "measure a run's features: k-NN and a linear layer",
    "embed": "a row of features for each image",
    "explore": "duplicates, outliers, clusters and likely wrong labels",
    "search": "the images most like another, after explore",
    "export": "the backbone as a file for PyTorch",
    "report": "several runs on one page",
    "study": "many runs that answer one question",
}
METHODS = ("simsiam_gsg", "simsiam", "byol_gsg", "byol")

# The programs are linked against this LibTorch, whose C++ interface changes from
# one version to the next.
TORCH = "2.11"

_RUNFILES = pathlib.Path(__file__).parent / "runfiles"

_TRAIN = f"""gsg train [FOLDER] [--method=METHOD] [--flag=value ...]

Learns from the images below FOLDER, or below several (A,B), or in tar archives
(shard-{{000..146}}.tar, or a folder of such), which is --recipe=photos
--data_dir=FOLDER unless another --recipe or --config is given.
Without FOLDER and flags: Fashion-MNIST, which is in the package.

METHOD: {', '.join(METHODS)}. Without --method it is
{METHODS[0]}, and with --resume the run's. Its flags:

"""


class ProgramsError(Exception):
    """What hinders the programs, as a sentence for whoever called them."""


def program(name: str) -> pathlib.Path:
    """The file of a program: a method, or a command but train."""
    folder = _RUNFILES / "gsg/trainers"
    return folder / name if name in METHODS else folder / "programs" / name


def _torch_folder() -> pathlib.Path:
    spec = importlib.util.find_spec("torch")  # does not import it
    if spec is None or spec.origin is None:
        raise ProgramsError("torch is not installed: pip install "
                            f"'torch=={TORCH}.*'")
    version = importlib.metadata.version("torch")
    if not f"{version}.".startswith(f"{TORCH}."):
        raise ProgramsError(f"torch {version} is installed; the programs need "
                            f"{TORCH}: pip install 'torch=={TORCH}.*'")
    return pathlib.Path(spec.origin).parent


def environment() -> Dict[str, str]:
    """This process's environment, for a program."""
    torch = _torch_folder()
    # torch's own libraries, and NVIDIA's, which its wheels for GPUs require.
    folders = [torch / "lib", *sorted(torch.parent.glob("nvidia/*/lib"))]
    given = os.environ.get("LD_LIBRARY_PATH")
    paths = [*map(str, folders), *([given] if given else [])]
    return {**os.environ, "LD_LIBRARY_PATH": os.pathsep.join(paths),
            # Where the programs look for each other and for what they read.
            "RUNFILES_DIR": str(_RUNFILES),
            # How messages call them.
            "GSG_COMMAND": "gsg"}


def are_archives(images: str) -> bool:
    """Whether tar archives are named, a range of them, or an image in one.

    Whether they are there is left to the programs.
    """
    return re.search(r"\.tar($|[,/])|{.*\.tar", images, re.IGNORECASE) is not None


def _split_paths(value: str) -> List[str]:
    """The paths in a value with commas between them, as --data_dir takes it."""
    parts = value.split(",")
    return parts if all(parts) and not os.path.exists(value) else [value]


def _method_of_run(flags: Sequence[str]) -> Optional[str]:
    """The method of the run that `flags` go on with.

    None if they do not, or if the folder does not tell: what is wrong with it is
    for the programs to say.
    """
    values = dict(flag.partition("=")[::2] for flag in flags)
    if values.get("--resume") not in ("", "true") or "--output_dir" not in values:
        return None
    try:
        config = pathlib.Path(values["--output_dir"], "config.json").read_bytes()
        method = json.loads(config)["method"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return str(method) if method in METHODS else None


def train_command_line(arguments: Sequence[str]) -> Tuple[str, List[str]]:
    """The method and its flags, of [FOLDER] and flags.

    Raises ProgramsError for several folders, unless commas are between them, and
    for an unknown method.
    """
    method: Optional[str] = None
    folders: List[str] = []
    flags: List[str] = []
    for argument in arguments:
        if argument.startswith("--method="):
            method = argument.partition("=")[2]
        elif argument.startswith("-"):
            flags.append(argument)
        else:
            folders.append(argument)
    if method is None:
        method = _method_of_run(flags) or METHODS[0]
    if method not in METHODS:
        raise ProgramsError(f'train: --method is "{method}"; use one of '
                            f"{', '.join(METHODS)}")
    if len(folders) > 1:
        raise ProgramsError(f"train: one folder of images, and not "
                            f"{' '.join(folders)} (a flag is --flag=value, and "
                            f"several folders {','.join(folders)})")
    if folders:
        for folder in _split_paths(folders[0]):
            if not os.path.isdir(folder) and not are_archives(folders[0]):
                raise ProgramsError(f"train: there is no folder {folder}")
        flags.insert(0, f"--data_dir={folders[0]}")
        if not any(flag.split("=")[0] in ("--recipe", "--config", "--resume")
                   for flag in flags):
            flags.insert(0, "--recipe=photos")
    return method, flags


def command_line(arguments: Sequence[str]) -> List[str]:
    """The program and its flags, of a command and what is behind it."""
    name, *rest = arguments
    if name not in COMMANDS:
        raise ProgramsError(f'unknown command "{name}"; use one of '
                            f"{', '.join(COMMANDS)}")
    if name == "train":
        name, rest = train_command_line(rest)
    return [str(program(name)), *rest]


def _help() -> str:
    width = max(map(len, COMMANDS))
    lines = [f"  gsg {name:<{width}}  {text}" for name, text in COMMANDS.items()]
    return "\n".join([
        "usage: gsg COMMAND [--flag=value ...]", "", *lines, "",
        "gsg COMMAND --help lists the flags. gsg train photos/ is where to start."])


def _fail(message: str) -> NoReturn:
    print(f"gsg: {message}", file=sys.stderr)
    sys.exit(2)


def main(arguments: Optional[Sequence[str]] = None) -> NoReturn:
    """The console script gsg: becomes the program of its first argument."""
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    if not arguments or arguments[0] in ("--help", "-h", "help"):
        print(_help())
        sys.exit(0)
    if arguments[0] == "--version":
        print(f"gsg {__version__}")
        sys.exit(0)
    try:
        line, env = command_line(arguments), environment()
    except ProgramsError as error:
        _fail(str(error))
    if arguments[0] == "train" and "--help" in arguments:
        print(_TRAIN, end="", flush=True)
    os.execve(line[0], line, env)
