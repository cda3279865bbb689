# SPDX-License-Identifier: Apache-2.0
"""A score against the strength of the objective, every seed visible."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from disent.checks import check_columns
from disent.figures.style import (
    COLOURS,
    MUTED,
    WIDE,
    label_axes,
    legend_below,
    small_multiples,
    wrap,
)

AXES = {
    "beta": "beta (log scale)",
    "C": "C, nats per image (log scale)",
    "D": "D, numbers of the code",
}
LOOKS = {"chance": ":", "untrained": "--", "pca": "-."}
JITTER = 0.06  # of the distance between two strengths


def score_against_strength(
    runs: pd.DataFrame,
    score: str,
    *,
    means: pd.DataFrame | None = None,
    baselines: Mapping[str, float] | None = None,
) -> Figure:
    """A panel for each objective: a point a run, with each strength's mean and interval.

    Args:
        runs: One row a run: `objective`, `strength`, `setting`, and the score's column.
        score: The column to draw.
        means: What `disent.runs.over_seeds(runs, score, ["objective", "strength"])` returned: means
            and intervals; None: points alone.
        baselines: Horizontal lines by name: "chance", "untrained", "pca".
    Raises:
        ValueError: A column is missing, or no run has both score and strength.
    """
    check_columns(runs, ["objective", "strength", "setting", score])
    runs = runs.dropna(subset=["strength", score])
    if runs.empty:
        raise ValueError(f"no run has a {score} and a strength: evaluate the runs first.")
    families = list(runs.groupby("objective"))
    figure, panels = small_multiples(len(families))
    width = 1400 // min(WIDE, len(families)) - 60
    for position, (axes, (name, family)) in enumerate(zip(panels, families, strict=True)):
        mine = None if means is None else means[means["objective"] == name]
        _points(axes, family, score, mine, COLOURS[position % len(COLOURS)])
        for baseline, value in (baselines or {}).items():
            axes.axhline(value, color=MUTED, lw=0.8, ls=LOOKS.get(baseline, ":"), label=baseline)
        what = str(family["setting"].iloc[0]).split()[0]
        label_axes(
            axes,
            title=wrap(str(name), width),
            x=AXES.get(what, what),
            y="" if position % WIDE else score,
        )
    legend_below(figure, panels)
    return figure


def _points(
    axes: Axes, family: pd.DataFrame, score: str, means: pd.DataFrame | None, colour: str
) -> None:
    """The runs of one objective, side by side where they share a strength."""
    strengths = sorted(family["strength"].unique())
    place = {strength: i for i, strength in enumerate(strengths)}
    for strength, group in family.groupby("strength"):
        shift = np.linspace(-JITTER, JITTER, len(group)) if len(group) > 1 else np.zeros(1)
        axes.plot(
            place[strength] + shift,
            group[score],
            linestyle="none",
            marker="o",
            markersize=4,
            alpha=0.6,
            markeredgewidth=0,
            color=colour,
            label="a seed each" if strength == strengths[0] else None,
        )
    if means is not None:
        means = means[means["strength"].isin(strengths)]
    if means is not None and len(means):
        means = means.sort_values("strength")
        error = np.stack([means["mean"] - means["low"], means["high"] - means["mean"]])
        axes.errorbar(
            [place[strength] for strength in means["strength"]],
            means["mean"],
            yerr=np.nan_to_num(error),
            color=colour,
            linewidth=1.1,
            capsize=2.5,
            marker="D",
            markersize=4,
            markeredgecolor="white",
            label="mean, bootstrap interval",
        )
    axes.set_xticks(range(len(strengths)), [f"{strength:g}" for strength in strengths])
    axes.set_xlim(-0.5, len(strengths) - 0.5)
