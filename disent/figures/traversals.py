# SPDX-License-Identifier: Apache-2.0
"""Latent traversals: what the decoder draws when one latent moves and the others stay."""

from collections.abc import Sequence

from jaxtyping import Float
from matplotlib.figure import Figure
from torch import Tensor

from disent.figures.grids import image_grid


def traversals(
    images: Float[Tensor, "rows columns c h w"],
    *,
    values: Float[Tensor, "columns"],
    labels: Sequence[str],
    note: str = "",
) -> Figure:
    """One latent a row, one value of it a column (Higgins et al., 2017, figure 2).

    Args:
        images: Decoded pictures in [0, 1].
        values: The value given to the row's latent, in standard deviations of the prior N(0, 1).
        labels: One a row: which latent, and what is known of it.
        note: Below the pictures: where the other latents stay.
    Raises:
        ValueError: If values or labels do not fit the pictures, or the pictures are not in [0, 1].
    """
    if values.ndim != 1 or images.ndim != 5 or len(values) != images.shape[1]:
        raise ValueError(
            f"got values of shape {list(values.shape)} for images of shape {list(images.shape)}. "
            "Give one value a column; images is [latents, values, channels, height, width]."
        )
    if len(labels) != len(images):
        raise ValueError(f"got {len(labels)} labels for {len(images)} rows. Give one label a row.")
    low, high = (_signed(float(value)) for value in (values.min(), values.max()))
    return image_grid(
        images,
        row_labels=labels,
        column_labels=[_signed(float(value)) for value in values],
        title=f"Latent traversals: each row moves one latent from {low} to {high} "
        "standard deviations of the prior",
        note=note,
    )


def _signed(value: float) -> str:
    """Three digits, a sign on both sides of 0, and no negative zero."""
    text = f"{value:+.3g}".replace("-", "\N{MINUS SIGN}")
    return "0" if abs(value) < 5e-4 else text
