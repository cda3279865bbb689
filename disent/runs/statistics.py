# SPDX-License-Identifier: Apache-2.0
"""What many runs say together: means and intervals over seeds, agreement of scores, who varies."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy import stats

from disent.runs.columns import check_columns

RESAMPLES = 10_000


class Interval(NamedTuple):
    """A mean over n values, with the ends of its bootstrap interval."""

    mean: float
    low: float
    high: float
    n: int


def mean_interval(values: ArrayLike, *, level: float = 0.95, seed: int = 0) -> Interval:
    """The mean, with the percentile interval of 10,000 bootstrap resamples.

    With few values the interval is too narrow (of 5 it covers about 85 % instead of 95 %): it shows
    the spread of the seeds at hand, and is no test. NaN is left out; without any value, or with
    one, the ends are NaN.

    Args:
        values: One a seed.
        level: Of the interval.
        seed: Of the resampling.
    References:
        Efron & Tibshirani (1993), "An Introduction to the Bootstrap", chapter 13.
    """
    found = np.asarray(values, float)
    found = found[~np.isnan(found)]
    if len(found) < 2:
        mean = float(found[0]) if len(found) else float("nan")
        return Interval(mean, float("nan"), float("nan"), len(found))
    drawn = np.random.default_rng(seed).integers(0, len(found), (RESAMPLES, len(found)))
    ends = np.quantile(found[drawn].mean(1), [(1 - level) / 2, (1 + level) / 2])
    return Interval(float(found.mean()), float(ends[0]), float(ends[1]), len(found))


def over_seeds(table: pd.DataFrame, score: str, by: str | Sequence[str]) -> pd.DataFrame:
    """A row a group: n, mean, low and high of its bootstrap interval, median, std, min, max.

    Args:
        table: One row a run, such as `with_families(load_runs(...))`.
        score: The column to average.
        by: The columns that name a group, such as "setting"; what is left between its runs, the
            seed, is averaged over.
    Raises:
        ValueError: A column is missing.
    """
    groups = [by] if isinstance(by, str) else list(by)
    check_columns(table, [score, *groups])
    rows = []
    for key, group in table.groupby(groups, sort=True, dropna=False):
        values = group[score].astype(float).dropna()
        rows.append(
            dict(zip(groups, key, strict=True))
            | mean_interval(list(values))._asdict()
            | {"median": values.median(), "std": values.std(), "min": values.min()}
            | {"max": values.max()}
        )
    columns = [*groups, "n", "mean", "low", "high", "median", "std", "min", "max"]
    return pd.DataFrame(rows, columns=columns)


def rank_correlations(table: pd.DataFrame, scores: Sequence[str]) -> pd.DataFrame:
    """Spearman's rank correlation of each pair of scores, over the runs that have both.

    NaN where fewer than three runs have both, or one of the two is constant. Square, by name.

    Raises:
        ValueError: A column is missing.
    """
    check_columns(table, scores)
    return table[list(scores)].astype(float).corr(method="spearman", min_periods=3)


def rank_correlation(
    first: ArrayLike, second: ArrayLike, *, level: float = 0.95, seed: int = 0
) -> Interval:
    """Spearman's rank correlation of two scores, with a bootstrap interval over the runs.

    Args:
        first: One value a run; pairs with a NaN are left out.
        second: Of the same runs.
        level: Of the interval, by percentiles of 10,000 resamples of the runs.
        seed: Of the resampling.
    """
    pairs = np.stack([np.asarray(first, float), np.asarray(second, float)])
    pairs = pairs[:, ~np.isnan(pairs).any(0)]
    n = pairs.shape[1]
    if n < 3:
        return Interval(float("nan"), float("nan"), float("nan"), n)
    drawn = np.random.default_rng(seed).integers(0, n, (RESAMPLES, n))
    # [2, RESAMPLES, n]; a resample without any spread has no correlation
    ranks = stats.rankdata(pairs[:, drawn], axis=-1)
    with np.errstate(invalid="ignore"):
        found = _correlation(ranks[0], ranks[1])
        whole = _correlation(*stats.rankdata(pairs, axis=-1)[:, None])[0]
    found = found[~np.isnan(found)]
    if not len(found):
        return Interval(float("nan"), float("nan"), float("nan"), n)
    low, high = np.quantile(found, [(1 - level) / 2, (1 + level) / 2])
    return Interval(float(whole), float(low), float(high), n)


def best_per_group(
    table: pd.DataFrame, score: str, by: str | Sequence[str], *, choose_by: str | None = None
) -> pd.DataFrame:
    """A row a group: the run with the highest `choose_by`, its score, and the best that there is.

    With `choose_by` = `score`, the run is chosen with labels. With "evaluated.elbo" or "udr" (Duan
    et al., 2020, https://arxiv.org/abs/1905.12614) it is chosen without, and `regret` says what
    that costs: the group's best score minus that of the run chosen.

    Args:
        table: One row a run.
        score: What counts.
        by: The columns that name a group.
        choose_by: What the run is chosen by; None: `score`.
    Returns:
        The columns of `by`, then n, run, `score`, best, mean, regret. Groups without any run that
        has both values are left out.
    Raises:
        ValueError: A column is missing.
    """
    groups = [by] if isinstance(by, str) else list(by)
    choice = choose_by or score
    check_columns(table, [score, choice, *groups])
    rows = []
    for key, group in table.dropna(subset=[score, choice]).groupby(groups, dropna=False):
        chosen = group.iloc[int(group[choice].astype(float).to_numpy().argmax())]
        best = float(group[score].max())
        rows.append(
            dict(zip(groups, key, strict=True))
            | {"n": len(group), "run": chosen["run"], score: float(chosen[score]), "best": best}
            | {"mean": float(group[score].mean()), "regret": best - float(chosen[score])}
        )
    return pd.DataFrame(rows, columns=[*groups, "n", "run", score, "best", "mean", "regret"])


def _correlation(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    first, second = (x - x.mean(-1, keepdims=True) for x in (first, second))
    return (first * second).sum(-1) / np.sqrt((first**2).sum(-1) * (second**2).sum(-1))
