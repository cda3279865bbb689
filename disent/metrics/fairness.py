# SPDX-License-Identifier: Apache-2.0
"""Fairness: how far predictions of one factor follow another that they should not see."""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from disent.checks import check_finite, check_whole_grid
from disent.grid import FactorGrid
from disent.metrics.arrays import takes_arrays
from disent.metrics.solvers.boosting import boost


@takes_arrays
def fairness(
    codes: Float[Tensor, "n d"],
    grid: FactorGrid,
    *,
    seed: int = 0,
    train: int = 10_000,
    points: int = 100,
) -> Float[Tensor, ""]:
    """How far predictions of a factor depend on another one; 0 is fair and best, 1 is worst.

    Boosted trees learn each factor from the codes of `train` pictures. For each other factor, the
    sensitive one, `points` pictures are drawn, and set to each of its values in turn while all else
    stays: the distribution of the predictions given a value is compared with that over all values
    by total variation distance, 1/2 sum |p - q|. The score is the mean over values, then over all
    ordered pairs of factors, the mean of Locatello et al.; they also report the largest.

    A code that tells nothing is fair, since it predicts always the same: read it beside the
    accuracy of `dci` or `downstream`. The trees are those of `dci`, with codes cut into 64
    bins, in place of scikit-learn's GradientBoostingClassifier; and the pictures of a sensitive
    factor are the same for all that are predicted, where the reference draws them anew.

    Draws are with replacement and come from the seed alone. Factors of size 1 are left out (the
    reference counts them: as sensitive ones they are fair to all).

    Args:
        codes: One latent vector per point of the grid, by flat index, usually posterior means.
        grid: The factors and their values.
        seed: Of the draws, >= 0.
        train: Pictures the trees learn from.
        points: Pictures that are set to each value of a sensitive factor.
    Returns:
        float64 scalar on the device of `codes`.
    Raises:
        ValueError: Codes that are not of the whole grid or not finite, fewer than two factors that
            vary, or numbers out of range.
    References:
        Locatello et al. (2019), "On the Fairness of Disentangled Representations", section 4,
        https://arxiv.org/abs/1905.13662.
    Example:
        >>> grid = FactorGrid(names=("shape", "scale"), sizes=(3, 4))
        >>> fairness(grid.all_factors().float(), grid, train=500, points=20)
        tensor(0., dtype=torch.float64)
    """
    check_whole_grid(codes, len(grid))
    check_finite(codes)
    pairs = unfairness_of_pairs(codes, grid, seed=seed, train=train, points=points)
    return pairs.nanmean()


def unfairness_of_pairs(
    codes: Float[Tensor, "n d"], grid: FactorGrid, *, seed: int, train: int, points: int
) -> Float[Tensor, "v v"]:
    """The distance of each predicted factor (row) and sensitive one (column) of those that vary.

    nan on the diagonal.
    """
    chosen = [k for k, size in enumerate(grid.sizes) if size > 1]
    if len(chosen) < 2:
        raise ValueError(
            f"factors of sizes {grid.sizes} came, but at least two that vary are wanted: one to "
            "predict and one to be blind to."
        )
    if seed < 0 or train < 1 or points < 1:
        raise ValueError(
            f"got seed={seed}, train={train}, points={points}. The seed must be at least 0, the "
            "numbers at least 1; the field's are 10,000 and 100."
        )
    generator = torch.Generator().manual_seed(seed)
    learnt = torch.randint(len(grid), (train,), generator=generator)
    sets = [_every_value(grid, k, points, generator) for k in chosen]
    judged = codes[torch.cat(sets).to(codes.device)]
    factors = grid.factors(learnt)[:, chosen].to(codes.device)
    predicted = boost(codes[learnt.to(codes.device)], factors, judged).test
    found = torch.full((len(chosen),) * 2, torch.nan, dtype=torch.float64, device=codes.device)
    for column, part in enumerate(predicted.split([len(s) for s in sets])):
        for row, k in enumerate(chosen):
            if row != column:
                values = part[:, row].view(-1, points)
                found[row, column] = mean_total_variation(values, grid.sizes[k])
    return found


def mean_total_variation(predicted: Int[Tensor, "g p"], values: int) -> Float[Tensor, ""]:
    """Mean distance of the distribution of each group's predictions from that of all; [0, 1].

    Args:
        predicted: Values from 0 to `values` - 1, a row a group.
        values: How many there are.
    Example:
        >>> mean_total_variation(torch.tensor([[0, 0], [1, 1]]), values=2)
        tensor(0.5000, dtype=torch.float64)
    """
    counts = torch.nn.functional.one_hot(predicted, values).sum(1)
    groups, points = predicted.shape
    # in whole numbers, so that equal distributions are exactly 0 apart
    apart = (groups * counts - counts.sum(0)).abs().sum()
    return apart.double() / (2 * groups * groups * points)


def _every_value(
    grid: FactorGrid, k: int, points: int, generator: torch.Generator
) -> Int[Tensor, "g"]:
    """Drawn points of the grid with factor k set to each of its values, value by value."""
    drawn = grid.factors(torch.randint(len(grid), (points,), generator=generator))
    factors = drawn.repeat(grid.sizes[k], 1)
    factors[:, k] = torch.arange(grid.sizes[k]).repeat_interleave(points)
    return grid.index(factors)
