# SPDX-License-Identifier: Apache-2.0
"""What the code must say of the picture, says, and can say at most, against beta or C."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from disent.checks import check_columns
from disent.figures.strength import AXES
from disent.figures.style import (
    COLOURS,
    INK,
    WIDE,
    label_axes,
    legend_below,
    small_multiples,
    wrap,
)

LINEAR = 10.0  # nats: within, the axis is linear; beyond, logarithmic


def information_bounds(runs: pd.DataFrame, *, entropy: float) -> Figure:
    """H(x) - D <= I(x; z) <= R, by objective and strength; every run a point, means joined.

    The generative side, I_gen = H(x) - D, bounds the information that decoding shows to be there
    from below; the representational side, the rate R, bounds I_rep = I_q(x; z) from above (Alemi et
    al., 2018, eq. 3, https://arxiv.org/abs/1711.00464). A model whose D is above H(x) has a
    negative lower bound, which says nothing.

    Args:
        runs: One row a run: `objective`, `strength`, `setting`, `evaluated.rate`,
            `evaluated.distortion` and `evaluated.mutual_information`, nats per image.
        entropy: H(x), nats per image.
    Raises:
        ValueError: A column is missing, or no run has all of them.
    """
    terms = [f"evaluated.{name}" for name in ("rate", "distortion", "mutual_information")]
    wanted = ["objective", "strength", "setting", *terms]
    check_columns(runs, wanted)
    runs = runs.dropna(subset=["strength", *terms])
    if runs.empty:
        raise ValueError("no run has a strength and the terms on all pictures: evaluate the runs.")
    families = list(runs.groupby("objective"))
    figure, panels = small_multiples(len(families))
    width = 1400 // min(WIDE, len(families)) - 60
    for position, (axes, (name, family)) in enumerate(zip(panels, families, strict=True)):
        what = str(family["setting"].iloc[0]).split()[0]
        _bounds(axes, family, entropy)
        label_axes(
            axes,
            title=wrap(str(name), width),
            x=AXES.get(what, what),
            y="" if position % WIDE else "nats per image (log beyond 10)",
        )
        axes.set_yscale("symlog", linthresh=LINEAR)
    legend_below(figure, panels)
    return figure


def _bounds(axes: Axes, family: pd.DataFrame, entropy: float) -> None:
    strengths = sorted(family["strength"].unique())
    place = family["strength"].map({strength: i for i, strength in enumerate(strengths)})
    curves = {
        "R, upper bound of I_rep": family["evaluated.rate"],
        "I(x; z)": family["evaluated.mutual_information"],
        "I_gen = H(x) \N{MINUS SIGN} D, lower bound": entropy - family["evaluated.distortion"],
    }
    for (name, values), colour, marker in zip(curves.items(), COLOURS, "v^o", strict=False):
        axes.plot(place, values, ls="none", marker=marker, color=colour, markersize=3.5, alpha=0.6)
        means = values.groupby(place).mean()
        axes.plot(means.index, means, color=colour, linewidth=1.1, label=name)
    axes.axhline(entropy, color=INK, linewidth=0.9, linestyle="--", label=f"H(x) = {entropy:.2f}")
    axes.set_xticks(range(len(strengths)), [f"{strength:g}" for strength in strengths])
    axes.set_xlim(-0.5, len(strengths) - 0.5)
