# SPDX-License-Identifier: Apache-2.0
"""The look-alike looks alike, changes what a factor should change, and says what it is."""

from pathlib import Path

import numpy as np
import pytest
import torch

from disent.data import Shapes3DLookalike
from disent.data.shapes3d_lookalike import compose_by_numpy, compose_by_torch

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


def test_both_ways_to_compose_add_and_round():
    # 128 steps a grey level; half a level, 64, rounds up and 63 does not; 32,640 is white
    layers = torch.tensor([[0, 128], [63, 128 * 99], [1, 63], [10_880, 10_881]], dtype=torch.int16)
    chosen = torch.tensor([[[0, 0, 3], [1, 1, 3], [2, 0, 3]], [[0, 1, 2], [0, 0, 0], [0, 0, 0]]])
    first = [[1, 100], [0, 101], [255, 255]]
    second = [[0, 3], [0, 101], [0, 2]]
    for compose in (compose_by_numpy, compose_by_torch):
        assert compose(layers, chosen).tolist() == [first, second]
        assert compose(layers, chosen).dtype == torch.uint8


def test_colours_are_the_ten_hues_and_the_sky(lookalike):
    """Bright places of floor, wall and sky by hand: hue 0 is red, 5 is cyan."""
    picture = lookalike.images(lookalike.grid.index(torch.tensor([[0, 5, 2, 0, 0, 7]])))[0]
    floor, wall, sky = picture[:, 62, 4], picture[:, 20, 32], picture[:, 0, 32]
    assert floor.tolist()[1:] == [0, 0]
    assert floor[0] > 100
    assert wall[0] == 0
    assert wall[1] == wall[2] > 200
    assert sky.tolist() == [153, 226, 249]


@pytest.mark.slow
def test_the_mean_picture_is_that_of_the_real_set(lookalike):
    """Published means of red, green and blue over all of 3D Shapes; no part of the fit.

    Layers add up, so 10 colourings in which every surface has every hue once stand for all 1,000.
    """
    geometry, hue = torch.arange(480), torch.arange(10)
    index = (111 * hue[:, None] * 480 + geometry).flatten()
    means = [lookalike.batch(part).mean((0, 2, 3)).double() for part in index.split(480)]
    published = torch.tensor([0.5026, 0.5788, 0.6034], dtype=torch.float64)
    assert (torch.stack(means).mean(0) - published).abs().max() < 0.003


def test_geometries_are_traced_when_they_are_asked_for():
    lookalike = Shapes3DLookalike()
    assert lookalike._traced.sum() == 0
    hues = torch.arange(0, 480_000, 480)  # one geometry in its 1,000 colours
    assert len(lookalike.images(hues).unique(dim=0)) == 1000
    assert np.flatnonzero(lookalike._traced).tolist() == [0]
    lookalike.images(torch.tensor([479, 3, 3]))
    assert np.flatnonzero(lookalike._traced).tolist() == [0, 3, 479]


def test_an_empty_list_of_indices_gives_no_pictures(lookalike):
    assert lookalike.images(torch.empty(0, dtype=torch.int64)).shape == (0, 3, 64, 64)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="wants a GPU")
def test_a_gpu_gives_what_the_cpu_gives():
    index = torch.randint(480_000, (64,), generator=torch.Generator().manual_seed(0))
    known = Shapes3DLookalike().images(index)
    moving = Shapes3DLookalike()
    for half in (index[:32].cuda(), index[32:], index.cuda()):  # some traced here, some there
        assert moving.images(half).device == half.device
    assert torch.equal(moving.images(index.cuda()).cpu(), known)
    assert torch.equal(moving.images(index), known)


def test_it_never_calls_itself_3d_shapes(lookalike):
    assert lookalike.fingerprint.startswith("look-alike")
    assert "only look like" in str(Shapes3DLookalike.__doc__)
