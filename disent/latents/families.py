# SPDX-License-Identifier: Apache-2.0
"""Pictures that only some families have: what a model offers decides which are drawn."""

from typing import Any

from matplotlib.figure import Figure

from disent.data.base import PictureDataset
from disent.figures.animation import Animation
from disent.latents.conditions import condition_pictures
from disent.latents.levels import level_pictures
from disent.latents.plane import plane_pictures
from disent.latents.symbols import symbol_pictures
from disent.latents.tiles import tile_pictures


def family_pictures(
    model: Any, dataset: PictureDataset, seed: int
) -> dict[str, Figure | Animation]:
    """Figures and animations by file stem, of a model in eval mode; none for an ordinary VAE.

    Args:
        model: What to draw.
        dataset: Where its pictures come from.
        seed: Of whatever is drawn at random.
    """
    drawn: dict[str, Figure | Animation] = {}
    if getattr(model, "conditions", ()):
        drawn |= condition_pictures(model, dataset, seed)
    if hasattr(model, "imagine"):
        drawn |= symbol_pictures(model, dataset, seed)
    if hasattr(model, "ladder"):
        drawn |= level_pictures(model, seed)
    drawn |= tile_pictures(model, dataset, seed)
    drawn |= plane_pictures(model, dataset, seed)
    return drawn
