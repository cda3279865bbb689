# SPDX-License-Identifier: Apache-2.0
"""The polarised regime: which latents a model uses, and whether its decoder follows local PCA."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from torch import Tensor

from disent.checks import check_finite
from disent.figures.style import (
    COLOURS,
    INK,
    MUTED,
    TEXT,
    label_axes,
    new_figure,
    text_pixels,
    wrap,
)

WIDTH = 1400  # screen pixels
CELL, TALL, NARROWEST = 110, 76, 900  # width and height of a heat map's cell; of its figure
MANY = 12  # latents; the names of more stand upright


def polarised_regime(
    means: Float[Tensor, "n d"],
    logvars: Float[Tensor, "n d"],
    regimes: Sequence[str],
    *,
    note: str = "",
) -> Figure:
    """Variance of the posterior means as a bar, posterior variance as a point, of each latent.

    The point is the mean over pictures; its whisker runs from the 5th to the 95th percentile. In
    the polarised regime a latent is active (point near 0, bar near 1) or passive (point near 1, no
    bar); a mixed one has a long whisker. Latents are ordered by their point.

    Args:
        means: Posterior means of n pictures.
        logvars: Natural logarithms of the posterior variances, in the same order.
        regimes: One a latent, by `disent.latents.regime.regimes`: "active", "mixed" or "passive".
        note: Below the figure: which pictures these are.
    Raises:
        ValueError: The shapes do not fit, or a value is not finite.
    References:
        Rolinek et al. (2019), "Variational Autoencoders Pursue PCA Directions (by Accident)",
        https://arxiv.org/abs/1812.06775.
    """
    _check_codes(means, logvars, regimes)
    spread = means.detach().cpu().double().numpy().var(0)
    variances = logvars.detach().cpu().double().exp().numpy()
    order = variances.mean(0).argsort(kind="stable")
    low, high = np.quantile(variances[:, order], [0.05, 0.95], axis=0)
    upright = len(order) > MANY
    figure, axes = _canvas(100, WIDTH - 120, 480, 150 if upright else 80, note)
    places = np.arange(len(order))
    axes.bar(places, spread[order], width=0.6, color=COLOURS[5], label="variance of the means")
    axes.vlines(places, low, high, color=COLOURS[1], linewidth=1.4)
    points = {"linestyle": "none", "marker": "o", "markersize": 4.5, "color": COLOURS[1]}
    label = "posterior variance (mean, 5 to 95 %)"
    axes.plot(places, variances.mean(0)[order], label=label, **points)
    axes.axhline(1, color=INK, linewidth=0.8, linestyle="--", label="variance of the prior")
    label_axes(axes, title="Regimes", x="", y="variance")
    axes.set_xticks(places, [f"z{j}{' ' if upright else chr(10)}{regimes[j]}" for j in order])
    axes.tick_params(axis="x", length=0, labelrotation=90 if upright else 0)
    axes.grid(visible=False, axis="x")
    for tick, latent in zip(axes.get_xticklabels(), order, strict=True):
        tick.set_color(MUTED if regimes[latent] == "passive" else INK)
    axes.set_ylim(0, 1.1 * max(1.1, spread.max(), high.max()))
    axes.legend(fontsize=TEXT - 1, frameon=False, loc="lower right", bbox_to_anchor=(1, 1), ncols=3)
    return figure


def jacobian_alignment(
    cosines: Float[Tensor, "d k"],
    *,
    chance: float,
    inside: Float[Tensor, "d"] | None = None,
    latents: Sequence[str] = (),
    shares: Float[Tensor, "k"] | None = None,
    note: str = "",
) -> Figure:
    """|cosine| of each latent's Jacobian column and each local principal direction, as a heat map.

    The largest of a row is framed: near 1, the latent moves the picture along one direction of the
    local PCA.

    Args:
        cosines: Absolute, in [0, 1], as `disent.latents.jacobian.alignment` gives them.
        chance: Mean largest |cosine| of random directions in the span of the k directions.
        inside: Share of each column's length that lies in that span, in [0, 1].
        latents: One label a row; none: z0, z1, ...
        shares: Of the local variance, of each direction.
        note: Below the figure: at which picture, and of which neighbours.
    Raises:
        ValueError: The shapes do not fit, or a cosine is not in [0, 1].
    References:
        Rolinek et al. (2019), https://arxiv.org/abs/1812.06775; Zietlow et al. (2021),
        "Demystifying Inductive Biases for (Beta-)VAE Based Architectures",
        https://arxiv.org/abs/2102.06822.
    """
    table = cosines.detach().cpu().double().numpy()
    rows = list(latents) or [f"z{latent}" for latent in range(len(table))]
    _check_cosines(table, rows, inside, shares)
    columns = [f"{column + 1}" for column in range(table.shape[1])]
    below = "local principal direction"
    if inside is not None:
        rows = [f"{a}\nin span {b:.2f}" for a, b in zip(rows, inside.tolist(), strict=True)]
    if shares is not None:
        columns = [f"{a}\n{100 * b:.0f} %" for a, b in zip(columns, shares.tolist(), strict=True)]
        below += ", and its share of the local variance"
    left = 40 + round(0.6 * text_pixels() * max(len(x) for row in rows for x in row.split("\n")))
    wide = min(CELL * len(columns), WIDTH - left - 20)
    chances = (
        f"Framed: the largest of each row. Chance: {chance:.2f}, the mean largest |cosine| of "
    )
    chances += f"random directions in the span of the {len(columns)} principal directions. {note}"
    figure, axes = _canvas(left, wide, TALL * len(rows), 120, chances.strip())
    axes.imshow(table, cmap="cividis", vmin=0, vmax=1, aspect="auto")
    _number_cells(axes, table)
    label_axes(axes, title="", x=below, y="")
    axes.set_title("|cosine| of Jacobian and local PCA", size=TEXT + 1, loc="left", color=INK)
    axes.set_xticks(range(len(columns)), columns)
    axes.set_yticks(range(len(rows)), rows)
    axes.tick_params(length=0)
    axes.grid(visible=False)
    return figure


def _number_cells(axes: Axes, table: np.ndarray) -> None:
    """The value in each cell, and a frame around the largest of each row."""
    for (row, column), value in np.ndenumerate(table):
        look = {"color": "white" if value < 0.5 else "black", "fontsize": TEXT}
        axes.text(column, row, f"{value:.2f}", ha="center", va="center", **look)
    for row, column in enumerate(table.argmax(1)):
        frame = {"fill": False, "edgecolor": COLOURS[1], "linewidth": 1.6}
        axes.add_patch(Rectangle((column - 0.46, row - 0.46), 0.92, 0.92, **frame))


def _canvas(left: int, wide: int, tall: int, bottom: int, note: str) -> tuple[Figure, Axes]:
    """One panel of `wide` x `tall` screen pixels, with its margins and the note below."""
    width, top = max(NARROWEST, left + wide + 20), 70
    note = wrap(note, width - 24)
    bottom += 12 + round(1.35 * text_pixels() * len(note.splitlines()))
    height = top + tall + bottom
    figure = new_figure(width, height)
    figure.text(12 / width, 12 / height, note, fontsize=TEXT, color=MUTED, va="bottom")
    place = (left / width, bottom / height, wide / width, tall / height)
    return figure, figure.add_axes(place)


def _check_codes(means: Tensor, logvars: Tensor, regimes: Sequence[str]) -> None:
    if means.ndim != 2 or means.shape != logvars.shape or 0 in means.shape:
        raise ValueError(
            f"means has shape {list(means.shape)} and logvars {list(logvars.shape)}, but [n, d] "
            "is wanted of both: one row a picture, one column a latent."
        )
    if len(regimes) != means.shape[1]:
        raise ValueError(
            f"got {len(regimes)} regimes for {means.shape[1]} latents. Give one a latent: "
            "disent.latents.regime.regimes(means, logvars)."
        )
    check_finite(means, "means")
    check_finite(logvars, "logvars")


def _check_cosines(
    table: np.ndarray, rows: Sequence[str], inside: Tensor | None, shares: Tensor | None
) -> None:
    if table.ndim != 2 or 0 in table.shape or not ((table >= 0) & (table <= 1 + 1e-4)).all():
        raise ValueError(
            f"cosines has shape {list(table.shape)} and runs from {table.min(initial=1):.4g} to "
            f"{table.max(initial=0):.4g}, but [latents, directions] in [0, 1] is wanted: "
            "give absolute values."
        )
    numbers = [len(rows), len(table if inside is None else inside)]
    directions = table.shape[1] if shares is None else len(shares)
    if numbers != [len(table)] * 2 or directions != table.shape[1]:
        raise ValueError(
            f"got {numbers[0]} labels, {numbers[1]} shares inside and {directions} shares of "
            f"variance for {len(table)} latents and {table.shape[1]} directions. Give one each."
        )
