# SPDX-License-Identifier: Apache-2.0
"""Posteriors over the prior: how much a latent's code of one picture differs from no code."""

import math
from collections.abc import Sequence

import torch
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from disent.checks import check_finite
from disent.figures.style import (
    COLOURS,
    FAINT_RATE,
    INK,
    MUTED,
    TEXT,
    label_axes,
    new_figure,
    text_pixels,
    wrap,
)
from disent.gaussian import DiagonalGaussian
from disent.streams import Stream

ROWS = 10_000  # pictures that the aggregate is averaged over, at most
PLACES = 1001  # values of z at which densities are computed
WIDTH, TALL = 1400, 760  # screen pixels, without the note


def posteriors_over_prior(
    means: Float[Tensor, "n d"],
    stds: Float[Tensor, "n d"],
    *,
    latents: Sequence[int] | None = None,
    pictures: int = 12,
    note: str = "",
) -> Figure:
    """Densities of some latents, a column each: single pictures above, all together below.

    Above, thin: q(z_j|x) = N(mean, std^2) of the same few pictures in every column. Below, thick:
    the aggregate posterior q(z_j), the mean of that density over the pictures (at most 10,000
    random ones, seed 0). Dashed in both: the prior N(0, 1). A latent of zero KL shows the prior
    alone; a latent of high KL shows narrow posteriors that together fill the prior.

    Args:
        means: Posterior means of n pictures.
        stds: Posterior standard deviations, in the same order.
        latents: Which to draw; None: of highest KL, of lowest KL above 0.1 nats, of lowest KL.
        pictures: How many posteriors are drawn above (random pictures, seed 0).
        note: Below the figure: which pictures these are.
    Raises:
        ValueError: The shapes do not fit, a value is not finite, a std is not positive, or there
            is no such latent.
    References:
        Hoffman & Johnson (2016), "ELBO surgery", on the aggregate posterior,
        http://approximateinference.org/accepted/HoffmanJohnson2016.pdf.
    """
    _check(means, stds, pictures)
    means, stds = means.detach().cpu().double(), stds.detach().cpu().double()
    rates = DiagonalGaussian(means, 2 * stds.log()).kl().mean(0)
    chosen = _spread(rates) if latents is None else _known(latents, len(rates))
    order = Stream(0, "posteriors to draw").permutation(0, len(means))
    figure, panels = _canvas(len(chosen), note)
    for latent, (above, below) in zip(chosen, panels, strict=True):
        mean, std = means[order, latent], stds[order, latent]
        limit = max(3.5, 1.05 * float(mean.abs().max()))
        z = torch.linspace(-limit, limit, PLACES, dtype=torch.float64)
        _draw(above, z, _density(z, mean[:pictures, None], std[:pictures, None]), thick=False)
        _draw(below, z, _aggregate(z, mean[:ROWS], std[:ROWS])[None], thick=True)
        faint = " (faint)" if rates[latent] < FAINT_RATE else ""
        title = f"z{latent}   KL {float(rates[latent]):.2f} nats{faint}"
        first = latent == chosen[0]
        label_axes(above, title=title, x="", y="density of single pictures" if first else "")
        label_axes(below, title="", x="z", y="density of all together" if first else "")
    lines = [panels[0][0].lines[0], panels[0][1].lines[0], panels[0][0].lines[-1]]
    names = ["q(z|x) of single pictures", "aggregate q(z)", "prior N(0, 1)"]
    figure.legend(lines, names, fontsize=TEXT, frameon=False, loc="upper right", ncols=3)
    return figure


def _spread(rates: Float[Tensor, "d"]) -> list[int]:
    """The latents of highest KL, of lowest KL that is not faint, and of lowest KL; each once."""
    order = rates.argsort(descending=True, stable=True).tolist()
    seen = [latent for latent in order if rates[latent] >= FAINT_RATE]
    return list(dict.fromkeys([order[0], *seen[-1:], order[-1]]))


def _density(z: Tensor, mean: Tensor, std: Tensor) -> Tensor:
    return (-0.5 * ((z - mean) / std) ** 2).exp() / (std * math.sqrt(2 * math.pi))


def _aggregate(z: Tensor, mean: Float[Tensor, "n"], std: Float[Tensor, "n"]) -> Tensor:
    """The mean density over the pictures, a thousand of them at once."""
    total = torch.zeros_like(z)
    for some, widths in zip(mean.split(1000), std.split(1000), strict=True):
        total += _density(z, some[:, None], widths[:, None]).sum(0)
    return total / len(mean)


def _draw(axes: Axes, z: Tensor, densities: Float[Tensor, "m places"], *, thick: bool) -> None:
    """The densities, and the prior dashed over them."""
    colour, width = (COLOURS[1], 1.8) if thick else (COLOURS[0], 0.6)
    for density in densities:
        axes.plot(z.numpy(), density.numpy(), color=colour, linewidth=width)
    prior = _density(z, torch.zeros(1).double(), torch.ones(1).double())
    axes.plot(z.numpy(), prior.numpy(), color=INK, linewidth=1, linestyle=(0, (4, 2)))
    axes.set(xlim=(float(z[0]), float(z[-1])), ylim=(0, None))


def _canvas(columns: int, note: str) -> tuple[Figure, list[tuple[Axes, Axes]]]:
    """Two panels a column, one above the other, with room for the legend and the note."""
    note = wrap(note, WIDTH)
    lower = 24 + round(1.35 * text_pixels() * len(note.splitlines()))
    height = TALL + lower
    figure = new_figure(WIDTH, height)
    figure.text(12 / WIDTH, 12 / height, note, fontsize=TEXT, color=MUTED, va="bottom")
    places = {"left": 90 / WIDTH, "right": 1 - 20 / WIDTH}
    places |= {"bottom": (lower + 60) / height, "top": 1 - 110 / height}
    panels = figure.add_gridspec(2, columns, **places, wspace=0.2, hspace=0.2).subplots(
        sharex="col", squeeze=False
    )
    return figure, [(panels[0, column], panels[1, column]) for column in range(columns)]


def _known(latents: Sequence[int], number: int) -> list[int]:
    if not latents or min(latents) < 0 or max(latents) >= number:
        raise ValueError(
            f"got latents {list(latents)}, but at least one of 0 to {number - 1} is wanted: "
            "the model has no other."
        )
    return list(latents)


def _check(means: Tensor, stds: Tensor, pictures: int) -> None:
    if means.ndim != 2 or means.shape != stds.shape or 0 in means.shape:
        raise ValueError(
            f"means has shape {list(means.shape)} and stds {list(stds.shape)}, but [n, d] is "
            "wanted of both: one row a picture, one column a latent."
        )
    if pictures < 1:
        raise ValueError(f"pictures must be >= 1, got {pictures}. 12 is usual.")
    check_finite(means, "means")
    check_finite(stds, "stds")
    if float(stds.min()) <= 0:
        raise ValueError(
            f"stds goes down to {float(stds.min()):.4g}, but standard deviations are positive: "
            "give (0.5 * logvar).exp()."
        )
