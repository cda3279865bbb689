# SPDX-License-Identifier: Apache-2.0
"""From a run directory back to its model, trained or as it began."""

import os
from pickle import UnpicklingError
from typing import Any

import torch

from disent.models.vae import VAE
from disent.runs.build import build
from disent.runs.directory import RunDir


def load_run(path: str | os.PathLike[str], *, best: bool = False) -> VAE:
    """The trained model of a run, in eval mode, on the CPU.

    Args:
        path: The run directory.
        best: Take best.ckpt (highest mean elbo) instead of last.ckpt.
    Raises:
        FileNotFoundError: The run has no config or no checkpoint.
        ValueError: The checkpoint does not fit the config.
    """
    run = RunDir(path)
    model = load_untrained(path)
    checkpoint = _load_checkpoint(run, best)
    try:
        model.load_state_dict(checkpoint["state_dict"])
    except (RuntimeError, KeyError) as error:
        raise ValueError(
            f"the checkpoint does not fit the model of {run.config}: {error}. "
            "One of the two was changed after training: restore it, or train again."
        ) from None
    return model.eval()


def load_untrained(path: str | os.PathLike[str]) -> VAE:
    """The model of a run with the weights that it had at step 0, in eval mode, on the CPU."""
    return build(RunDir(path), "model", VAE).eval()


def load_step(path: str | os.PathLike[str], *, best: bool = False) -> int:
    """How many steps the checkpoint of a run had been trained for; ValueError if it is none."""
    run = RunDir(path)
    checkpoint = _load_checkpoint(run, best)
    try:
        return int(checkpoint["global_step"])
    except (LookupError, TypeError):
        raise ValueError(f"{run.best if best else run.last} is no checkpoint of a run.") from None


def _load_checkpoint(run: RunDir, best: bool) -> dict[str, Any]:
    file = run.best if best else run.last
    if not file.exists():
        raise FileNotFoundError(
            f"{file} does not exist, so there is no trained model in {run.path}. "
            "Start or resume the run with the `disent fit` command that made it."
        )
    try:
        return torch.load(file, map_location="cpu", weights_only=True)
    except (EOFError, RuntimeError, UnpicklingError, LookupError, ValueError) as error:
        raise ValueError(
            f"{file} is damaged: {error}. Take --best, or train again from an earlier copy."
        ) from None
