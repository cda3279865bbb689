# SPDX-License-Identifier: Apache-2.0
"""Copies runs without what weighs much: python store.py RUN ... INTO [--weights].

Kept are config, status, logged steps and scores. With --weights the last checkpoint comes along as
what the pictures need: its weights, rounded to 16 bits, and its step. Discriminators, which neither
code nor draw, are left out.
"""

import argparse
import sys
from pathlib import Path

import torch

PLAYERS = ("discriminator",)
KEPT = ("config.yaml", "status.json", "metrics.csv", "evaluations.csv", "metrics.json")


def store(run: Path, into: Path, *, weights: bool) -> Path:
    """Copies one run into the folder `into`; the folder it came from is called "runs" there."""
    copy = into / run.name
    copy.mkdir(parents=True)
    for name in KEPT:
        if (run / name).exists():
            text = (run / name).read_text(encoding="utf-8")
            (copy / name).write_text(text.replace(str(run.parent), "runs"), encoding="utf-8")
    if weights:
        file = run / "checkpoints" / "last.ckpt"
        checkpoint = torch.load(file, map_location="cpu", weights_only=True)
        state = {
            name: value.half() if value.is_floating_point() else value
            for name, value in checkpoint["state_dict"].items()
            if name.partition(".")[0] not in PLAYERS
        }
        (copy / "checkpoints").mkdir()
        small = {"state_dict": state, "global_step": checkpoint["global_step"]}
        small["left_out"] = list(PLAYERS)
        torch.save(small, copy / "checkpoints" / "last.ckpt")
    return copy


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "paths", nargs="+", type=Path, help="runs, and the folder to copy them into"
    )
    parser.add_argument("--weights", action="store_true")
    arguments = parser.parse_args()
    *chosen, target = arguments.paths
    for each in chosen:
        print(store(each, target, weights=arguments.weights), file=sys.stderr)
