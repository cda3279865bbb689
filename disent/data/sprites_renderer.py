# SPDX-License-Identifier: Apache-2.0
"""dSprites, rendered pixel for pixel: three polygons, scaled, turned, moved and rasterised.

The geometry was recovered from published pictures of the official set. A canvas of 64 x 64 pixels,
y downwards; pixel (row, column) has its centre at (column + 1/2, row + 1/2). A sprite is a polygon
in units of its half size, 9.6 pixels times its scale. Turning is counter-clockwise on the screen.
Vertices are rounded to 1/256 pixel, and a pixel is white where its centre is inside the polygon
(even-odd rule); a centre on an edge belongs to the pixel to its right, or above.
"""

from collections.abc import Iterator

import numpy as np
from jaxtyping import Float, Int, UInt64

SIZES = (3, 6, 40, 32, 32)
SIDE = 64
SUBPIXELS = 256
HALF_SIZE = 9.6
SCALES = np.linspace(0.5, 1.0, SIZES[1])
ANGLES = np.linspace(0.0, 2 * np.pi, SIZES[2])  # both ends: value 39 repeats value 0
CENTRES = 16.0 + 32.0 * np.linspace(0.0, 1.0, SIZES[3])  # pixels, along x and along y

ALL_COLUMNS = np.uint64(2**64 - 1)


def square() -> Float[np.ndarray, "v 2"]:
    """Corners of the square, (x, y) in half sizes."""
    return np.array([[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, 1.0]])


def ellipse() -> Float[np.ndarray, "v 2"]:
    """100 points of an ellipse that lies on its side."""
    t = np.arange(100) * (2 * np.pi / 100)
    return np.stack([1.33 * np.cos(t), np.sin(t) / 1.33], axis=1)


def heart() -> Float[np.ndarray, "v 2"]:
    """150 points of an upright heart, tip down."""
    t = np.arange(150) * (2 * np.pi / 150)
    height = 13 * np.cos(t) - 5 * np.cos(2 * t) - 2 * np.cos(3 * t) - np.cos(4 * t)
    return np.stack([np.sin(t) ** 3, -height / 14.5 - 0.15], axis=1)


def render() -> Iterator[UInt64[np.ndarray, "pos_x pos_y row"]]:
    """Every sprite at its 32 x 32 places, in the official order of shape, scale and orientation.

    Each picture is 64 words, one a row from the top; bit c of a word, counted from the lowest, is
    the pixel of column c.
    """
    for outline in (square(), ellipse(), heart()):
        for scale in SCALES:
            for angle in ANGLES:
                yield place(turn(outline, angle) * HALF_SIZE * scale)


def turn(outline: Float[np.ndarray, "v 2"], angle: float) -> Float[np.ndarray, "v 2"]:
    """The outline turned counter-clockwise on a screen whose y runs downwards."""
    x, y = outline.T
    cosine, sine = np.cos(angle), np.sin(angle)
    return np.stack([cosine * x + sine * y, cosine * y - sine * x], axis=1)


def place(outline: Float[np.ndarray, "v 2"]) -> UInt64[np.ndarray, "pos_x pos_y row"]:
    """The outline, in pixels about its centre, rasterised at every place of the grid.

    x depends on pos_x alone and y on pos_y alone. So for each pos_y the rows that each edge crosses
    are listed once, and each crossing's column is found for all pos_x together, in whole numbers.
    """
    x, y = (_subpixels(outline[:, axis] + CENTRES[:, None]) for axis in (0, 1))  # [place, vertex]
    pictures = np.zeros((len(CENTRES), len(CENTRES), SIDE), np.uint64)
    for pos_y, ends in enumerate(y):
        edge, row = _crossings(ends, np.roll(ends, -1))
        masks = _right_of(_columns(x, ends, edge, row))
        starts = np.flatnonzero(np.diff(row, prepend=-1))
        pictures[:, pos_y, row[starts]] = np.bitwise_xor.reduceat(masks, starts, axis=1)
    return pictures


def _subpixels(pixels: Float[np.ndarray, "*n"]) -> Int[np.ndarray, "*n"]:
    """Rounded to 1/256 pixel, halves upwards, as whole numbers."""
    return np.floor(pixels * SUBPIXELS + 0.5).astype(np.int64)


def _crossings(
    start: Int[np.ndarray, "v"], end: Int[np.ndarray, "v"]
) -> tuple[Int[np.ndarray, "c"], Int[np.ndarray, "c"]]:
    """(edge, row) of every row whose centre line an edge crosses, sorted by row.

    An edge from y = low to y = high crosses the rows with low < centre <= high.
    """
    half = SUBPIXELS // 2
    first = (np.minimum(start, end) - half) // SUBPIXELS + 1
    last = (np.maximum(start, end) - half) // SUBPIXELS
    count = last - first + 1
    edge = np.repeat(np.arange(len(start)), count)
    row = np.arange(len(edge)) - np.repeat(np.cumsum(count) - count, count) + first[edge]
    order = np.argsort(row, kind="stable")
    return edge[order], row[order]


def _columns(
    x: Int[np.ndarray, "place v"],
    y: Int[np.ndarray, "v"],
    edge: Int[np.ndarray, "c"],
    row: Int[np.ndarray, "c"],
) -> Int[np.ndarray, "place c"]:
    """The first column whose centre is not left of where the edge crosses the row: a ceiling."""
    half = SUBPIXELS // 2
    run = (np.roll(x, -1, axis=1) - x)[:, edge]
    rise = (np.roll(y, -1) - y)[edge]
    into = row * SUBPIXELS + half - y[edge]
    # x + run * into / rise - 1/2, over 1 pixel; the sign of rise goes into the numerator
    numerator = (x[:, edge] - half) * np.abs(rise) + np.sign(rise) * into * run
    return -(-numerator // (np.abs(rise) * SUBPIXELS))


def _right_of(columns: Int[np.ndarray, "place c"]) -> UInt64[np.ndarray, "place c"]:
    """Words with the bits of all columns from each given one on."""
    columns = np.clip(columns, 0, SIDE)
    shifted = ALL_COLUMNS << np.minimum(columns, SIDE - 1).astype(np.uint64)
    return np.where(columns < SIDE, shifted, np.uint64(0))
