# SPDX-License-Identifier: Apache-2.0
"""A thinned grid shows the pictures of its parent at every n-th value."""

import pytest
import torch

from disent.data.subgrid import SubGrid
from tests.tiny import Squares

DATA = Squares()  # sizes 2, 8, 8


def test_its_pictures_are_its_parents():
    coarse = SubGrid(DATA, (1, 2, 3))
    assert coarse.grid.sizes == (2, 4, 3)
    index = coarse.grid.index(torch.tensor([[1, 3, 2], [0, 1, 1]]))
    parent = DATA.grid.index(torch.tensor([[1, 6, 6], [0, 2, 3]]))
    assert torch.equal(coarse.images(index), DATA.images(parent))
    assert torch.equal(coarse.batch(index), DATA.batch(parent))
    assert torch.equal(coarse.to("cpu").images(index), DATA.images(parent))


@pytest.mark.parametrize(
    ("points", "sizes"), [(1000, (2, 8, 8)), (100, (2, 4, 8)), (40, (2, 4, 4)), (1, (1, 1, 1))]
)
def test_the_longest_factors_are_thinned_first(points, sizes):
    assert SubGrid.at_most(DATA, points).grid.sizes == sizes


def test_it_has_a_fingerprint_of_its_own():
    names = {SubGrid(DATA, s).fingerprint for s in ((1, 1, 1), (1, 2, 1), (1, 1, 2))}
    assert len({*names, DATA.fingerprint}) == 4


@pytest.mark.parametrize("strides", [(1, 1), (1, 1, 0)])
def test_bad_strides_are_refused(strides):
    with pytest.raises(ValueError, match="one number >= 1 is wanted for each of the factors size"):
        SubGrid(DATA, strides)


def test_indices_beyond_it_are_refused():
    with pytest.raises(IndexError, match="run from 0 to 31"):
        SubGrid.at_most(DATA, 40).images(torch.tensor([32]))


@pytest.mark.parametrize("index", [torch.ones(2), torch.tensor(1), torch.tensor([True, False])])
def test_what_is_no_list_of_indices_is_refused(index):
    with pytest.raises(TypeError, match="a list of flat indices"):
        SubGrid.at_most(DATA, 40).images(index)
