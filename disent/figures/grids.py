# SPDX-License-Identifier: Apache-2.0
"""Pictures in rows and columns: reconstructions, samples from the prior, interpolations."""

import math
from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from disent.checks import check_finite
from disent.figures.style import INK, MUTED, TEXT, new_figure, text_pixels, wrap

GAP = 2  # pixels of a picture, between neighbours
SMALLEST_TILE = 128  # screen pixels
MARGIN = 12  # screen pixels


def image_grid(
    images: Float[Tensor, "rows columns c h w"],
    *,
    row_labels: Sequence[str] = (),
    column_labels: Sequence[str] = (),
    title: str = "",
    note: str = "",
    group: int = 1,
) -> Figure:
    """Pictures in rows and columns, each a whole number of screen pixels per pixel.

    Args:
        images: Pictures in [0, 1]; 1 channel is drawn grey, 3 channels as RGB.
        row_labels: One label a row, at its left, or none.
        column_labels: One label a column, above it, or none.
        title: Above the pictures.
        note: Below the pictures: what a reader must know to repeat them.
        group: After this many rows the gap is wider.
    Raises:
        ValueError: If the pictures are not finite, not in [0, 1], or do not fit their labels.
    """
    _check(images, row_labels, column_labels)
    rows, columns, _, height, width = images.shape
    figure, axes = _frame(
        mosaic(images, group),
        scale=math.ceil(SMALLEST_TILE / min(height, width)),
        title=title,
        note=note,
        left=_longest_line(row_labels),
        above=bool(column_labels),
    )
    if row_labels:
        tops = (_row_top(row, height, group) for row in range(rows))
        axes.set_yticks([top + (height - 1) / 2 for top in tops], list(row_labels))
    if column_labels:
        lefts = (_column_left(column, width) for column in range(columns))
        axes.set_xticks([left + (width - 1) / 2 for left in lefts], list(column_labels))
    return figure


def reconstructions(
    originals: Float[Tensor, "n c h w"],
    reconstructions: Float[Tensor, "n c h w"],
    *,
    columns: int = 8,
    note: str = "",
) -> Figure:
    """Each original above its reconstruction, `columns` pairs in a row.

    Args:
        originals: Pictures in [0, 1].
        reconstructions: What the model made of them, in the same order.
        columns: Pairs in a row.
        note: Below the pictures.
    """
    if originals.shape != reconstructions.shape:
        raise ValueError(
            f"originals has shape {list(originals.shape)} but reconstructions has "
            f"{list(reconstructions.shape)}. Picture i of both must be the same picture."
        )
    pairs = torch.stack([_in_rows(originals, columns), _in_rows(reconstructions, columns)], 1)
    return image_grid(
        pairs.flatten(0, 1),
        row_labels=["original", "reconstruction"] * len(pairs),
        title="Reconstructions",
        note=note,
        group=2,
    )


def samples(images: Float[Tensor, "n c h w"], *, columns: int = 8, note: str = "") -> Figure:
    """Pictures decoded from samples of the prior, `columns` in a row."""
    return image_grid(_in_rows(images, columns), title="Samples from the prior", note=note)


def interpolation(
    images: Float[Tensor, "rows columns c h w"],
    *,
    ends: Float[Tensor, "rows 2 c h w"] | None = None,
    blend: bool = False,
    note: str = "",
) -> Figure:
    """Pictures on the way from one code to another, evenly spaced, one way a row.

    Args:
        images: Decoded pictures; the first and the last column belong to the two codes.
        ends: The two pictures that were encoded, drawn at the two ends of each row.
        blend: Draw below each row the blend of these two pictures' pixels, for comparison.
        note: Below the pictures.
    """
    steps = images.shape[1] - 1
    labels = [f"{column / max(steps, 1):.3g}" for column in range(steps + 1)]
    if ends is not None:
        weight = torch.linspace(0, 1, steps + 1, device=ends.device).view(-1, 1, 1, 1)
        mixed = torch.lerp(ends[:, :1], ends[:, 1:], weight)
        ways = torch.stack([images, mixed], 1).flatten(0, 1) if blend else images
        tips = ends.repeat_interleave(2, 0) if blend else ends
        images = torch.cat([tips[:, :1], ways, tips[:, 1:]], 1)
        labels = ["from", *labels, "to"]
    return image_grid(
        images,
        row_labels=["code", "pixels"] * (len(images) // 2) if blend else (),
        column_labels=labels,
        title="Interpolation between two codes" + (", and between the pixels" if blend else ""),
        note=note,
        group=2 if blend else 1,
    )


def _in_rows(images: Tensor, columns: int) -> Tensor:
    """[n, c, h, w] as [rows, columns, c, h, w]; the last row is filled with white."""
    if columns < 1 or images.ndim != 4 or len(images) == 0:
        raise ValueError(
            f"got images of shape {list(images.shape)} and columns={columns}. "
            "At least one picture is wanted, as [n, channels, height, width], and one column."
        )
    columns = min(columns, len(images))
    missing = -len(images) % columns
    return torch.cat([images, images.new_ones(missing, *images.shape[1:])]).unflatten(
        0, (-1, columns)
    )


def mosaic(images: Float[Tensor, "rows columns c h w"], group: int = 1) -> np.ndarray:
    """One picture of all: [H, W] if grey or [H, W, 3], white between the pictures."""
    rows, columns, channels, height, width = images.shape
    size = (_row_top(rows - 1, height, group) + height, _column_left(columns - 1, width) + width)
    whole = np.ones((*size, channels), np.float32)
    tiles = images.detach().to("cpu", torch.float32).clamp(0, 1).movedim(2, -1).numpy()
    for row in range(rows):
        for column in range(columns):
            y, x = _row_top(row, height, group), _column_left(column, width)
            whole[y : y + height, x : x + width] = tiles[row, column]
    return whole[..., 0] if channels == 1 else whole


def _row_top(row: int, height: int, group: int) -> int:
    """First line of a row in the mosaic; groups of several rows stand further apart."""
    return row * (height + GAP) + (3 * GAP * (row // group) if group > 1 else 0)


def _column_left(column: int, width: int) -> int:
    return column * (width + GAP)


def _frame(
    picture: np.ndarray, *, scale: int, title: str, note: str, left: int, above: bool
) -> tuple[Figure, Axes]:
    """A figure around the picture: `left` letters of labels, one line of them above or not.

    Everything is counted in whole screen pixels, so that each pixel of the picture fills a square
    of `scale` x `scale` of them.
    """
    tall, wide = (scale * size for size in picture.shape[:2])
    margin_left = MARGIN + (round(0.58 * text_pixels() * left) + 12 if left else 0)
    title, note = (wrap(text, margin_left + wide) for text in (title, note))
    line = 1.35 * text_pixels()
    top = MARGIN + round(line * (1.15 * _lines(title) + 1.3 * above)) + 8
    bottom = MARGIN + round(line * _lines(note)) + 8
    width, height = margin_left + wide + MARGIN, top + tall + bottom
    figure = new_figure(width, height)
    axes = figure.add_axes((margin_left / width, bottom / height, wide / width, tall / height))
    axes.imshow(picture, cmap="gray", vmin=0, vmax=1, interpolation="nearest", aspect="auto")
    axes.spines[:].set_visible(False)
    axes.xaxis.tick_top()
    axes.set(xticks=[], yticks=[])
    axes.tick_params(length=0, labelsize=TEXT, colors=INK, pad=3)
    x, y = MARGIN / width, MARGIN / height
    figure.text(x, 1 - y, title, fontsize=TEXT + 1, color=INK, va="top")
    figure.text(x, y, note, fontsize=TEXT, color=MUTED, va="bottom")
    return figure, axes


def _lines(text: str) -> int:
    return len(text.splitlines())


def _longest_line(labels: Sequence[str]) -> int:
    return max((len(line) for label in labels for line in label.splitlines()), default=0)


def _check(images: Tensor, row_labels: Sequence[str], column_labels: Sequence[str]) -> None:
    shape = list(images.shape)
    if images.ndim != 5 or shape[2] not in (1, 3) or 0 in shape:
        raise ValueError(
            f"images has shape {shape}, but [rows, columns, channels, height, width] is wanted, "
            "with 1 channel (grey) or 3 (RGB) and at least one picture."
        )
    for name, labels, number in (
        ("row", row_labels, shape[0]),
        ("column", column_labels, shape[1]),
    ):
        if labels and len(labels) != number:
            raise ValueError(
                f"got {len(labels)} {name} labels for {number} {name}s: {list(labels)}. "
                f"Give one label a {name}, or none."
            )
    check_finite(images.flatten(0, 1), "images")
    low, high = float(images.min()), float(images.max())
    if low < -1e-3 or high > 1 + 1e-3:
        raise ValueError(
            f"images runs from {low:.4g} to {high:.4g}, but pictures lie in [0, 1]. "
            "Give mean pictures, not logits, and divide uint8 pictures by 255."
        )
