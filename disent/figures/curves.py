# SPDX-License-Identifier: Apache-2.0
"""Training curves, from the rows that a run logs."""

import re
from itertools import cycle, product

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter
from pandas.api.types import is_numeric_dtype

from disent.figures.style import COLOURS, FAINT, FAINT_RATE, TEXT, label_axes, new_figure

RATE_OF_LATENT = re.compile(r"rate_\d+")
STYLES = [(colour, line) for line, colour in product(("-", "--", ":"), COLOURS)]


def curves(metrics: pd.DataFrame) -> Figure:
    """Loss, negative ELBO and distortion; rate and capacity; the rate of each latent.

    All in nats per image. Columns that are missing or empty are left out, and so are panels
    without any column.

    Args:
        metrics: One row a logged step: a column "step", and any of "loss", "elbo", "distortion",
            "rate", "capacity", "rate_0", "rate_1", ... A cell may be empty.
    Raises:
        ValueError: If there is no "step", or nothing to draw.
    """
    logged = {str(name) for name in metrics.columns if len(_logged(metrics, str(name)))}
    panels = [
        draw
        for draw, wanted in (
            (_terms, {"loss", "elbo", "distortion"}),
            (_rate, {"rate", "capacity"}),
            (_latent_rates, {name for name in logged if RATE_OF_LATENT.fullmatch(name)}),
        )
        if logged & wanted
    ]
    if not panels:
        raise ValueError(
            f"metrics has {len(metrics)} rows and the columns {list(metrics.columns)}, but "
            '"step" is wanted, and a value of loss, elbo, distortion, rate, capacity or rate_0. '
            "Give the rows of a run's metrics.csv."
        )
    figure = new_figure(700 * len(panels), 560)
    figure.set_layout_engine("constrained")
    for position, draw in enumerate(panels):
        draw(figure.add_subplot(1, len(panels), position + 1), metrics)
    return figure


def _logged(metrics: pd.DataFrame, name: str) -> pd.Series:
    """One column by step, without the steps at which it was not logged; empty if there is none."""
    if name not in metrics or "step" not in metrics or not is_numeric_dtype(metrics[name]):
        return pd.Series(dtype=float)
    return (
        pd.Series(metrics[name].to_numpy(float), metrics["step"].to_numpy()).dropna().sort_index()
    )


def _terms(axes: Axes, metrics: pd.DataFrame) -> None:
    shown = []
    for name, label, sign, look in (
        ("loss", "loss", 1, 0),
        ("elbo", "negative ELBO", -1, 1),
        ("distortion", "distortion", 1, 2),
    ):
        series = sign * _logged(metrics, name)
        if len(series):
            axes.plot(series.index, series, color=COLOURS[look], label=label, linewidth=1.1)
            shown.append(series)
    # the first steps are hundreds of times above the last: only a log scale shows both,
    # but the distortion of a density can be negative
    logarithmic = all((series > 0).all() for series in shown)
    if logarithmic:
        axes.set_yscale("log")
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.yaxis.set_major_formatter("{x:g}")
        axes.yaxis.set_minor_formatter(NullFormatter())
    label_axes(
        axes,
        title="Loss and its terms",
        x="step",
        y="nats per image, log scale" if logarithmic else "nats per image",
    )
    axes.legend(fontsize=TEXT, frameon=False)


def _rate(axes: Axes, metrics: pd.DataFrame) -> None:
    for name, colour, line in (("rate", COLOURS[0], "-"), ("capacity", COLOURS[1], "--")):
        series = _logged(metrics, name)
        if len(series):
            axes.plot(series.index, series, color=colour, linestyle=line, label=name, linewidth=1.1)
    label_axes(axes, title="Rate", x="step", y="nats per image")
    axes.legend(fontsize=TEXT, frameon=False)


def _latent_rates(axes: Axes, metrics: pd.DataFrame) -> None:
    """One line a latent, listed by last rate; those that end faint are grey and counted."""
    rates = {
        name.replace("rate_", "z"): series
        for name in map(str, metrics.columns)
        if RATE_OF_LATENT.fullmatch(name) and len(series := _logged(metrics, name))
    }
    order = sorted(rates, key=lambda latent: -rates[latent].iloc[-1])
    named = [latent for latent in order if rates[latent].iloc[-1] >= FAINT_RATE]
    for latent in order[len(named) :]:
        axes.plot(rates[latent].index, rates[latent], color=FAINT, linewidth=0.8)
    for (colour, line), latent in zip(cycle(STYLES), named, strict=False):
        series = rates[latent]
        axes.plot(series.index, series, color=colour, linestyle=line, label=latent, linewidth=1.1)
    if len(named) < len(order):
        axes.plot([], [], color=FAINT, label=f"{len(order) - len(named)} faint")
    label_axes(axes, title="Rate of each latent", x="step", y="nats per image")
    axes.legend(fontsize=TEXT, frameon=False, loc="center left", bbox_to_anchor=(1, 0.5), ncols=1)
