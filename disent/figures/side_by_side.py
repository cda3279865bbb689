# SPDX-License-Identifier: Apache-2.0
"""Grids of pictures of many runs in one figure: the same row means the same in each of them."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from disent.figures.grids import GAP, MARGIN, mosaic
from disent.figures.style import INK, MUTED, TEXT, new_figure, text_pixels
from disent.figures.text import broken, width

ACROSS = 4  # runs beside each other
FEW, LARGE, SMALL = 4, 128, 64  # up to so many runs, and the least side of a picture; else this
BETWEEN = 28  # screen pixels between two runs
HARD = "\N{NO-BREAK SPACE}"
LINE = 1.35 * text_pixels()


@dataclass(frozen=True)
class Panel:
    """One run's pictures.

    Args:
        title: What varies, in a few words.
        images: Pictures in [0, 1].
        labels: One a row, of two lines at most.
    """

    title: str
    images: Float[Tensor, "rows columns c h w"]
    labels: Sequence[str]


def side_by_side(
    panels: Sequence[Panel], *, rows: Sequence[str], title: str = "", note: str = ""
) -> Figure:
    """Traversals of many runs, four side by side, then a line of them below.

    Args:
        panels: The runs, all with pictures of one shape.
        rows: What each row means, at the left.
        title: Above all.
        note: Below all: what a reader must know to repeat them.
    Raises:
        ValueError: There is none, or the pictures and labels do not fit each other.
    """
    _check(panels, rows)
    layout = _Layout(panels, rows, title, note)
    figure = new_figure(layout.width, layout.height)
    for place, panel in enumerate(panels):
        axes = layout.axes(figure, place)
        _draw(axes, panel, layout.rows)
        if place % layout.across == 0:
            _name_rows(axes, rows, layout)
        left, top = layout.corner(place)
        x, y = left / layout.width, 1 - (top - 8) / layout.height
        figure.text(x, y, layout.titles[place], fontsize=TEXT, color=INK, va="bottom")
    x, y = MARGIN / layout.width, MARGIN / layout.height
    figure.text(x, 1 - y, layout.title, fontsize=TEXT + 1, color=INK, va="top")
    figure.text(x, y, layout.note, fontsize=TEXT, color=MUTED, va="bottom")
    return figure


class _Layout:
    """Where everything is, in whole screen pixels from the top left corner."""

    def __init__(self, panels: Sequence[Panel], rows: Sequence[str], title: str, note: str) -> None:
        number, columns, _, high, across = panels[0].images.shape
        scale = math.ceil((LARGE if len(panels) <= FEW else SMALL) / min(high, across))
        self.across = min(ACROSS, len(panels))
        self.tall = scale * (number * (high + GAP) - GAP)
        self.wide = scale * (columns * (across + GAP) - GAP)
        self.rows = [row * (high + GAP) + (high - 1) / 2 for row in range(number)]
        self.labels = 10 + width((label for p in panels for label in p.labels), text_pixels())
        self.names = 14 + width(rows, text_pixels())
        self.titles = [_fill(_whole(panel.title), self.labels + self.wide) for panel in panels]
        self.heads = [
            round(LINE * max(_lines(text) for text in self.titles[first : first + self.across])) + 8
            for first in range(0, len(panels), self.across)
        ]
        self.pitch = self.labels + self.wide + BETWEEN
        self.left = MARGIN + self.names
        self.width = self.left + self.across * self.pitch - BETWEEN + MARGIN
        self.title = _fill(title, self.width - 2 * MARGIN, TEXT + 1)
        self.note = _fill(note, self.width - 2 * MARGIN)
        self.top = MARGIN + round(1.15 * LINE * _lines(self.title))
        below = round(LINE * _lines(self.note)) + 8
        self.height = self.top + sum(self.heads) + len(self.heads) * (self.tall + BETWEEN) + below
        self.height += MARGIN

    def corner(self, place: int) -> tuple[int, int]:
        """Left and top of a run: of its labels, and of its pictures."""
        down, across = divmod(place, self.across)
        top = self.top + sum(self.heads[: down + 1]) + down * (self.tall + BETWEEN)
        return self.left + across * self.pitch, top

    def axes(self, figure: Figure, place: int) -> Axes:
        """Those of a run's pictures."""
        left, top = self.corner(place)
        bottom = self.height - top - self.tall
        return figure.add_axes(
            (
                (left + self.labels) / self.width,
                bottom / self.height,
                self.wide / self.width,
                self.tall / self.height,
            )
        )


def _draw(axes: Axes, panel: Panel, rows: Sequence[float]) -> None:
    picture = mosaic(panel.images)
    axes.imshow(picture, cmap="gray", vmin=0, vmax=1, interpolation="nearest", aspect="auto")
    axes.spines[:].set_visible(False)
    axes.set(xticks=[])
    axes.set_yticks(list(rows), list(panel.labels))
    axes.tick_params(length=0, labelsize=TEXT, colors=INK, pad=3)


def _name_rows(axes: Axes, rows: Sequence[str], layout: _Layout) -> None:
    """What the rows mean, left of the first run of a line."""
    for row, name in zip(layout.rows, rows, strict=True):
        x = -(layout.labels + layout.names - 4) / layout.wide
        side = axes.get_yaxis_transform()
        axes.text(x, row, name, transform=side, fontsize=TEXT, color=INK, va="center")


def _lines(text: str) -> int:
    return len(text.splitlines())


def _fill(text: str, wide: int, points: float = TEXT) -> str:
    return "\n".join(broken(text, wide, text_pixels(points)))


def _whole(title: str) -> str:
    """A title that is broken behind commas only: a setting and its value stay together."""
    return ", ".join(part.replace(" ", HARD) for part in title.split(", "))


def _check(panels: Sequence[Panel], rows: Sequence[str]) -> None:
    shapes = sorted({tuple(panel.images.shape) for panel in panels})
    if len(shapes) != 1 or len(shapes[0]) != 5 or shapes[0][2] not in (1, 3) or 0 in shapes[0]:
        raise ValueError(
            f"got pictures of the shapes {shapes}, but one shape for all runs, [rows, columns, 1 "
            "or 3 channels, height, width], is wanted."
        )
    lengths = {len(rows), *(len(panel.labels) for panel in panels)}
    if lengths != {shapes[0][0]}:
        raise ValueError(
            f"got {sorted(lengths)} names and labels for {shapes[0][0]} rows. Give one a row."
        )
