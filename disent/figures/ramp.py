# SPDX-License-Identifier: Apache-2.0
"""Which latent wakes when: the rate of each latent along the ramp of the capacity."""

import re
from collections.abc import Mapping
from itertools import cycle

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from disent.checks import check_columns
from disent.figures.style import COLOURS, FAINT, FAINT_RATE, MUTED, TEXT, label_axes, new_figure

AWAKE = 0.5  # nats per image: a latent that was above it is named, though it sleeps again
RATE_OF_LATENT = re.compile(r"rate_(\d+)")
LINES = ("-", "--", ":")


def capacity_ramp(
    history: pd.DataFrame,
    *,
    wakes: Mapping[int, float] | pd.Series | None = None,
    factors: Mapping[int, str] | None = None,
    title: str = "",
) -> Figure:
    """The rate of each latent against the capacity C, with the places where latents wake.

    With the factors that the latents of the trained model follow, each line is named by its factor:
    the figure then tells which factor is learnt at which capacity (Burgess et al., 2018, figure 3,
    https://arxiv.org/abs/1804.03599). The factor is that of the end: on the way a latent may have
    followed another.

    Args:
        history: One run's logged steps: `capacity`, and `rate_0`, `rate_1`, ..., nats per image.
        wakes: C at which a latent wakes, by the latent's number, such as `disent.runs.wake_up`
            finds; each is marked on the latent's line.
        factors: The factor that a latent follows, by the latent's number.
        title: Above the figure.
    Raises:
        ValueError: Nothing was logged of capacity or rates.
    """
    check_columns(history, ["step", "capacity"])
    # rows of scores alone have no capacity
    history = history.dropna(subset=["capacity"]).sort_values("step").reset_index(drop=True)
    rates = _rates(history)
    if not rates or history.empty:
        raise ValueError("the history has no capacity or no rate_0, rate_1, ...: no ramp to draw.")
    order = sorted(rates, key=lambda latent: -rates[latent].iloc[-1])
    named = [z for z in order if rates[z].iloc[-1] >= FAINT_RATE or rates[z].max() >= AWAKE]
    figure = new_figure(1400, 760)
    axes = figure.add_axes((0.08, 0.13, 0.6, 0.78))
    for latent in [latent for latent in order if latent not in named]:
        axes.plot(history["capacity"], rates[latent], color=FAINT, linewidth=0.8)
    looks = cycle([(colour, line) for line in LINES for colour in COLOURS])
    marks = {} if wakes is None else dict(wakes)
    for latent, (colour, line) in zip(named, looks, strict=False):
        name = f"z{latent}" + (f": {factors[latent]}" if factors and latent in factors else "")
        if latent in marks:
            name += f", wakes at {marks[latent]:.1f}"
            _mark(axes, history, latent, float(marks[latent]), colour)
        axes.plot(history["capacity"], rates[latent], color=colour, ls=line, lw=1.2, label=name)
    if len(named) < len(order):
        axes.plot([], [], color=FAINT, label=f"{len(order) - len(named)} faint")
    end = float(history["capacity"].max())
    axes.plot([0, end], [0, end], color=MUTED, linewidth=0.8, linestyle="-.", label="all: C")
    axes.set_ylim(0, max(1.1 * max(float(rates[z].max()) for z in order), 1.0))
    label_axes(
        axes,
        title=title or "Rate of each latent while the capacity rises (a triangle: it wakes)",
        x="capacity C, nats per image",
        y="rate of the latent, nats per image",
    )
    axes.legend(fontsize=TEXT, frameon=False, loc="center left", bbox_to_anchor=(1.01, 0.5))
    return figure


def _mark(axes: Axes, history: pd.DataFrame, latent: int, capacity: float, colour: str) -> None:
    """A triangle on the latent's line."""
    nearest = int((history["capacity"] - capacity).abs().to_numpy().argmin())
    rate = float(history[f"rate_{latent}"].to_numpy()[nearest])
    axes.plot([capacity], [rate], marker="^", color=colour, markersize=6, linestyle="none")


def _rates(history: pd.DataFrame) -> dict[int, pd.Series]:
    """The logged rate of each latent, by its number; columns without any value are left out."""
    found = {
        int(match[1]): history[str(name)].astype(float)
        for name in history.columns
        if (match := RATE_OF_LATENT.fullmatch(str(name)))
    }
    return {latent: rates for latent, rates in found.items() if rates.notna().any()}
