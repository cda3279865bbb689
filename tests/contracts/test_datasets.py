# SPDX-License-Identifier: Apache-2.0
"""What every dataset keeps: a picture at each point of its grid, the same in any batch."""

import inspect

import pytest
import torch

import disent.data
from disent.data.base import FactorDataset
from disent.data.subgrid import SubGrid
from tests.tiny import Squares


def wants_nothing(member: type) -> bool:
    parameters = inspect.signature(member).parameters.values()
    return all(p.default is not p.empty for p in parameters)


ROOM = [getattr(disent.data, name) for name in disent.data.__all__]
DATASETS = [member for member in ROOM if issubclass(member, FactorDataset)]
# datasets that want an official file are tested beside their readers
MEMBERS = [Squares, *(member for member in DATASETS if wants_nothing(member))]


@pytest.fixture(scope="module", params=MEMBERS, ids=lambda member: member.__name__)
def data(request) -> FactorDataset:
    return request.param()


def some(data: FactorDataset, count: int = 6) -> torch.Tensor:
    """Flat indices: the first, the last, and others at random."""
    drawn = torch.randint(len(data.grid), (count - 2,), generator=torch.Generator().manual_seed(0))
    return torch.cat([torch.tensor([0, len(data.grid) - 1]), drawn])


def test_the_contract_is_held_to_the_rendered_datasets():
    assert {"DSprites", "Shapes3DLookalike", "Squares"} <= {member.__name__ for member in MEMBERS}


@pytest.mark.parametrize("member", [*DATASETS, Squares])
def test_grid_and_channels_are_known_without_making_one(member):
    assert len(member.grid) > 1
    assert member.channels in (1, 3)


def test_images_are_bytes_on_the_device_of_the_index(data):
    index = some(data)
    images = data.images(index)
    assert images.dtype == torch.uint8
    assert images.shape == (len(index), data.channels, 64, 64)
    assert images.device == index.device
    assert images.flatten(1).max() > 0


def test_a_batch_is_the_images_over_255(data):
    batch = data.batch(some(data))
    assert batch.dtype == torch.float32
    torch.testing.assert_close(batch, data.images(some(data)).float() / 255, atol=1e-6, rtol=0)


def test_a_picture_is_the_same_in_any_batch(data):
    index = some(data)
    together = data.images(index)
    for i, picture in zip(index, together, strict=True):
        assert torch.equal(data.images(i[None])[0], picture)
    order = torch.tensor([3, 0, 0, 5])
    assert torch.equal(data.images(index[order]), together[order])
    assert torch.equal(data.images(index.to(torch.int32)), together)


def test_neighbouring_points_differ(data):
    """One step along each factor from the middle of the grid changes the picture."""
    middle = torch.tensor([size // 2 for size in data.grid.sizes])
    stepped = middle - torch.eye(len(middle), dtype=torch.int64)
    pictures = data.images(data.grid.index(torch.cat([middle[None], stepped])))
    for name, picture in zip(data.grid.names, pictures[1:], strict=True):
        assert not torch.equal(picture, pictures[0]), name


@pytest.mark.parametrize("beyond", ["below", "above"])
def test_indices_out_of_range_are_refused(data, beyond):
    wrong = -1 if beyond == "below" else len(data.grid)
    with pytest.raises(IndexError, match=rf"0 to {len(data.grid) - 1}, but .*{wrong}"):
        data.images(torch.tensor([0, wrong]))


def test_the_fingerprint_is_stable_and_no_other_dataset_has_it(data):
    assert data.fingerprint == type(data)().fingerprint
    others = [member().fingerprint for member in MEMBERS if member is not type(data)]
    assert data.fingerprint not in others


def test_to_the_cpu_changes_no_picture(data):
    known = data.images(some(data))
    assert data.to("cpu") is data
    assert torch.equal(data.images(some(data)), known)


def test_a_coarser_grid_shows_the_same_pictures(data):
    coarse = SubGrid.at_most(data, 100)
    assert 1 < len(coarse.grid) <= 100
    index = some(coarse)
    strides = torch.tensor(coarse.strides)
    there = data.grid.index(coarse.grid.factors(index) * strides)
    assert torch.equal(coarse.images(index), data.images(there))
    assert coarse.fingerprint != data.fingerprint
