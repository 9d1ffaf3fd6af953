"""Every piece of Python in the documentation runs, and prints what it says."""

import os
import pathlib
import re

import pytest
import torch

from tests.bindings import run_pytest

ROOT = pathlib.Path(os.environ["TEST_SRCDIR"], "gsg")
FILES = ("docs/python.md", "bindings/README.md", "README.md")


def snippets():
    for file in FILES:
        text = (ROOT / file).read_text(encoding="utf-8")
        for match in re.finditer(r"^```python\n(.*?)^```$", text,
                                 re.DOTALL | re.MULTILINE):
            line = text[:match.start()].count("\n") + 1
            yield pytest.param(match.group(1), id=f"{file}:{line}")


@pytest.mark.parametrize("code", snippets())
def test_snippet(code, capsys):
    torch.manual_seed(0)
    # The README's piece is the middle of a training step.
    p1, p2 = (x.requires_grad_() for x in torch.randn(2, 64, 32))
    z1, z2 = torch.randn(2, 64, 32)
    exec(compile(code, "snippet", "exec"),
         {"p1": p1, "p2": p2, "z1": z1, "z2": z2, "step": 0})
    printed = capsys.readouterr().out.splitlines()
    # A print whose result is written behind it.
    assert printed.count("True") == code.count("# True")


def test_there_are_snippets():
    counts = [sum(p.id.startswith(file) for p in snippets()) for file in FILES]
    assert counts == [5, 2, 1]


if __name__ == "__main__":
    run_pytest.main(__file__)
