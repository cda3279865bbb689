# SPDX-License-Identifier: Apache-2.0
"""What a condition does: the style of a picture held while the label that is asked for changes."""

from collections.abc import Sequence
from typing import Any

import torch
from matplotlib.figure import Figure

from disent import figures
from disent.data.base import PictureDataset
from disent.encoding import encoder_of
from disent.streams import Stream

STYLES, VALUES = 8, 12  # rows and, at most, values of a factor


def condition_pictures(model: Any, dataset: PictureDataset, seed: int) -> dict[str, Figure]:
    """One figure for each condition of a model, by file stem.

    Each row keeps the code of a picture, the first of the row, and its other factors; each column
    asks for another value of one factor, evenly spread where there are many.

    Args:
        model: In eval mode, with `conditions`.
        dataset: Whose factors these are.
        seed: Of the pictures drawn.
    """
    chosen = Stream(seed, "styles").integers(0, len(dataset), STYLES)
    factors = dataset.factors(chosen)
    assert factors is not None, "a model with conditions is trained on labels"
    x = dataset.batch(chosen.to(model.device))
    codes = encoder_of(model, dataset, chosen).encode(x).mean
    drawn = {}
    for column in model.conditions:
        values = _values(model.factor_sizes[column])
        asked = factors.repeat_interleave(len(values), 0)
        asked[:, column] = torch.tensor(values).repeat(STYLES)
        pictures = model.given(asked.to(model.device)).picture(
            codes.repeat_interleave(len(values), 0)
        )
        rows = torch.cat([x[:, None], pictures.unflatten(0, (STYLES, -1))], 1)
        name = dataset.names[column]
        drawn[f"condition_{name}"] = figures.image_grid(
            rows,
            column_labels=["picture", *(str(value) for value in values)],
            title=f"One style a row, asked for with {name} {values[0]} to {values[-1]}",
            note=f"{STYLES} random pictures (seed {seed}) at the left; beside each, its code "
            f"decoded with every value of {name}, its other conditions held.",
        )
    return drawn


def _values(size: int) -> Sequence[int]:
    """The values shown of so many."""
    if size <= VALUES:
        return range(size)
    return [round(i * (size - 1) / (VALUES - 1)) for i in range(VALUES)]
