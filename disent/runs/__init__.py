# SPDX-License-Identifier: Apache-2.0
"""Runs on disk and in W&B, readable without torch: tables of them, and their statistics.

Who asks for a table loads pandas and SciPy, and nobody else: a training reads and writes runs, too,
and need not wait a second for them.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from disent.runs.directory import RunDir
from disent.runs.run import Run

if TYPE_CHECKING:
    from disent.runs.families import score_names, with_families
    from disent.runs.histories import load_histories
    from disent.runs.paired import Comparison, compare_pair, compare_settings
    from disent.runs.statistics import (
        best_per_group,
        mean_interval,
        over_seeds,
        rank_correlation,
        rank_correlations,
    )
    from disent.runs.table import load_runs
    from disent.runs.variance import (
        minimal_detectable_difference,
        pooled_std,
        seeds_needed,
        variance_shares,
    )
    from disent.runs.waking import followed_factors, wake_up

FILES = {  # of each the names, for which it is loaded when one of them is asked for
    "families": ("score_names", "with_families"),
    "histories": ("load_histories",),
    "paired": ("Comparison", "compare_pair", "compare_settings"),
    "statistics": (
        "best_per_group",
        "mean_interval",
        "over_seeds",
        "rank_correlation",
        "rank_correlations",
    ),
    "table": ("load_runs",),
    "variance": ("minimal_detectable_difference", "pooled_std", "seeds_needed", "variance_shares"),
    "waking": ("followed_factors", "wake_up"),
}

__all__ = [
    "Comparison",
    "Run",
    "RunDir",
    "best_per_group",
    "compare_pair",
    "compare_settings",
    "followed_factors",
    "load_histories",
    "load_runs",
    "mean_interval",
    "minimal_detectable_difference",
    "over_seeds",
    "pooled_std",
    "rank_correlation",
    "rank_correlations",
    "score_names",
    "seeds_needed",
    "variance_shares",
    "wake_up",
    "with_families",
]


def __getattr__(name: str) -> Any:
    for file, names in FILES.items():
        if name in names:
            return getattr(import_module(f"{__name__}.{file}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
