# SPDX-License-Identifier: Apache-2.0
"""Matrices as pictures: information of factors and latents, rank correlation of scores."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from disent.figures.style import FAINT_RATE, INK, TEXT, new_figure

CELL = 118  # screen pixels
LETTER = 0.6  # of the height of a letter: its width


def information_matrix(
    information: np.ndarray | Sequence[Sequence[float]],
    entropies: Sequence[float],
    factors: Sequence[str],
    *,
    rates: Sequence[float] | None = None,
    title: str = "I(factor; latent) / H(factor)",
) -> Figure:
    """How much of each factor each latent tells: a row a factor, a column a latent.

    Args:
        information: [k, d], mutual information of factor and latent, nats.
        entropies: [k], of the factors, nats; a factor with one value (entropy 0) gets share 0.
        factors: The k names.
        rates: [d], nats per image; latents are then ordered by it, and marked as faint below 0.1.
        title: Above the figure.
    Raises:
        ValueError: The shapes do not fit, or a share is not finite.
    """
    table, entropy = np.asarray(information, float), np.asarray(entropies, float)
    if table.ndim != 2 or table.shape[0] != len(entropy) or len(entropy) != len(factors):
        raise ValueError(
            f"information has shape {list(table.shape)} for {len(factors)} factors and "
            f"{len(entropy)} entropies. One row a factor is wanted, one column a latent."
        )
    shares = table / np.where(entropy == 0, np.inf, entropy)[:, None]
    if not np.isfinite(shares).all():
        raise ValueError("information holds values that are not finite: evaluate the run again.")
    order = list(range(table.shape[1]))
    if rates is not None:
        if len(rates) != len(order):
            raise ValueError(
                f"got {len(rates)} rates for {len(order)} latents: one each is wanted."
            )
        order.sort(key=lambda latent: -rates[latent])
    columns = [
        f"z{z}" + ("\n(faint)" if rates is not None and rates[z] < FAINT_RATE else "")
        for z in order
    ]
    return _matrix(shares[:, order], list(factors), columns, title, "viridis", (0.0, 1.0))


def rank_correlation_matrix(correlations: pd.DataFrame, *, runs: int | None = None) -> Figure:
    """Spearman's rank correlation of each pair of scores, from -1 to 1.

    Args:
        correlations: Square, by the scores' names, such as `disent.runs.rank_correlations` returns.
            NaN is left blank.
        runs: Over how many runs, for the title.
    Raises:
        ValueError: The table is not square.
    """
    if list(correlations.index) != list(correlations.columns) or correlations.empty:
        raise ValueError(
            f"correlations has the rows {list(correlations.index)} and the columns "
            f"{list(correlations.columns)}, but a square table of scores is wanted."
        )
    names = [str(name) for name in correlations.columns]
    title = "Rank correlation of scores (Spearman)" + (f", {runs} runs" if runs else "")
    return _matrix(correlations.to_numpy(float), names, names, title, "PuOr", (-1.0, 1.0))


def _matrix(
    values: np.ndarray,
    rows: Sequence[str],
    columns: Sequence[str],
    title: str,
    colours: str,
    ends: tuple[float, float],
) -> Figure:
    """Numbered cells, and a colour bar; margins as wide as the names."""
    letter = TEXT * 200 / 72
    left = 40 + LETTER * letter * max(len(name) for name in rows)
    longest = max(len(line) for name in columns for line in name.split("\n"))
    slanted = LETTER * letter * longest > CELL - 8
    bottom = 40 + (LETTER * letter * longest if slanted else 2.6 * letter)
    wide, tall = CELL * len(columns), CELL * len(rows)
    width, height = left + wide + 190, bottom + tall + 90
    figure = new_figure(round(width), round(height))
    axes = figure.add_axes((left / width, bottom / height, wide / width, tall / height))
    image = axes.imshow(values, cmap=colours, vmin=ends[0], vmax=ends[1], aspect="auto")
    axes.set_xticks(range(len(columns)), columns, rotation=90 if slanted else 0)
    axes.set_yticks(range(len(rows)), rows)
    axes.tick_params(length=0, labelsize=TEXT, colors=INK)
    axes.spines[:].set_visible(False)
    axes.set_title(title, fontsize=TEXT + 1, color=INK, loc="left", x=-left / wide + 0.01)
    _number(axes, values, image)
    bar = figure.add_axes(((left + wide + 30) / width, bottom / height, 24 / width, tall / height))
    figure.colorbar(image, cax=bar)
    bar.tick_params(labelsize=TEXT - 1, colors=INK, width=0.6)
    return figure


def _number(axes: Axes, values: np.ndarray, image: object) -> None:
    for (row, column), value in np.ndenumerate(values):
        if np.isfinite(value):
            red, green, blue, _ = image.cmap(image.norm(value))  # pyright: ignore[reportAttributeAccessIssue]
            bright = 0.299 * red + 0.587 * green + 0.114 * blue > 0.55
            axes.text(
                column,
                row,
                f"{value:.2f}".replace("-", "\N{MINUS SIGN}"),
                ha="center",
                va="center",
                fontsize=TEXT - 1,
                color="black" if bright else "white",
            )
