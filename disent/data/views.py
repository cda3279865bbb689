# SPDX-License-Identifier: Apache-2.0
"""The second pictures of a step, for models that ask for two views; pure index arithmetic."""

from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from disent.data.base import FactorDataset, PictureDataset
from disent.data.correlated import WeightedDraw
from disent.grid import FactorGrid
from disent.streams import Stream

SECOND = ("independent", "paired")
TRIES = 100  # partners that are drawn where the first ones are held out


class SecondView:
    """Which pictures go with those of a batch: a function of (seed, position, batch).

    "independent": as many pictures, drawn apart from the batch. "paired": for each picture one
    that differs from it in some factors alone, whose values are drawn anew (Locatello et al., 2020,
    "Weakly-Supervised Disentanglement Without Compromises", section 5,
    https://arxiv.org/abs/2002.02886).

    Args:
        kind: One of SECOND.
        dataset: Where the pictures are from; for pairs a whole grid.
        index: Which of its pictures may be drawn, ascending.
        seed: Of the draws.
        changed: Factors in which a pair differs, at most; None: a number from 1 to K - 1, drawn for
            each pair.
        weights: How likely each of `index` is, for "independent"; None: all alike. The new values
            of a pair are uniform either way: a change of these factors alone.
    """

    def __init__(
        self,
        kind: str,
        dataset: PictureDataset,
        index: Int[Tensor, "n"],
        seed: int,
        changed: int | None = 1,
        weights: Float[Tensor, "n"] | None = None,
    ) -> None:
        if kind not in SECOND:
            raise ValueError(f"the second view is {kind!r}, but one of {', '.join(SECOND)} exists.")
        self.kind, self.index, self.changed = kind, index, changed
        self._stream = Stream(seed, f"{kind} batches")
        self._weighted = None if weights is None else WeightedDraw(weights)
        if kind == "paired":
            self.grid = _grid_of(dataset, changed)
            self.allowed = torch.zeros(len(self.grid), dtype=torch.bool)
            self.allowed[index] = True

    def __call__(self, position: int, own: Int[Tensor, "b"]) -> Int[Tensor, "b"]:
        """Flat indices of the second pictures of the batch `own` at `position`, on the CPU."""
        if self.kind == "independent" and self._weighted is not None:
            return self.index[self._weighted(self._stream.at(position).random(len(own)))]
        if self.kind == "independent":
            return self.index[self._stream.integers(position, len(self.index), len(own))]
        return paired(self.grid, own, self._stream.at(position), self.changed, self.allowed)


def paired(
    grid: FactorGrid,
    own: Int[Tensor, "b"],
    generator: np.random.Generator,
    changed: int | None,
    allowed: Bool[Tensor, "n"],
) -> Int[Tensor, "b"]:
    """For each picture one with the same factors but for `changed`, which are drawn anew.

    Which factors these are is drawn for each pair. A partner that is not allowed is drawn again.

    Raises:
        ValueError: A picture has no partner that is allowed, as far as TRIES draws can tell.
    """
    factors, k, n = grid.factors(own).numpy(), len(grid.sizes), len(own)
    partners, left = np.zeros(n, np.int64), np.ones(n, bool)
    for _ in range(TRIES):
        many = generator.integers(1, max(k, 2), n) if changed is None else np.full(n, changed)
        drawn = generator.random((n, k)).argsort(1).argsort(1) < many[:, None]
        anew = generator.integers(0, np.array(grid.sizes), (n, k))
        found = grid.index(torch.from_numpy(np.where(drawn, anew, factors)))
        good = left & allowed[found].numpy()
        partners[good] = found.numpy()[good]
        left &= ~good
        if not left.any():
            return torch.from_numpy(partners)
    raise ValueError(
        f"picture {int(own[int(left.argmax())])} has no partner that may be trained on, in {TRIES} "
        "draws: hold out fewer combinations of factors."
    )


def _grid_of(dataset: Any, changed: int | None) -> FactorGrid:
    if not isinstance(dataset, FactorDataset):
        raise ValueError(
            f"pairs of pictures that share factors want a whole grid of factors, but "
            f"{type(dataset).__name__} is none: take DSprites, or a model that needs no pairs."
        )
    if changed is not None and not 1 <= changed <= len(dataset.grid.sizes):
        raise ValueError(
            f"pairs are to differ in {changed} factors, but there are {len(dataset.grid.sizes)}."
        )
    return dataset.grid
