# SPDX-License-Identifier: Apache-2.0
import math

import pytest
import torch
from jaxtyping import Int, UInt8
from torch import Tensor

from disent.data import DSprites
from disent.data.base import FactorDataset
from disent.data.census import count_pictures
from disent.grid import FactorGrid
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


def test_dsprites():
    """A square looks alike after 90 degrees, an ellipse after 180; the last angle is the first."""
    census = count_pictures(DSprites())
    assert census.pictures == 737_280
    assert census.distinct == 715_706
    assert census.entropy == pytest.approx(13.470, abs=5e-4)
    assert census.binary
