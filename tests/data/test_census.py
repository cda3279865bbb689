# SPDX-License-Identifier: Apache-2.0
import math

import pytest
import torch
from jaxtyping import Int, UInt8
from torch import Tensor

from disent.data import DSprites
from disent.data.base import FactorDataset, PictureDataset
from disent.data.census import count_pictures
from disent.grid import FactorGrid
from tests.bars import Bars
from tests.tiny import Squares


class Repeated(FactorDataset):
    """Eight points: one picture four times, another twice, two once; values of 0 and `white`."""

    grid = FactorGrid(("a",), (8,))
    channels = 1

    def __init__(self, white: int) -> None:
        self.white = white

    @property
    def fingerprint(self) -> str:
        return "repeated"

    def images(self, index: Int[Tensor, "b"]) -> UInt8[Tensor, "b c 64 64"]:
        which = torch.tensor([0, 0, 0, 0, 1, 1, 2, 3])[index]
        pictures = torch.zeros(len(index), 1, 64, 64, dtype=torch.uint8)
        pictures[torch.arange(len(index)), 0, 0, which] = self.white
        return pictures


class Corners(PictureDataset):
    """Six pictures, no grid: three black, two white in the last corner, one in the first."""

    def __init__(self, channels: int, size: tuple[int, int]) -> None:
        self.channels, self.size = channels, size

    @property
    def fingerprint(self) -> str:
        return "corners"

    def __len__(self) -> int:
        return 6

    def images(self, index: Int[Tensor, "b"]) -> UInt8[Tensor, "b c h w"]:
        pictures = torch.zeros(len(index), self.channels, *self.size, dtype=torch.uint8)
        pictures[(index == 3) | (index == 4), -1, -1, -1] = 255
        pictures[index == 5, 0, 0, 0] = 255
        return pictures


def test_entropy_of_a_distribution_counted_by_hand():
    census = count_pictures(Repeated(255))
    # 1/2, 1/4, 1/8, 1/8: 1/2 + 2/4 + 3/8 + 3/8 = 7/4 bits
    assert census.entropy == pytest.approx(1.75 * math.log(2))
    assert census == (8, 4, census.entropy, True)


@pytest.mark.parametrize(("white", "binary"), [(255, True), (254, False), (1, False), (128, False)])
def test_binary_pictures_are_told_from_grey_ones(white, binary):
    assert count_pictures(Repeated(white)).binary is binary


def test_pictures_that_all_differ():
    census = count_pictures(Squares())
    assert census.distinct == census.pictures == 128
    assert census.entropy == pytest.approx(math.log(128))


@pytest.mark.parametrize(
    ("channels", "size"), [(1, (1, 2)), (1, (3, 3)), (3, (5, 5)), (1, (28, 28)), (3, (4, 2))]
)
def test_pictures_of_any_size_that_are_no_grid(channels, size):
    """Also those whose bytes fill no whole words: the last pixel counts as every other."""
    census = count_pictures(Corners(channels, size))
    # 1/2, 1/3, 1/6
    entropy = math.log(2) / 2 + math.log(3) / 3 + math.log(6) / 6
    assert census.entropy == pytest.approx(entropy)
    assert census == (6, 3, census.entropy, True)


def test_grey_bars_that_all_differ():
    """Of 784 bytes: 98 words."""
    census = count_pictures(Bars())
    assert census.entropy == pytest.approx(math.log(60))
    assert census == (60, 60, census.entropy, False)


@pytest.mark.slow
def test_dsprites():
    """A square looks alike after 90 degrees, an ellipse after 180; the last angle is the first."""
    census = count_pictures(DSprites())
    assert census.pictures == 737_280
    assert census.distinct == 715_706
    assert census.entropy == pytest.approx(13.470, abs=5e-4)
    assert census.binary
