"""Reads a Dockerfile: the part of the language that packaging/docker uses.

Strict: what it does not know is a DockerfileError with the line's number.
"""

import dataclasses
import json
import re
import shlex
from typing import Dict, List, Optional, Tuple

# The flags of instructions. Each is --name=value.
FLAGS = {"COPY": {"from"}, "RUN": {"mount"}}
INSTRUCTIONS = {"CMD", "COPY", "ENTRYPOINT", "ENV", "FROM", "LABEL", "RUN", "USER",
                "WORKDIR"}


class DockerfileError(ValueError):
    """What is wrong, and in which line."""


@dataclasses.dataclass
class Instruction:
    name: str
    line: int  # the first is 1
    flags: Dict[str, str]
    text: str  # behind the flags; of RUN with its line breaks

    def error(self, message: str) -> DockerfileError:
        return DockerfileError(f"line {self.line}: {self.name}: {message}")

    def words(self) -> List[str]:
        """Of COPY (sources, then the destination)."""
        return self.text.split()

    def pairs(self) -> Dict[str, str]:
        """Of ENV and LABEL."""
        pairs = {}
        for word in shlex.split(self.text):
            key, equals, value = word.partition("=")
            if not equals or not key or key in pairs:
                raise self.error(f"{word!r} is not one more NAME=value")
            pairs[key] = value
        return pairs

    def command(self) -> List[str]:
        """Of ENTRYPOINT and CMD: a list in JSON, which no shell reads."""
        try:
            words = json.loads(self.text)
        except json.JSONDecodeError as error:
            raise self.error(f"not a list in JSON: {error}") from error
        if (not isinstance(words, list) or not words
                or not all(isinstance(word, str) for word in words)):
            raise self.error("not a list of strings in JSON")
        return words

    def mount(self) -> Optional[Dict[str, str]]:
        """Of RUN: what another stage lends it; from, source, target."""
        if "mount" not in self.flags:
            return None
        pairs = dict(part.partition("=")[::2]
                     for part in self.flags["mount"].split(","))
        if (set(pairs) != {"type", "from", "source", "target"}
                or pairs.pop("type") != "bind"):
            raise self.error("--mount is not type=bind,from=,source=,target=")
        return pairs


@dataclasses.dataclass
class Stage:
    base: str
    name: Optional[str]
    instructions: List[Instruction]

    def all(self, name: str) -> List[Instruction]:
        return [i for i in self.instructions if i.name == name]


def _logical_lines(text: str) -> List[Tuple[int, str]]:
    """(number, text) of each instruction; without comments and empty lines."""
    lines: List[Tuple[int, str]] = []
    started: Optional[int] = None
    parts: List[str] = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            if started is not None:
                raise DockerfileError(f"line {number}: empty, behind a backslash")
            continue
        if line.lstrip().startswith("#"):
            # "# syntax=" and the like name other parsers.
            if re.match(r"#\s*(syntax|escape|check)\s*=", line.lstrip()):
                raise DockerfileError(f"line {number}: no parser directives")
            continue
        if started is None:
            started = number
        parts.append(line)
        if not line.endswith("\\"):
            lines.append((started, "\n".join(parts)))
            started, parts = None, []
    if started is not None:
        raise DockerfileError(f"line {started}: ends with a backslash")
    return lines


def _instruction(number: int, text: str) -> Instruction:
    name, _, rest = text.partition(" ")
    if name not in INSTRUCTIONS:
        raise DockerfileError(f"line {number}: unknown instruction {name!r}")
    if name != "RUN":
        rest = rest.replace("\\\n", " ")
    instruction = Instruction(name, number, {}, rest.strip())
    while instruction.text.startswith("--"):
        flag = re.match(r"--([a-z]+)=(\S+)\s*(?:\\\n\s*)?", instruction.text)
        if (not flag or flag[1] not in FLAGS.get(name, ())
                or flag[1] in instruction.flags):
            raise instruction.error(f"unknown flag {instruction.text.split()[0]}")
        instruction.flags[flag[1]] = flag[2]
        instruction.text = instruction.text[flag.end():]
    if not instruction.text:
        raise instruction.error("has nothing behind it")
    if name in ("ENV", "LABEL"):
        instruction.pairs()
    elif name in ("CMD", "ENTRYPOINT"):
        instruction.command()
    elif name == "RUN":
        instruction.mount()
    elif name == "COPY" and len(instruction.words()) < 2:
        raise instruction.error("needs a source and a destination")
    elif name in ("USER", "WORKDIR") and len(instruction.words()) != 1:
        raise instruction.error("takes one word")
    return instruction


def parse(text: str) -> List[Stage]:
    stages: List[Stage] = []
    for number, line in _logical_lines(text):
        instruction = _instruction(number, line)
        if instruction.name == "FROM":
            match = re.fullmatch(r"(\S+)(?: AS ([a-z]+))?", instruction.text)
            if not match:
                raise instruction.error("is not BASE or BASE AS name")
            stages.append(Stage(match[1], match[2], []))
            continue
        if not stages:
            raise instruction.error("stands before FROM")
        lender = (instruction.mount() or instruction.flags).get("from")
        if lender is not None and lender not in [s.name for s in stages[:-1]]:
            raise instruction.error(f"no stage above is called {lender}")
        stages[-1].instructions.append(instruction)
    if not stages:
        raise DockerfileError("there is no FROM")
    return stages
