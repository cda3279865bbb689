# SPDX-License-Identifier: Apache-2.0
"""The rasteriser against real pictures, published counts, and a square drawn by hand."""

from pathlib import Path

import numpy as np
import pytest

from disent.data import DSprites
from disent.data.sprites_renderer import CENTRES, SCALES, heart, place, square, turn
from disent.grid import FactorGrid

REAL = Path(__file__).parents[1] / "fixtures" / "dsprites_real_112.npz"
GRID: FactorGrid = DSprites.grid
ONES = np.array([byte.bit_count() for byte in range(256)], np.uint8)  # of each byte


def pixels(words: np.ndarray) -> np.ndarray:
    """uint64 [64] -> 0 and 1, [64, 64]."""
    return np.array([[int(word) >> column & 1 for column in range(64)] for word in words])


def sprite(outline: np.ndarray, scale: int, orientation: int) -> np.ndarray:
    """uint64 [pos_x, pos_y, row] of one sprite, angle by the stated step of 2 pi / 39."""
    return place(turn(outline, orientation * 2 * np.pi / 39) * 9.6 * SCALES[scale])


@pytest.fixture(scope="module")
def packed() -> np.ndarray:
    """uint64 [737280, 64]: the whole grid as it is kept, one word a row."""
    return DSprites()._mapped.numpy().view("<u8")


def test_all_real_pictures_are_rendered_bit_for_bit(packed):
    with np.load(REAL, allow_pickle=False) as real:
        images, factors, index = real["images"], real["factors"], real["index"]
    assert len(images) == 112
    assert (index == np.ravel_multi_index(tuple(factors.T), GRID.sizes)).all()
    wrong = [
        int(i) for i, image in zip(index, images, strict=True) if (pixels(packed[i]) != image).any()
    ]
    assert wrong == []


def test_white_pixels_are_those_of_the_official_file(packed):
    # 128,328,862 is the published mean, 0.042494423521889584, times the 737,280 x 4,096 pixels
    per_shape = [int(ONES[shape].sum(dtype=int)) for shape in np.split(packed.view(np.uint8), 3)]
    assert abs(sum(per_shape) - 128_328_862) <= 500
    for count, known in zip(per_shape, (53_612_886, 42_070_950, 32_645_028), strict=True):
        assert abs(count - known) <= 300


def test_the_last_orientation_is_the_first(packed):
    pictures = packed.reshape(3, 6, 40, 32, 32, 64)
    assert (pictures[:, :, 39] == pictures[:, :, 0]).all()
    assert (pictures[2, :, 38] != pictures[2, :, 0]).any()


def test_number_and_entropy_of_distinct_pictures(packed):
    _, counts = np.unique(packed.view("V512"), return_counts=True)
    share = counts / len(packed)
    assert len(counts) == 715_706
    # were orientation 39 the only cause: log(737,280) - log(2) / 20 = 13.476 nats
    assert -(share * np.log(share)).sum() == pytest.approx(13.470, abs=5e-4)


def test_a_square_by_hand():
    # half a side is 9.6 x 1/2 = 4.8 px about (16, 48): x from 11.2 to 20.8, y from 43.2 to 52.8, so
    # the centres 11.5 to 20.5 and 43.5 to 52.5 are inside
    wanted = np.zeros((64, 64), int)
    wanted[43:53, 11:21] = 1
    assert (pixels(sprite(square(), 0, 0)[0, 31]) == wanted).all()


def test_centres_on_an_edge_belong_to_the_right_and_above():
    # from 14.5 to 17.5 about a centre of 16: both edges run through pixel centres. Of the columns,
    # 14 belongs to the square and 17 to what is right of it; of the rows, 17 does and 14 does not.
    wanted = np.zeros((64, 64), int)
    wanted[15:18, 14:17] = 1
    assert (pixels(place(1.5 * square())[0, 0]) == wanted).all()


def test_positive_angles_turn_counter_clockwise_on_the_screen():
    # y runs downwards: a quarter turn takes a point right of the centre to above it
    np.testing.assert_allclose(turn(np.array([[1.0, 0.0]]), np.pi / 2), [[0, -1]], atol=1e-15)
    # an upright heart points down: its lowest row is narrower than its highest
    rows = pixels(sprite(heart(), 5, 0)[16, 16]).sum(1)
    low, high = np.flatnonzero(rows)[[0, -1]]
    assert rows[high] < rows[low]


def test_pos_x_moves_right_and_pos_y_down():
    there = sprite(square(), 0, 0)
    for pos_x, pos_y in ((0, 0), (31, 0), (0, 31), (7, 20)):
        row, column = (np.flatnonzero(pixels(there[pos_x, pos_y]).sum(axis)) for axis in (1, 0))
        assert abs(column.mean() + 0.5 - CENTRES[pos_x]) <= 0.5
        assert abs(row.mean() + 0.5 - CENTRES[pos_y]) <= 0.5
