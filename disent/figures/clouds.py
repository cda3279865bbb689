# SPDX-License-Identifier: Apache-2.0
"""Draws of a few posteriors over the plane of two latents: which picture has which part of it."""

import math
from collections.abc import Mapping, Sequence

from jaxtyping import Float
from matplotlib.figure import Figure
from matplotlib.patches import Circle
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

WIDTH = 1360  # screen pixels of all panels together, with their labels
LARGEST = 1000  # side of a panel
SHARES = (0.5, 0.95)  # of N(0, 1) over the plane, inside the circles


def clouds(
    panels: Mapping[str, Float[Tensor, "p n 2"]],
    *,
    names: Sequence[str],
    latents: tuple[int, int] = (0, 1),
    note: str = "",
) -> Figure:
    """Draws of q(z|x) of a few pictures, a colour each, over circles that are the prior's.

    Posteriors that tile the prior fill the circles side by side; those of a VAE, which are
    Gaussians, overlap or leave gaps.

    Args:
        panels: By title: n draws of each of p pictures. All panels have the same pictures and axes.
        names: Of the p pictures, at most 7.
        latents: Which two, to the right and upwards.
        note: Below the figure: how the draws were made.
    Raises:
        ValueError: A panel is no such table, or a draw is not finite.
    References:
        Mescheder et al. (2017), "Adversarial Variational Bayes", https://arxiv.org/abs/1701.04722,
        whose figure of the synthetic example has the two panels VAE and AVB.
    """
    _check(panels, names)
    width, whole = WIDTH, min(LARGEST, WIDTH // len(panels))
    note = wrap(note, width)
    lower = 24 + round(1.35 * text_pixels() * len(note.splitlines()))
    height = whole + 60 + lower
    figure = new_figure(width, height)
    figure.text(12 / width, 12 / height, note, fontsize=TEXT, color=MUTED, va="bottom")
    reach = max(3.2, *(1.05 * float(draws.abs().max()) for draws in panels.values()))
    for i, (title, draws) in enumerate(panels.items()):
        left, bottom = (i * whole + 100) / width, (lower + 90) / height
        side = whole - 130
        axes = figure.add_axes((left, bottom, side / width, side / height))
        for own, colour, name in zip(draws.detach().cpu(), COLOURS, names, strict=False):
            axes.scatter(*own.T.numpy(), s=1.2, color=colour, linewidths=0, label=name, alpha=0.6)
        for share in SHARES:
            radius = math.sqrt(-2 * math.log1p(-share))  # of a Rayleigh distribution
            axes.add_patch(Circle((0, 0), radius, fill=False, color=INK, linewidth=0.8))
        label_axes(axes, title=title, x=f"z{latents[0]}", y=f"z{latents[1]}")
        axes.set(xlim=(-reach, reach), ylim=(-reach, reach), aspect="equal")
    figure.text(
        12 / width, 1 - 12 / height, "Posteriors of single pictures", fontsize=TEXT + 1,
        color=INK, va="top",
    )  # fmt: skip
    handles, labels = figure.axes[0].get_legend_handles_labels()
    figure.legend(
        handles, labels, fontsize=TEXT, frameon=False, loc="upper right", markerscale=6, ncols=4
    )
    return figure


def _check(panels: Mapping[str, Tensor], names: Sequence[str]) -> None:
    if not panels or not 1 <= len(names) <= len(COLOURS):
        raise ValueError(
            f"got {len(panels)} panels and {len(names)} pictures, but at least one panel and 1 to "
            f"{len(COLOURS)} pictures are wanted."
        )
    for title, draws in panels.items():
        if draws.ndim != 3 or draws.shape[0] != len(names) or draws.shape[2] != 2:
            raise ValueError(
                f"the draws of panel {title!r} have shape {list(draws.shape)}, but "
                f"[{len(names)}, n, 2] is wanted: of each picture n draws of two latents."
            )
        check_finite(draws.flatten(0, 1), "draws")
