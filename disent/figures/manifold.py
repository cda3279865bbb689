# SPDX-License-Identifier: Apache-2.0
"""The learned manifold of two latents: what the decoder draws over the quantiles of the prior."""

import torch
from jaxtyping import Float
from matplotlib.figure import Figure
from torch import Tensor

from disent.figures.grids import image_grid


def gaussian_quantiles(n: int) -> Float[Tensor, "n"]:
    """Values of N(0, 1) that stand for `n` parts of equal probability, ascending, float32.

    The probabilities (i + 0.5) / n, i = 0 .. n-1, through the inverse of the normal distribution
    function: the middle, by probability, of each part.

    Example:
        >>> gaussian_quantiles(2)
        tensor([-0.6745,  0.6745])
    """
    if n < 1:
        raise ValueError(f"n must be >= 1, got {n}. 10 is usual.")
    return torch.special.ndtri((torch.arange(n, dtype=torch.float64) + 0.5) / n).float()


def manifold(
    images: Float[Tensor, "n n c h w"],
    *,
    quantiles: Float[Tensor, "n"],
    latents: tuple[int, int],
    note: str = "",
) -> Figure:
    """Decoded pictures over a plane of two latents, in steps of equal probability of the prior.

    The first latent grows to the right and the second downwards. Ten steps fill the width of a
    page with text that stays readable.

    Args:
        images: Decoded pictures in [0, 1]; row i has the second latent at `quantiles[i]`, column
            j the first at `quantiles[j]`.
        quantiles: The values of both latents, ascending, as `gaussian_quantiles` makes them.
        latents: Which two: to the right, downwards.
        note: Below the pictures: where the other latents stay.
    Raises:
        ValueError: The quantiles do not fit the pictures or do not grow, the two latents are one,
            or the pictures are not in [0, 1].
    References:
        Kingma & Welling (2014), "Auto-encoding variational Bayes", appendix A, figure 4,
        https://arxiv.org/abs/1312.6114.
    """
    shape, wanted = list(images.shape), [*quantiles.shape] * 2
    if quantiles.ndim != 1 or shape[:2] != wanted:
        raise ValueError(
            f"got quantiles of shape {list(quantiles.shape)} for images of shape {shape}. Give as "
            "many rows and as many columns as quantiles: [n, n, channels, height, width]."
        )
    if not bool((quantiles.diff() > 0).all()):
        raise ValueError(
            f"quantiles is {[round(float(value), 3) for value in quantiles]}, but ascending values "
            "are wanted: gaussian_quantiles(n) gives them."
        )
    across, down = latents
    if across == down:
        raise ValueError(f"both latents are z{across}. Give two that differ: a plane is drawn.")
    values = [_signed(float(value)) for value in quantiles]
    return image_grid(
        images,
        row_labels=values,
        column_labels=values,
        title=f"Manifold of z{across} (to the right) and z{down} (downwards), "
        "at equal steps of the prior's probability",
        note=note,
    )


def _signed(value: float) -> str:
    """Two digits after the point, a sign on both sides of 0, and no negative zero."""
    text = f"{value:+.2f}".replace("-", "\N{MINUS SIGN}")
    return "0" if abs(value) < 5e-3 else text
