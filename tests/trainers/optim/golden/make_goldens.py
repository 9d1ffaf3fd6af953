"""Writes adamw.txt beside this script: ten steps of torch.optim.AdamW.

    python make_goldens.py

"NAME v0 v1 ..." a line: the parameters after each step, in float64. Values and
gradients are uniform()'s. "weight" is decayed, "bias" is not, and "rare" has a
gradient in every third step alone.
"""

import pathlib
import sys

import torch

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE.parents[2] / "models" / "golden"))
from formula import uniform  # pylint: disable=wrong-import-position

SHAPES = {"weight": (2, 3), "bias": (4,), "rare": (2,)}


def main():
    parameters = {name: torch.nn.Parameter(uniform(name, shape) - 0.5)
                  for name, shape in SHAPES.items()}
    optimizer = torch.optim.AdamW(
        [{"params": [parameters["weight"], parameters["rare"]],
          "weight_decay": 0.3},
         {"params": [parameters["bias"]], "weight_decay": 0}],
        betas=(0.8, 0.95))
    with open(HERE / "adamw.txt", "w", encoding="utf-8") as out:
        for step in range(10):
            for group in optimizer.param_groups:
                group["lr"] = 0.1 / (1 + step)
            optimizer.zero_grad()
            for name, parameter in parameters.items():
                if name != "rare" or step % 3 == 0:
                    gradient = uniform(f"{name} {step}", SHAPES[name]) - 0.5
                    parameter.grad = gradient
            optimizer.step()
            for name, parameter in parameters.items():
                print(name, *map(repr, parameter.flatten().tolist()), file=out)


if __name__ == "__main__":
    main()
