# SPDX-License-Identifier: Apache-2.0
"""The look-alike looks alike, changes what a factor should change, and says what it is."""

from pathlib import Path

import numpy as np
import pytest
import torch

from disent.data import Shapes3DLookalike

FIXTURES = Path(__file__).parents[1] / "fixtures"


@pytest.fixture(scope="module")
def lookalike():
    return Shapes3DLookalike()


@pytest.fixture(scope="module")
def real():
    with np.load(FIXTURES / "shapes3d_real_25.npz", allow_pickle=False) as file:
        images = torch.from_numpy(file["images"]).permute(0, 3, 1, 2).int()
        return images, torch.from_numpy(file["factors"].astype(np.int64)), file["valid_mask"]


def errors(lookalike, real, change=(0, 0, 0, 0, 0, 0)):
    """Mean absolute error of each of the 25 pictures, in grey levels, inside the mask."""
    images, factors, mask = real
    sizes = torch.tensor(lookalike.grid.sizes)
    index = lookalike.grid.index((factors + torch.tensor(change)) % sizes)
    difference = (lookalike.images(index).int() - images).abs().double()
    return difference[:, :, mask].mean((1, 2))


def test_it_is_within_6_grey_levels_of_each_real_picture(lookalike, real):
    assert errors(lookalike, real).max() <= 6


@pytest.mark.parametrize("factor", range(6))
def test_each_factor_means_what_it_means_there(lookalike, real, factor):
    change = [0] * 6
    change[factor] = 1
    right = errors(lookalike, real)
    assert (errors(lookalike, real, change) > right).double().mean() > 0.9


def test_hues_change_their_own_surface_alone(lookalike):
    base = torch.tensor([0, 0, 0, 4, 1, 7])
    pictures = []
    for factor in range(3):
        factors = base.clone()
        factors[factor] = 5
        pair = lookalike.images(lookalike.grid.index(torch.stack([base, factors])))
        pictures.append((pair[0] != pair[1]).any(0))
    floor, wall, thing = pictures
    assert min(floor.sum(), wall.sum(), thing.sum()) > 100
    inner = [p[1:-1, 1:-1].double().mean() for p in (floor & wall, floor & thing, wall & thing)]
    assert max(inner) < 0.05  # edges, where a pixel sees two surfaces
    assert not floor[:8].any()  # the sky


def test_a_picture_does_not_depend_on_its_batch(lookalike):
    index = torch.tensor([5, 479_999, 5, 123_456])
    together = lookalike.images(index)
    assert torch.equal(together[0], together[2])
    assert torch.equal(Shapes3DLookalike().images(index[3:])[0], together[3])


def test_it_never_calls_itself_3d_shapes(lookalike):
    assert lookalike.fingerprint.startswith("look-alike")
    assert "only look like" in str(Shapes3DLookalike.__doc__)
