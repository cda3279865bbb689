# SPDX-License-Identifier: Apache-2.0
"""The rate-distortion plane: where the runs of each family lie, and what no model can reach."""

from itertools import cycle

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from disent.checks import check_columns
from disent.figures.style import COLOURS, INK, MUTED, TEXT, label_axes, legend_below, new_figure

MARKERS = ("o", "s", "^", "D", "v", "P", "X")
LINES = 7  # of equal ELBO
NAMED = 16  # settings at most whose names are written beside their means


def rate_distortion_plane(
    runs: pd.DataFrame, *, entropy: float | None = None, note: str = ""
) -> Figure:
    """Each run at its rate and distortion, each setting's mean joined to the next of its family.

    Dotted lines are of equal ELBO, -(rate + distortion). With the pictures' entropy H(x), the line
    rate + distortion = H(x) bounds all models; its two ends are the auto-encoding limit (rate H(x),
    distortion 0: the code tells everything) and the auto-decoding limit (rate 0, distortion H(x):
    the decoder alone knows the data).

    Args:
        runs: One row a run: `objective`, `strength`, `setting`, `rate` and `distortion`, the last
            two in nats per image. Rows without a number there are left out.
        entropy: H(x) in nats per image, where the pictures are discrete.
        note: Below the figure.
    Raises:
        ValueError: A column is missing, or no run has both terms.
    References:
        Alemi et al. (2018), "Fixing a Broken ELBO", figure 1, https://arxiv.org/abs/1711.00464.
    """
    wanted = ["objective", "strength", "setting", "rate", "distortion"]
    check_columns(runs, wanted)
    runs = runs.dropna(subset=["rate", "distortion"])
    if runs.empty:
        raise ValueError("no run has a rate and a distortion: nothing was logged, or evaluated.")
    figure = new_figure(1400, 980)
    figure.set_layout_engine("constrained")
    axes = figure.add_subplot()
    right, top = 1.12 * float(runs["rate"].max()), 1.1 * float(runs["distortion"].max())
    low = min(0.0, float(runs["distortion"].min()) * 1.1)
    if entropy is not None:
        right, top = max(right, 1.15 * entropy), max(top, 1.15 * entropy)
        _limits(axes, entropy)
    axes.set(xlim=(-0.03 * right, right), ylim=(low - 0.03 * (top - low), top))
    _equal_elbo(axes, right, low, top)
    looks = zip(cycle(COLOURS), cycle(MARKERS), strict=False)
    for (name, family), (colour, marker) in zip(runs.groupby("objective"), looks, strict=False):
        _family(axes, str(name), family, colour, marker, named=runs["setting"].nunique() <= NAMED)
    label_axes(
        axes,
        title="Rate-distortion plane",
        x="rate, nats per image",
        y="distortion, nats per image",
    )
    legend_below(figure, [axes])
    if note:
        figure.supxlabel(note, fontsize=TEXT - 1, color=MUTED, x=0.01, ha="left")
    return figure


def _family(
    axes: Axes, name: str, family: pd.DataFrame, colour: str, marker: str, *, named: bool
) -> None:
    """One family: every run, and its settings' means joined in the order of their strength."""
    axes.scatter(
        family["rate"], family["distortion"], s=14, color=colour, marker=marker, alpha=0.55, lw=0
    )
    means = family.groupby(["strength", "setting"], dropna=False)[["rate", "distortion"]].mean()
    means = means.sort_index(level="strength")
    axes.plot(
        means["rate"],
        means["distortion"],
        color=colour,
        marker=marker,
        markersize=5,
        markeredgecolor="white",
        markeredgewidth=0.5,
        linewidth=1.1,
        label=f"{name} (mean of each setting)",
    )
    if not named:
        return
    for (_, setting), place in means.iterrows():  # pyright: ignore[reportGeneralTypeIssues]
        axes.annotate(
            str(setting),
            (place["rate"], place["distortion"]),
            textcoords="offset points",
            xytext=(5, 4),
            fontsize=TEXT - 1,
            color=colour,
        )


def _equal_elbo(axes: Axes, right: float, low: float, top: float) -> None:
    """Thin lines rate + distortion = constant, each named at its upper end."""
    step = _round_step((right + top - low) / LINES)
    for total in np.arange(np.ceil(low / step) * step, right + top, step):
        start = max(0.0, total - top)
        axes.plot([start, right], [total - start, total - right], color=MUTED, lw=0.5, ls=":")
        if low < total < top * 0.93 and start == 0.0:
            axes.annotate(
                f"{-total:g}",
                (0, total),
                textcoords="offset points",
                xytext=(2, 1),
                fontsize=TEXT - 2,
                color=MUTED,
            )
    axes.plot([], [], color=MUTED, lw=0.5, ls=":", label="equal ELBO, named at the left")


def _limits(axes: Axes, entropy: float) -> None:
    axes.plot(
        [0, entropy],
        [entropy, 0],
        color=INK,
        linewidth=1.2,
        label=f"rate + distortion = H(x) = {entropy:.2f}",
    )
    axes.fill_between([0, entropy], [entropy, 0], color=INK, alpha=0.08, linewidth=0)
    for x, y, name in ((0, entropy, "auto-decoding limit"), (entropy, 0, "auto-encoding limit")):
        axes.plot([x], [y], marker="*", color=INK, markersize=8, linestyle="none")
        axes.annotate(
            name,
            (x, y),
            textcoords="offset points",
            xytext=(6, 5),
            fontsize=TEXT - 1,
            color=INK,
        )


def _round_step(width: float) -> float:
    """1, 2 or 5 times a power of ten, about `width`."""
    power = 10 ** np.floor(np.log10(width))
    return float(power * min((1, 2, 5, 10), key=lambda digit: abs(digit - width / power)))
