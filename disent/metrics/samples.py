# SPDX-License-Identifier: Apache-2.0
"""The draws of the field's protocol: train and test rows of a table of codes, with replacement."""

from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor

from disent.metrics.information import check_codes_and_factors


class Sample(NamedTuple):
    """Some rows of a table, drawn.

    Attributes:
        codes: Float[n, d].
        factors: Int[n, k], on the device of `codes`.
    """

    codes: Float[Tensor, "n d"]
    factors: Int[Tensor, "n k"]


def draw(
    codes: Float[Tensor, "n d"], factors: Int[Tensor, "n k"], *points: int, seed: int
) -> list[Sample]:
    """One sample for each of the numbers `points`, drawn uniformly with replacement.

    Rows of a whole grid are drawn as the reference draws its factors. From fewer rows than are
    drawn, the samples overlap: give the whole grid where there is one. The rows depend on the seed
    alone, not on the device.

    Raises:
        ValueError: Codes or factors are no tables of the same finite rows, a number of points is
            below 1, or the seed is below 0.
    Example:
        >>> codes, factors = torch.arange(6.0).view(3, 2), torch.arange(3).view(3, 1)
        >>> train, test = draw(codes, factors, 4, 2, seed=0)
        >>> train.codes.shape, test.factors.shape
        (torch.Size([4, 2]), torch.Size([2, 1]))
    """
    check_codes_and_factors(codes, factors)
    if seed < 0 or min(points) < 1:
        raise ValueError(
            f"got seed={seed} and {', '.join(map(str, points))} points. The seed must be at least "
            "0, the numbers at least 1; the field's are 10000 for training and 5000 for test."
        )
    generator, samples = torch.Generator().manual_seed(seed), []
    for count in points:
        rows = torch.randint(len(codes), (count,), generator=generator)
        chosen = factors[rows.to(factors.device)].to(codes.device)
        samples.append(Sample(codes[rows.to(codes.device)], chosen))
    return samples


def varying(factors: Int[Tensor, "n k"]) -> Int[Tensor, "v"]:
    """The columns with more than one value; raises ValueError if there is none.

    Example:
        >>> varying(torch.tensor([[0, 3], [1, 3]]))
        tensor([0])
    """
    columns = (factors != factors[:1]).any(0).nonzero().flatten()
    if not len(columns):
        raise ValueError(
            f"each of the {factors.shape[1]} factors has only one value in the {len(factors)} rows "
            "given. A score needs a factor that varies: give more images."
        )
    return columns
