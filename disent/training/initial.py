# SPDX-License-Identifier: Apache-2.0
"""The weights of another run as the start of a new one."""

import hashlib
from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn

from disent.runs.run import Run

SHOWN = 3  # names in a message


def start_from(model: nn.Module, source: str) -> dict[str, Any]:
    """Gives a model the weights of a run's last checkpoint.

    Args:
        model: Of the same shapes; changed in place.
        source: The folder of a run.
    Returns:
        What is kept of it: `path`, `step`, and `sha256` of the weights.
    Raises:
        FileNotFoundError: There is no run, or it has no checkpoint.
        ValueError: Its weights are not those of such a model.
    """
    run = Run.load(source)
    weights = run.weights(model)
    if wrong := _misfits(model.state_dict(), weights):
        more = f" and {len(wrong) - SHOWN} more" if len(wrong) > SHOWN else ""
        raise ValueError(
            f"--init_from {source}: its weights do not fit this model: "
            f"{'; '.join(wrong[:SHOWN])}{more}. Take the model, network and number of latents of "
            f"{run.directory.config}."
        )
    model.load_state_dict(weights)
    return {"path": str(run.path.resolve()), "step": run.step(), "sha256": digest(weights)}


def digest(weights: Mapping[str, Tensor]) -> str:
    """SHA-256 of names and values."""
    hashed = hashlib.sha256()
    for name, value in sorted(weights.items()):
        hashed.update(name.encode())
        hashed.update(value.detach().cpu().contiguous().numpy().tobytes())
    return hashed.hexdigest()


def _misfits(wanted: Mapping[str, Tensor], given: Mapping[str, Tensor]) -> list[str]:
    """What keeps weights from fitting, each in words."""
    wrong = [f"{name} is missing" for name in wanted if name not in given]
    wrong += [f"{name} is no weight of it" for name in given if name not in wanted]
    shared = [name for name in wanted if name in given]
    shapes = [(name, list(given[name].shape), list(wanted[name].shape)) for name in shared]
    return wrong + [f"{name} has shape {a}, but {b} is wanted" for name, a, b in shapes if a != b]
