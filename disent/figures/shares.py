# SPDX-License-Identifier: Apache-2.0
"""Objective, strength or seed: what each score's variance is due to, as bars."""

from collections.abc import Mapping

from matplotlib.figure import Figure

from disent.figures.style import COLOURS, INK, TEXT, label_axes, new_figure

PARTS = ("objective", "strength", "seed")


def variance_bars(shares: Mapping[str, Mapping[str, float]], *, title: str = "") -> Figure:
    """One bar a score, cut into the shares of objective, strength and seed.

    Args:
        shares: For each score the three shares, such as
            `disent.runs.variance_shares(...)._asdict()`.
            Negative ones (adjusted shares may be) are drawn as 0, and the others fill the bar.
        title: Above the figure.
    Raises:
        ValueError: There is no score.
    """
    if not shares:
        raise ValueError("there is no score to draw: no score has two seeds of any setting.")
    names = list(shares)
    figure = new_figure(1400, 170 + 62 * len(names))
    figure.set_layout_engine("constrained")
    axes = figure.add_subplot()
    left = [0.0] * len(names)
    filled = {name: _filled(shares[name]) for name in names}
    for part, colour in zip(PARTS, COLOURS, strict=False):
        widths = [filled[name][part] for name in names]
        axes.barh(range(len(names)), widths, left=left, color=colour, height=0.7, label=part)
        for row, (start, width) in enumerate(zip(left, widths, strict=True)):
            if width >= 0.05:
                place = (start + width / 2, row)
                text = f"{100 * width:.0f}"
                axes.text(*place, text, ha="center", va="center", color="white", fontsize=TEXT - 1)
        left = [a + b for a, b in zip(left, widths, strict=True)]
    axes.set_yticks(range(len(names)), names)
    axes.invert_yaxis()
    label_axes(axes, title=title or "Share of the variance over runs, per cent", x="share", y="")
    axes.set_xlim(0, 1.001)
    axes.grid(visible=False)
    axes.tick_params(colors=INK, labelsize=TEXT)
    figure.legend(fontsize=TEXT, frameon=False, loc="outside lower right", ncols=3)
    return figure


def _filled(shares: Mapping[str, float]) -> dict[str, float]:
    """The shares without negative ones, as parts of 1."""
    kept = {part: max(0.0, float(shares[part])) for part in PARTS}
    return {part: value / sum(kept.values()) for part, value in kept.items()}
