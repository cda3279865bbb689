# SPDX-License-Identifier: Apache-2.0
"""Codes of two latents beside the prior that they are meant to follow, coloured by label."""

from jaxtyping import Float, Int
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from disent.checks import check_finite
from disent.figures.style import FAINT, INK, MUTED, TEXT, label_axes, new_figure, text_pixels, wrap

WIDTH, HEIGHT = 1400, 680  # screen pixels: two square panels with what stands around them
CLASSES = "tab10"  # ten colours that are told apart; the digit of a class stands on its codes too
SCALE = "cividis"  # for more classes than that: from dark to bright


def codes_over_prior(
    codes: Float[Tensor, "n 2"],
    samples: Float[Tensor, "m 2"],
    *,
    labels: Int[Tensor, "n"] | None = None,
    label_name: str = "",
    note: str = "",
) -> Figure:
    """Samples of a prior at the left; at the right the codes of pictures, over the same samples.

    Both panels share one range, which holds all points. Up to ten classes have a colour each, and
    their number stands at the median of their codes; more are coloured from dark to bright.

    Args:
        codes: Of pictures, two latents each.
        samples: Of the prior.
        labels: Classes of the pictures, counted from 0; -1, in grey, where one is not known.
        label_name: What the classes are of, such as "label".
        note: Below the panels.
    Raises:
        ValueError: There are other than two latents, no points, labels that do not fit, or a value
            that is not finite.
    References:
        Makhzani et al. (2015), "Adversarial Autoencoders", figure 2,
        https://arxiv.org/abs/1511.05644.
    """
    _check(codes, samples, labels)
    codes, samples = codes.detach().cpu(), samples.detach().cpu()
    note = wrap(note, WIDTH - 24)
    below = 24 + round(1.35 * text_pixels() * len(note.splitlines()))
    height = HEIGHT + below
    figure = new_figure(WIDTH, height)
    figure.text(12 / WIDTH, 12 / height, note, size=TEXT, color=MUTED, va="bottom")
    places = {"left": 130 / WIDTH, "right": 1 - 20 / WIDTH, "wspace": 0.31}
    places |= {"bottom": (below + 80) / height, "top": 1 - 60 / height}
    left, right = figure.subplots(1, 2, gridspec_kw=places)
    limit = 1.05 * max(float(codes.abs().max()), float(samples.abs().max()))
    coloured = "" if labels is None or not label_name else f", coloured by {label_name}"
    for axes, title in ((left, "Samples of the prior"), (right, f"Codes of pictures{coloured}")):
        axes.set(xlim=(-limit, limit), ylim=(-limit, limit))
        label_axes(axes, title=title, x="z0", y="z1")
    left.scatter(*samples.double().numpy().T, s=3, lw=0, color=MUTED)
    right.scatter(*samples.double().numpy().T, s=3, lw=0, color=FAINT)
    _draw_codes(right, codes, labels)
    return figure


def _draw_codes(axes: Axes, codes: Tensor, labels: Tensor | None) -> None:
    x, y = codes.double().numpy().T
    if labels is None:
        axes.scatter(x, y, s=4, lw=0, color=INK)
        return
    labels = labels.detach().cpu()
    known = sorted(set(labels.tolist()) - {-1})
    few = not known or known[-1] < 10
    colours = colormaps[CLASSES if few else SCALE]
    scale = 1 if few else 1 / max(known[-1], 1)
    shades = [FAINT if k < 0 else colours(k if few else k * scale) for k in labels.tolist()]
    axes.scatter(x, y, s=5, lw=0, color=shades)
    for k in known if few else ():
        middle = codes[labels == k].median(0).values.tolist()
        box = {"boxstyle": "circle,pad=0.15", "fc": "white", "ec": colours(k), "lw": 0.8}
        axes.text(
            middle[0], middle[1], str(k), size=TEXT, color=INK, ha="center", va="center", bbox=box
        )


def _check(codes: Tensor, samples: Tensor, labels: Tensor | None) -> None:
    for name, points in (("codes", codes), ("samples", samples)):
        if points.ndim != 2 or points.shape[1] != 2 or not len(points):
            raise ValueError(
                f"{name} has shape {list(points.shape)}, but [n, 2] is wanted: two latents are "
                "drawn, of at least one picture."
            )
        check_finite(points, name)
    if labels is not None and labels.shape != codes.shape[:1]:
        raise ValueError(
            f"labels has shape {list(labels.shape)} for {len(codes)} pictures. Give one class of "
            "each, in the same order."
        )
