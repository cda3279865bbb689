# SPDX-License-Identifier: Apache-2.0
"""Training curves, from the rows that a run logs."""

from itertools import cycle, product

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter

from disent.figures.logged import Panel, is_faint, panels
from disent.figures.style import COLOURS, FAINT, TEXT, label_axes, new_figure

STYLES = [(colour, line) for line, colour in product(("-", "--", ":"), COLOURS)]
WIDE = 3  # panels side by side


def curves(metrics: pd.DataFrame) -> Figure:
    """Loss, negative ELBO and distortion; rate and capacity; the rate of each latent; the rest.

    Each kind of value has its panel, with its unit: total correlations, accuracies, losses of
    several players, squared errors. Columns that are missing or empty are left out, and so are
    panels without any column.

    Args:
        metrics: One row a logged step: a column "step", and any of "loss", "elbo", "distortion",
            "rate", "capacity", "rate_0", "rate_1", ... A cell may be empty.
    Raises:
        ValueError: If there is no "step", or nothing to draw.
    """
    drawn = panels(metrics)
    if not drawn:
        raise ValueError(
            f"metrics has {len(metrics)} rows and the columns {list(metrics.columns)}, but "
            '"step" is wanted, and a value of loss, elbo, distortion, rate, capacity or rate_0. '
            "Give the rows of a run's metrics.csv."
        )
    columns = min(WIDE, len(drawn))
    rows = -(-len(drawn) // columns)
    figure = new_figure(700 * columns, 560 * rows)
    figure.set_layout_engine("constrained")
    for position, panel in enumerate(drawn):
        _draw(figure.add_subplot(rows, columns, position + 1), panel)
    return figure


def _draw(axes: Axes, panel: Panel) -> None:
    """One panel; latents that end faint are grey and counted."""
    latents = panel.title == "Rate of each latent"
    faint = [name for name, series in panel.lines.items() if latents and is_faint(series)]
    for name in faint:
        axes.plot(panel.lines[name].index, panel.lines[name], color=FAINT, linewidth=0.8)
    named = [name for name in panel.lines if name not in faint]
    for (colour, line), name in zip(cycle(STYLES), named, strict=False):
        series = panel.lines[name]
        axes.plot(series.index, series, color=colour, linestyle=line, label=name, linewidth=1.1)
    if faint:
        axes.plot([], [], color=FAINT, label=f"{len(faint)} faint")
    if panel.log:
        axes.set_yscale("log")
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.yaxis.set_major_formatter("{x:g}")
        axes.yaxis.set_minor_formatter(NullFormatter())
    unit = f"{panel.unit}, log scale" if panel.log else panel.unit
    label_axes(axes, title=panel.title, x="step", y=unit)
    axes.legend(fontsize=TEXT, frameon=False, loc="center left", bbox_to_anchor=(1, 0.5), ncols=1)
