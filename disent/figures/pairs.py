# SPDX-License-Identifier: Apache-2.0
"""Pair plot of latents: how the posterior means of the most informative ones lie together."""

from jaxtyping import Float, Shaped
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.gridspec import GridSpec
from torch import Tensor

from disent.checks import check_finite
from disent.figures.style import (
    COLOURS,
    FAINT,
    FAINT_RATE,
    INK,
    MUTED,
    TEXT,
    new_figure,
    text_pixels,
    wrap,
)
from disent.streams import Stream

POINTS = 2000  # a scatter of more hides its own density
BINS = 61  # odd, so that a latent that stays at 0 fills one bin
WIDTH, LEFT, RIGHT, TOP, BOTTOM = 1400, 110, 20, 140, 100  # screen pixels
MAP = "cividis"  # sequential; alike to readers with and without colour blindness


def latent_pairs(
    means: Float[Tensor, "n d"],
    rates: Float[Tensor, "d"],
    *,
    factor: Shaped[Tensor, "n"] | None = None,
    factor_name: str = "",
    latents: int = 5,
    note: str = "",
) -> Figure:
    """Posterior means of the latents of highest rate: pairs below the diagonal, one each on it.

    All panels share one range, so that a latent that does not move is seen not to. Histograms are
    of all pictures; pairs show at most 2,000 of them, drawn at random (seed 0). Latents below 0.1
    nats per image are grey and called faint.

    Args:
        means: Posterior means, in standard deviations of the prior N(0, 1).
        rates: Mean KL of each latent from the prior, nats per image.
        factor: Colours picture i by its value of one factor, on a scale from dark to bright.
        factor_name: Stands at the colour bar.
        latents: Show so many; fewer if the model has fewer.
        note: Below the figure: which pictures these are.
    Raises:
        ValueError: The shapes do not fit, a value is not finite, or no latent is asked for.
    """
    _check(means, rates, factor, latents)
    means, rates = means.detach().cpu(), rates.detach().cpu()
    order = rates.argsort(descending=True, stable=True)[:latents].tolist()
    limit = 1.05 * max(3.0, float(means[:, order].abs().max()))
    shown = Stream(0, "points of the pair plot").permutation(0, len(means))[:POINTS]
    values = None if factor is None else factor.detach().cpu()[shown].double()
    figure, grid = _canvas(len(order), note)
    for row, lower in enumerate(order):
        for column, left in enumerate(order[: row + 1]):
            axes = figure.add_subplot(grid[row, column])
            faint = min(float(rates[lower]), float(rates[left])) < FAINT_RATE
            if row == column:
                _histogram(axes, means[:, lower], limit, faint)
                _name(axes, lower, float(rates[lower]))
            else:
                _scatter(axes, means[shown][:, [left, lower]], limit, values, faint)
            _outer_labels(axes, f"z{left}", f"z{lower}", row == len(order) - 1, column == 0)
    if values is not None and len(order) > 1:
        _colour_bar(figure, values, factor_name)
    return figure


def _canvas(panels: int, note: str) -> tuple[Figure, GridSpec]:
    """A square of panels between its title and its note."""
    note = wrap(note, WIDTH)
    bottom = BOTTOM + round(1.35 * text_pixels() * len(note.splitlines()))
    height = TOP + (WIDTH - LEFT - RIGHT) + bottom
    figure = new_figure(WIDTH, height)
    figure.text(12 / WIDTH, 1 - 12 / height, "Posterior means", size=TEXT + 1, color=INK, va="top")
    figure.text(12 / WIDTH, 12 / height, note, size=TEXT, color=MUTED, va="bottom")
    places = {"left": LEFT / WIDTH, "right": 1 - RIGHT / WIDTH}
    places |= {"bottom": bottom / height, "top": 1 - TOP / height}
    return figure, figure.add_gridspec(panels, panels, **places, wspace=0.12, hspace=0.12)


def _histogram(axes: Axes, means: Tensor, limit: float, faint: bool) -> None:
    """The density of one latent's posterior means; its height is left out."""
    colour = FAINT if faint else COLOURS[0]
    axes.hist(means.double().numpy(), BINS, range=(-limit, limit), density=True, color=colour)
    axes.set(xlim=(-limit, limit), yticks=[])


def _scatter(
    axes: Axes, points: Float[Tensor, "m 2"], limit: float, values: Tensor | None, faint: bool
) -> None:
    x, y = points.double().numpy().T
    if values is None:
        axes.scatter(x, y, s=3, lw=0, alpha=0.7, color=MUTED if faint else COLOURS[0])
    else:
        axes.scatter(x, y, s=3, lw=0, alpha=0.7, c=values.numpy(), cmap=MAP)
    axes.set(xlim=(-limit, limit), ylim=(-limit, limit), yticks=[-2, 0, 2])


def _name(axes: Axes, latent: int, rate: float) -> None:
    """Above a panel of the diagonal, where the triangle leaves room: latent and rate."""
    faint = rate < FAINT_RATE
    text = f"z{latent}\n{rate:.2f} nats" + ("\nfaint" if faint else "")
    axes.set_title(text, fontsize=TEXT, color=MUTED if faint else INK, loc="left", pad=4)


def _outer_labels(axes: Axes, x: str, y: str, lowest: bool, leftmost: bool) -> None:
    """Ticks and names on the left and the lower edge of the triangle alone."""
    axes.tick_params(labelsize=TEXT, colors=INK, width=0.6, length=3)
    axes.tick_params(labelbottom=lowest, labelleft=leftmost)
    axes.set_xticks([-2, 0, 2])
    if lowest:
        axes.set_xlabel(x, fontsize=TEXT, color=INK)
    if leftmost:
        axes.set_ylabel(y, fontsize=TEXT, color=INK)
    for side, spine in axes.spines.items():
        spine.set_visible(side in ("left", "bottom"))
        spine.set_linewidth(0.6)


def _colour_bar(figure: Figure, values: Tensor, name: str) -> None:
    """The factor's scale, in the empty upper right."""
    scale = Normalize(float(values.min()), float(values.max()))
    top = 1 - (TOP + 10) / figure.bbox.height
    bar = figure.add_axes((0.66, top, 0.3, 22 / figure.bbox.height))
    figure.colorbar(ScalarMappable(scale, MAP), cax=bar, orientation="horizontal")
    bar.set_title(name, fontsize=TEXT, color=INK, loc="left", pad=4)
    bar.tick_params(labelsize=TEXT, colors=INK, width=0.6)


def _check(means: Tensor, rates: Tensor, factor: Tensor | None, latents: int) -> None:
    if means.ndim != 2 or rates.shape != means.shape[1:] or 0 in means.shape:
        raise ValueError(
            f"means has shape {list(means.shape)} and rates {list(rates.shape)}, but [n, d] and "
            "[d] are wanted: one row a picture, one rate a latent."
        )
    if factor is not None and factor.shape != means.shape[:1]:
        raise ValueError(
            f"factor has shape {list(factor.shape)} for {len(means)} pictures. "
            "Give one factor's value of each picture, in the same order."
        )
    if latents < 1:
        raise ValueError(f"latents must be >= 1, got {latents}. 5 is usual.")
    check_finite(means, "means")
    check_finite(rates[None], "rates")
