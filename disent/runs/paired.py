# SPDX-License-Identifier: Apache-2.0
"""Two models compared seed by seed: what their difference is, and what these seeds could tell."""

import math
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy import stats

from disent.runs.columns import check_columns
from disent.runs.statistics import mean_interval
from disent.runs.variance import minimal_detectable_difference, seeds_needed


class Comparison(NamedTuple):
    """The first model minus the second, over the seeds that both have.

    Attributes:
        difference: Mean of the differences.
        low: Lower end of its bootstrap interval; NaN of fewer than two seeds.
        high: Upper end.
        n: How many seeds.
        std: Standard deviation of the differences over seeds.
        p: Of the two-sided paired t test: how often a difference as large in standard errors comes
            up where there is none. NaN where all differences are equal.
        detectable: The smallest difference that n seeds find with the power asked for; NaN of one.
        seeds_needed: Seeds that find a difference of the size found here with that power; None
            where it is 0, or does not vary over seeds.
    """

    difference: float
    low: float
    high: float
    n: int
    std: float
    p: float
    detectable: float
    seeds_needed: int | None


def compare_pair(
    first: ArrayLike,
    second: ArrayLike,
    *,
    level: float = 0.95,
    power: float = 0.8,
    seed: int = 0,
) -> Comparison:
    """The difference of two models' scores, paired by seed, and the power to tell it.

    Seeds are resampled whole, so that what a seed does to both models (the same initial weights,
    the same order of pictures) cancels; where it does nothing, pairing costs half of the
    degrees of freedom and no more. The interval is of percentiles of 10,000 resamples, and too
    narrow of few seeds, as `mean_interval` says. The power is that of the two-sided paired t test
    at 1 - `level`, by the noncentral t distribution with the standard deviation of these
    differences: of few seeds it is itself uncertain, and a number of seeds for "the difference
    found" inherits the luck of the draw. State it before a study, from a pilot.

    Args:
        first: One score a seed.
        second: Of the other model, the same seeds in the same order; pairs with a NaN are left out.
        level: Of the interval.
        power: Probability to find the difference.
        seed: Of the resampling.
    Raises:
        ValueError: Numbers of scores that differ, or no pair.
    References:
        Efron & Tibshirani (1993), "An Introduction to the Bootstrap", chapters 11 and 13.
        Cohen (1988), "Statistical Power Analysis for the Behavioral Sciences", section 2.3.5.
    Example:
        >>> found = compare_pair([0.31, 0.28, 0.35, 0.30], [0.21, 0.24, 0.22, 0.27])
        >>> round(found.difference, 3), found.seeds_needed
        (0.075, 6)
    """
    a, b = np.asarray(first, float), np.asarray(second, float)
    if a.shape != b.shape or a.ndim != 1:
        raise ValueError(
            f"got scores of shape {a.shape} and {b.shape}, but one score a seed is wanted of both "
            "models, of the same seeds in the same order."
        )
    differences = (a - b)[~np.isnan(a - b)]
    if not len(differences):
        raise ValueError(
            f"none of {len(a)} seeds has a score of both models. Name runs of the same seeds."
        )
    interval = mean_interval(differences, level=level, seed=seed)
    n = len(differences)
    std = float(differences.std(ddof=1)) if n > 1 else math.nan
    if not std > 0:
        return Comparison(interval.mean, interval.low, interval.high, n, std, math.nan, std, None)
    t = abs(interval.mean) / std * math.sqrt(n)
    asked = {"power": power, "level": 1 - level, "paired": True}
    return Comparison(
        difference=interval.mean,
        low=interval.low,
        high=interval.high,
        n=n,
        std=std,
        p=float(2 * stats.t.sf(t, n - 1)),
        detectable=minimal_detectable_difference(std, n, **asked),
        seeds_needed=seeds_needed(abs(interval.mean), std, **asked) if t > 0 else None,
    )


def compare_settings(
    table: pd.DataFrame,
    score: str,
    first: str,
    second: str,
    *,
    by: str = "setting",
    level: float = 0.95,
    power: float = 0.8,
) -> Comparison:
    """The same of two settings of a table of runs, matched by their column `seed`.

    Args:
        table: One row a run, such as `with_families(load_runs(...))`.
        score: The column to compare.
        first: A value of the column `by`, such as "beta 4".
        second: Another one.
        by: The column that names a setting.
        level: Of the interval.
        power: Probability to find a difference.
    Raises:
        ValueError: A column is missing, a setting has no run or two runs of one seed, or the two
            have no seed in common.
    """
    check_columns(table, [score, by, "seed"])
    sides = []
    for name in (first, second):
        runs = table[table[by] == name].dropna(subset=[score])
        if runs.empty or runs["seed"].duplicated().any():
            raise ValueError(
                f"{len(runs)} runs of {by} {name!r} have a {score}, of {runs['seed'].nunique()} "
                "seeds. One run a seed is wanted: choose runs that differ in nothing else."
            )
        sides.append(runs.set_index("seed")[score].astype(float))
    both = pd.concat(sides, axis=1, join="inner")
    if both.empty:
        raise ValueError(
            f"{first!r} and {second!r} have no seed in common: seeds {list(sides[0].index)} and "
            f"{list(sides[1].index)}. Train both with the same seeds."
        )
    return compare_pair(both.iloc[:, 0], both.iloc[:, 1], level=level, power=power)
