# SPDX-License-Identifier: Apache-2.0
"""Objective, strength or seed: what a score's variance is due to, and what seeds can resolve."""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from scipy import optimize, stats


class Shares(NamedTuple):
    """Parts of a score's variance over runs; the three add up to 1.

    Attributes:
        objective: Between the objectives' means.
        strength: Between the strengths of one objective.
        seed: What is left between runs that differ in the seed alone.
        runs: How many runs.
        groups: How many pairs of objective and strength.
    """

    objective: float
    strength: float
    seed: float
    runs: int
    groups: int


def variance_shares(table: pd.DataFrame, score: str, *, adjusted: bool = False) -> Shares:
    """How much of a score's variance the objective, its strength and the seed explain.

    The R^2 of group means: of the objectives, then of objectives x strengths (Locatello et al.,
    2020, "A Sober Look at the Unsupervised Learning of Disentangled Representations", JMLR 21(209),
    section 5.2). Few seeds flatter the settings, since a group's mean follows its own noise: with
    s seeds of pure noise they seem to explain about 1/s. `adjusted` takes that off (the adjusted
    R^2), and shares may then be slightly negative.

    Args:
        table: What `with_families` returned.
        score: The column to explain; runs without it are left out.
        adjusted: Whether to correct for the number of groups.
    Raises:
        ValueError: The score does not vary, or every group has a single run.
    """
    found = table.dropna(subset=[score])
    values = found[score].astype(float)
    strength = found["strength"].astype(float).fillna(math.inf)
    settings = pd.Series(list(zip(found["objective"], strength, strict=True)), found.index)
    groups, runs = settings.nunique(), len(found)
    if runs == groups:
        raise ValueError(
            f"{runs} runs of {groups} settings have a {score}: no setting has two seeds, so "
            "nothing can be said of the seed's share. Train each setting with several seeds."
        )
    total = float(((values - values.mean()) ** 2).sum())
    if total == 0:
        raise ValueError(f"{score} is {values.iloc[0]:g} in each of the {runs} runs: no variance.")
    parts = [
        _explained(values, found["objective"], total, adjusted),
        _explained(values, settings, total, adjusted),
    ]
    return Shares(parts[0], parts[1] - parts[0], 1 - parts[1], runs, groups)


def minimal_detectable_difference(
    std: float, seeds: int, *, power: float = 0.8, level: float = 0.05, paired: bool = False
) -> float:
    """The smallest difference of two means that `seeds` runs each find with probability `power`.

    Of the two-sided two-sample t test at `level`, by the noncentral t distribution; or of the
    paired one.

    Args:
        std: Standard deviation of the score over seeds, the same for both settings; paired: of the
            differences between the two runs of a seed.
        seeds: Runs of each of the two settings.
        power: Probability to find it.
        level: Probability to find a difference where there is none.
        paired: Whether both settings have the same seeds and are compared seed by seed.
    Raises:
        ValueError: `std` is not positive or `seeds` < 2.
    References:
        Cohen (1988), "Statistical Power Analysis for the Behavioral Sciences", chapter 2.
    Example:
        >>> round(minimal_detectable_difference(0.08, 5), 3)
        0.162
    """
    if not 0 < std < math.inf or seeds < 2:
        raise ValueError(
            f"got std={std} and seeds={seeds}. A positive standard deviation and two seeds or more "
            "are wanted."
        )
    high = 1.0
    while _power(high, seeds, level, paired) < power:
        high *= 2
    found: Any = optimize.brentq(lambda d: _power(d, seeds, level, paired) - power, 0, high)
    return std * float(found)


def seeds_needed(
    difference: float,
    std: float,
    *,
    power: float = 0.8,
    level: float = 0.05,
    paired: bool = False,
) -> int:
    """Seeds of each of two settings to find a difference of their means; see above.

    Example:
        >>> seeds_needed(0.05, 0.08)
        42
    """
    if difference <= 0 or std <= 0:
        raise ValueError(f"got difference={difference} and std={std}. Both must be positive.")
    low, high = 2, 2
    while _power(difference / std, high, level, paired) < power:
        low, high = high, high * 2
    while low < high:
        middle = (low + high) // 2
        if _power(difference / std, middle, level, paired) < power:
            low = middle + 1
        else:
            high = middle
    return high


def pooled_std(table: pd.DataFrame, score: str, by: str | Sequence[str]) -> float:
    """The standard deviation over seeds, pooled over the groups; NaN without two runs in any."""
    groups = table.dropna(subset=[score]).groupby(by if isinstance(by, str) else list(by))[score]
    freedom = (groups.size() - 1).clip(lower=0)
    if freedom.sum() == 0:
        return float("nan")
    return float(np.sqrt((groups.var().fillna(0) * freedom).sum() / freedom.sum()))


def _explained(values: pd.Series, groups: pd.Series, total: float, adjusted: bool) -> float:
    means = values.groupby(groups).transform("mean")
    rest = float(((values - means) ** 2).sum())
    if adjusted:
        n, k = len(values), groups.nunique()
        return 1 - (rest / (n - k)) / (total / (n - 1))
    return 1 - rest / total


def _power(difference: float, seeds: int, level: float, paired: bool) -> float:
    """Of the test, for a difference in standard deviations."""
    freedom, shift = 2 * seeds - 2, difference * math.sqrt(seeds / 2)
    if paired:
        freedom, shift = seeds - 1, difference * math.sqrt(seeds)
    critical = stats.t.ppf(1 - level / 2, freedom)
    wrong_side = stats.nct.cdf(-critical, freedom, shift)  # nan where it underflows
    return float(stats.nct.sf(critical, freedom, shift) + np.nan_to_num(wrong_side))
