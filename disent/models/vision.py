# SPDX-License-Identifier: Apache-2.0
"""A trained VAE that another model stands on: loaded from its run, and frozen."""

import os
from pathlib import Path

from disent.data.base import PictureDataset
from disent.models.vae import VAE
from disent.runs.run import Run

WANTED = "Name the folder of a VAE's finished run, such as --model.vision runs/NAME"


def load_vision(vision: str | os.PathLike[str] | VAE | None) -> VAE:
    """The frozen VAE of a run directory, or the one given.

    Raises:
        ValueError: There is no such run, or its model is no VAE with a diagonal posterior of the
            picture alone; in one line.
    """
    model = vision if isinstance(vision, VAE) else _model_of(vision)
    kind, told = type(model).__name__, None if isinstance(vision, VAE) else f"vision {vision}: "
    if not isinstance(model, VAE):
        raise ValueError(f"{told}it holds {kind}, which is no VAE. {WANTED}.")
    if model.posterior != "diagonal" or model.conditions:
        raise ValueError(
            f"{told or ''}its {kind} has a {model.posterior} posterior"
            f"{' that depends on factors' if model.conditions else ''}, but a diagonal one of the "
            f"picture alone is wanted. {WANTED}."
        )
    return model.train().requires_grad_(False)


def check_pictures(vision: str, dataset: PictureDataset) -> None:
    """Raises ValueError unless the run `vision` was trained on the pictures of `dataset`."""
    seen = Run.load(vision).dataset().fingerprint
    if seen != dataset.fingerprint:
        raise ValueError(
            f"vision {vision} was trained on other pictures ({seen}) than these "
            f"({dataset.fingerprint}): take a run of the same dataset, or its --data here."
        )


def _model_of(path: str | os.PathLike[str] | None) -> object:
    if not path:
        raise ValueError(f"no vision is given. {WANTED}.")
    try:
        return Run.load(path).model()
    except (ValueError, OSError) as error:
        here = (
            "" if Path(path).is_absolute() or Path(path).exists() else f", seen from {Path.cwd()}"
        )
        raise ValueError(
            f"vision {path}{here}, cannot be loaded: {error} If it has moved, say where it is: by "
            "--model.vision, or in the config.yaml of a run that stands on it."
        ) from error
