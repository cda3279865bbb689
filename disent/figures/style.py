# SPDX-License-Identifier: Apache-2.0
"""The look that all figures share: size in pixels, text, colours. No pyplot, so no global state."""

import textwrap
from collections.abc import Iterable
from typing import Any

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

WIDE = 4  # panels side by side
DPI = 200  # pixels per inch: a 1400-pixel figure is 7 inches wide, the text width of a paper
TEXT = 8  # points
INK = "#222222"
MUTED = "#666666"
FAINT = "#cccccc"
# Nats per image: a latent of a lower rate is called faint, for it moves too little to be seen. It
# counts as active nonetheless from disent.gaussian.ACTIVE on.
FAINT_RATE = 0.1
# Okabe & Ito (2008), "Color universal design", without its yellow, which is too pale on white.
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000")


def new_figure(width: int, height: int) -> Figure:
    """An empty white figure of exactly `width` x `height` pixels, drawn without a window."""
    figure = Figure(figsize=(width / DPI, height / DPI), dpi=DPI, facecolor="white")
    FigureCanvasAgg(figure)
    return figure


def text_pixels(points: float = TEXT) -> float:
    """Height of a letter's body in pixels."""
    return points * DPI / 72


def wrap(text: str, width: int) -> str:
    """Breaks `text` into lines that fit `width` pixels; the average letter is 0.55 bodies wide."""
    return textwrap.fill(text, max(20, int(width / (0.55 * text_pixels()))))


def small_multiples(number: int) -> tuple[Figure, list[Axes]]:
    """Panels of one scale upwards, at most four side by side, with room for a legend below."""
    columns = min(WIDE, number)
    rows = -(-number // columns)
    figure = new_figure(1400, 120 + 520 * rows)
    figure.set_layout_engine("constrained")
    axes = list(figure.subplots(rows, columns, sharey=True, squeeze=False).flat)
    for spare in axes[number:]:
        spare.remove()
    return figure, axes[:number]


def legend_below(figure: Figure, axes: Iterable[Axes]) -> None:
    """One legend for all of these panels, below them, where it covers nothing."""
    named: dict[str, Any] = {}
    for each in axes:
        for handle, label in zip(*each.get_legend_handles_labels(), strict=True):
            named.setdefault(label, handle)
    if named:
        figure.legend(
            list(named.values()),
            list(named),
            loc="outside lower center",
            ncols=min(3, len(named)),
            fontsize=TEXT,
            frameon=False,
        )


def label_axes(axes: Axes, *, title: str, x: str, y: str) -> None:
    """Title, axis labels and thin lines of a plot with axes."""
    axes.set_title(title, fontsize=TEXT + 1, color=INK, loc="left")
    axes.set_xlabel(x, fontsize=TEXT, color=INK)
    axes.set_ylabel(y, fontsize=TEXT, color=INK)
    axes.tick_params(labelsize=TEXT, colors=INK, width=0.6)
    axes.grid(True, color=FAINT, linewidth=0.4)
    for side, spine in axes.spines.items():
        spine.set_visible(side in ("left", "bottom"))
        spine.set_linewidth(0.6)
