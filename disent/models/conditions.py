# SPDX-License-Identifier: Apache-2.0
"""What a model may depend on besides the picture: factors or labels, as one-hot numbers."""

from collections.abc import Sequence
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor


def columns_of(wanted: Sequence[str] | str | None, names: Sequence[str]) -> tuple[int, ...]:
    """The columns of the named factors, in the order of the dataset; None: all.

    Args:
        wanted: Names, or one text of them with commas between.
        names: Of the dataset's factors or labels.

    Raises:
        ValueError: A name is none of the dataset's, or the dataset has none at all.
    """
    if not names:
        raise ValueError(
            "this dataset has no factors or labels to depend on: take one that has, such as "
            "Digits or DSprites, or a model without conditions."
        )
    if isinstance(wanted, str):
        wanted = [name.strip() for name in wanted.split(",") if name.strip()]
    unknown = sorted(set(wanted or ()) - set(names))
    if unknown or (wanted is not None and not wanted):
        raise ValueError(
            f"got conditions {', '.join(unknown) or '(an empty list)'}, but the dataset has "
            f"{', '.join(names)}. Name some of these, or leave conditions out to take all."
        )
    return tuple(k for k, name in enumerate(names) if wanted is None or name in wanted)


def one_hot(
    factors: Int[Tensor, "b k"] | None, columns: Sequence[int], sizes: Sequence[int], rows: int
) -> Float[Tensor, "b n"]:
    """The chosen columns, a block of ones and zeros each, side by side.

    Args:
        factors: Values counted from 0; -1, whose block is zeros, where one is not known; None
            where none is.
        columns: Which of them.
        sizes: How many values each of all K factors takes.
        rows: How many rows there are where nothing is known.
    Example:
        >>> one_hot(torch.tensor([[2, 5], [-1, 5]]), [0], [3, 9], 2)
        tensor([[0., 0., 1.],
                [0., 0., 0.]])
    """
    if factors is None:
        return torch.zeros(rows, sum(sizes[k] for k in columns))
    blocks = [factors[:, k, None] == torch.arange(sizes[k], device=factors.device) for k in columns]
    return torch.cat(blocks, 1).float()


class Given:
    """A model whose condition is held: it encodes, decodes and draws like one that has none.

    The model takes factors as the last argument of `encode` and `decode`; all else is its own, and
    follows from these two.

    Args:
        model: With `conditions`.
        factors: One row for every picture of a batch, or one for all; None: nothing is known.
    """

    def __init__(self, model: Any, factors: Int[Tensor, "b k"] | None) -> None:
        self.model, self.factors = model, factors

    def __getattr__(self, name: str) -> Any:
        return getattr(self.model, name)

    def rows(self, pictures: int) -> Int[Tensor, "b k"] | None:
        """The factors of so many pictures."""
        # by shape, not by len: a program is made of this, for any number of rows
        if self.factors is None or self.factors.shape[0] == pictures:
            return self.factors
        if len(self.factors) != 1:
            raise ValueError(
                f"the factors of {len(self.factors)} pictures are given, but {pictures} came."
            )
        return self.factors.expand(pictures, -1)

    def encode(self, x: Float[Tensor, "b c h w"]) -> Any:
        return self.model.encode(x, self.rows(x.shape[0]))

    def decode(self, z: Float[Tensor, "b d"]) -> Tensor:
        return self.model.decode(z, self.rows(z.shape[0]))

    def picture(self, z: Float[Tensor, "b d"]) -> Float[Tensor, "b c h w"]:
        return type(self.model).picture(self, z)

    def distortion(self, x: Float[Tensor, "b c h w"], z: Float[Tensor, "b d"]) -> Any:
        return type(self.model).distortion(self, x, z)

    def reconstruct(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
        return type(self.model).reconstruct(self, x)

    def sample(self, n: int, **drawn: Any) -> Float[Tensor, "n c h w"]:
        return type(self.model).sample(self, n, **drawn)
