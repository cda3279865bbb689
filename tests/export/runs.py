# SPDX-License-Identifier: Apache-2.0
"""Runs as training leaves them, of models that were not trained: their weights are the first."""

from pathlib import Path

import torch
import yaml

from disent.runs import Run, RunDir

FACTS = {"factor_names": ["size", "pos_x", "pos_y"], "factor_sizes": [2, 8, 8]}
LINEAR = {"class_path": "disent.networks.Linear"}


def write_run(folder: Path, kind: str, **given) -> Run:
    """A run of a model of the suite on the tests' squares."""
    run = RunDir(folder)
    config = {
        "model": {"class_path": f"disent.models.{kind}", "init_args": given},
        "data": {"class_path": "tests.tiny.Squares"},
        "loader": {"batch_size": 8, "sampling": "iid", "held_out": "size == 1"},
        "trainer": {"max_steps": 60, "precision": None, "devices": 1},
        "seed_everything": 3,
        "provenance": {
            "command": ["disent", "fit", "--loader.held_out", "size == 1"],
            "disent": "0.1.0", "platform": "Linux", "torch": "2.13.0",
        },
    }  # fmt: skip
    run.last.parent.mkdir(parents=True)
    run.config.write_text(yaml.safe_dump(config))
    found = Run.load(folder)
    weights = found.untrained().state_dict()
    torch.save({"state_dict": weights, "global_step": 60}, run.last)
    return found
