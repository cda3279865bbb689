# SPDX-License-Identifier: Apache-2.0
"""What every score of the room is, and how a caller learns what it wants.

A score is a function of codes that returns one number as a float64 scalar. Its second parameter
tells what goes with the codes: `factors` (any sample of images) or `grid` (codes of the whole
grid, by flat index, from which the score draws). Keyword-only parameters are its settings, each
with a default; a record of the score states them all.
"""

import inspect
from collections.abc import Callable

from torch import Tensor

Score = Callable[..., Tensor]


def wants_grid(score: Score) -> bool:
    """Whether the score takes (codes of the whole grid, grid) and not (codes, factors)."""
    return list(inspect.signature(score).parameters)[1] == "grid"


def settings(score: Score) -> dict[str, int | float | str | bool]:
    """The score's settings and their defaults.

    Example:
        >>> from disent.metrics import mig
        >>> settings(mig)
        {'bins': 20}
    """
    parameters = inspect.signature(score).parameters.values()
    return {p.name: p.default for p in parameters if p.kind is p.KEYWORD_ONLY}
