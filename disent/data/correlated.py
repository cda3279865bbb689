# SPDX-License-Identifier: Apache-2.0
"""Two factors that go together in training: weights over the grid, and draws that follow them."""

import difflib
import math
import re

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from disent.data.base import FactorDataset, PictureDataset
from disent.grid import FactorGrid

FORM = re.compile(r"([^~:]+)~([^~:]+):([^~:]+)")
EXAMPLE = '"pos_x ~ pos_y : 0.2"'


def correlation_weights(grid: FactorGrid, text: str) -> Float[Tensor, "n"]:
    """How likely each point of the grid is, by flat index, where two factors lie about a line.

    With c_1 and c_2 the values of the two factors, each scaled to run from 0 to 1,

        p(c_1, c_2) proportional to exp(-(c_1 - c_2)^2 / (2 sigma^2)),

    and every other factor uniform and independent. Träuble et al. write c_1 - alpha c_2 with
    unscaled values and alpha the ratio of their ranges, which is the same; sigma is a share of the
    range, and smaller is stronger: 0.2, 0.4 and 0.7 are usual. Other code draws a blurred line of
    that width instead, which is another density. A cyclic factor is cut where its
    values begin, and one of kinds, such as shape, is taken in the order of its values.

    Args:
        grid: The factors and their values.
        text: "FACTOR ~ FACTOR : SIGMA", as "pos_x ~ pos_y : 0.2".
    Returns:
        float64 that sums to 1.
    Raises:
        ValueError: The text says something else, or names no two factors that vary.
    References:
        Träuble et al. (2021), "On Disentangled Representations Learned From Correlated Data",
        https://arxiv.org/abs/2006.07886.
    Example:
        >>> weights = correlation_weights(FactorGrid(("a", "b"), (2, 2)), "a ~ b : 0.5")
        >>> (weights / weights[0]).log().tolist()
        [0.0, -2.0, -2.0, 0.0]
    """
    one, other, sigma = _parsed(grid, text)
    scaled = [
        grid.all_factors()[:, k].double() / (grid.sizes[k] - 1)
        for k in (grid.names.index(one), grid.names.index(other))
    ]
    weights = (-((scaled[0] - scaled[1]) ** 2) / (2 * sigma**2)).exp()
    return weights / weights.sum()


def picture_weights(dataset: PictureDataset, text: str) -> Float[Tensor, "n"]:
    """The same of the pictures of a dataset, which must be a whole grid."""
    if not isinstance(dataset, FactorDataset):
        raise ValueError(
            f"correlated is {text!r}, but {type(dataset).__name__} is no whole grid of factors: "
            "take DSprites, or leave correlated away."
        )
    return correlation_weights(dataset.grid, text)


def _parsed(grid: FactorGrid, text: str) -> tuple[str, str, float]:
    match = FORM.fullmatch(text)
    if match is None:
        raise ValueError(
            f"correlated is {text!r}, but FACTOR ~ FACTOR : SIGMA is wanted: {EXAMPLE}."
        )
    *names, told = (part.strip() for part in match.groups())
    for name in names:
        if name not in grid.names:
            near = difflib.get_close_matches(name, grid.names, n=1)
            guess = f"Did you mean {near[0]}? " if near else ""
            raise ValueError(
                f"correlated is {text!r}, but no factor is named {name}. {guess}"
                f"The factors: {', '.join(grid.names)}."
            )
        if grid.sizes[grid.names.index(name)] < 2:
            raise ValueError(f"correlated is {text!r}, but {name} has one value: it cannot vary.")
    if names[0] == names[1]:
        raise ValueError(
            f"correlated is {text!r}, but two different factors are wanted: {EXAMPLE}."
        )
    try:
        sigma = float(told)
    except ValueError:
        sigma = math.nan
    if not (0 < sigma < math.inf):
        raise ValueError(
            f"correlated is {text!r}, but sigma must be a number above 0, a share of the factors' "
            "range: 0.2 is strong, 0.7 weak."
        )
    return names[0], names[1], sigma


class WeightedDraw:
    """Draws places of a list by their weights: the inverse of the cumulative sum, in float64.

    Args:
        weights: At least 0, of any sum above 0. A place of weight 0 is never drawn.
    Example:
        >>> draw = WeightedDraw(torch.tensor([0.0, 1.0, 3.0, 0.0]))
        >>> draw(np.array([0.0, 0.24, 0.25, 0.9999999999999999])).tolist()
        [1, 1, 2, 2]
    """

    def __init__(self, weights: Float[Tensor, "n"]) -> None:
        cumulative = np.cumsum(weights.double().cpu().numpy())
        if not len(cumulative) or not 0 < cumulative[-1] < math.inf:
            raise ValueError(
                "every picture that may be drawn has weight 0: hold out fewer combinations of "
                "factors, or take a larger sigma."
            )
        self._cumulative = cumulative
        self._last = int(weights.nonzero().max())

    def __call__(self, uniform: np.ndarray) -> Int[Tensor, "b"]:
        """The place that each number of [0, 1) stands for, int64."""
        found = np.searchsorted(self._cumulative, uniform * self._cumulative[-1], side="right")
        return torch.from_numpy(np.minimum(found, self._last))
