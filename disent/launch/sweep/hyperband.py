# SPDX-License-Identifier: Apache-2.0
"""Hyperband's early stopping: which run is given up while it trains."""

import math
from collections.abc import Sequence
from typing import Literal

from disent.launch.sweep.file import Hyperband


def bracket_lost(
    mine: Sequence[float],
    others: Sequence[Sequence[float]],
    early: Hyperband,
    goal: Literal["minimize", "maximize"],
) -> int | None:
    """The first bracket at which a run is not among the best 1/eta of those that came so far.

    A run's value at bracket b is the best of its first b logged values. Ties stay.

    Args:
        mine: The run's logged values of the metric, in order.
        others: Those of the sweep's other runs.
        early: Brackets and eta.
        goal: Whether lower or higher values are better.
    Returns:
        The bracket, or None if the run goes on.
    References:
        Li et al. (2018), "Hyperband", section 3, https://arxiv.org/abs/1603.06560.
    Example:
        >>> bracket_lost([5.0, 4.0], [[1.0, 1.0], [2.0, 2.0]], Hyperband((2,)), "minimize")
        2
    """
    sign = 1 if goal == "minimize" else -1
    for bracket in early.brackets:
        if len(mine) < bracket:
            return None
        value = _best(mine, bracket, sign)
        rivals = [_best(other, bracket, sign) for other in others if len(other) >= bracket]
        kept = math.ceil((len(rivals) + 1) / early.eta)
        if sum(rival < value for rival in rivals) >= kept:
            return bracket
    return None


def _best(values: Sequence[float], count: int, sign: int) -> float:
    finite = [sign * v for v in values[:count] if math.isfinite(v)]
    return min(finite, default=math.inf)
