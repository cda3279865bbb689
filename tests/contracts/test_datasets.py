# SPDX-License-Identifier: Apache-2.0
"""What every dataset keeps: a picture at each index, the same in any batch; of grids, the grid."""

import inspect
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

import disent.data
from disent.data.base import FactorDataset, PictureDataset
from disent.data.subgrid import SubGrid, Subset
from tests.data import official_grids
from tests.data.idx_files import write
from tests.tiny import Squares


def wants_nothing(member: type) -> bool:
    parameters = inspect.signature(member).parameters.values()
    return all(p.default is not p.empty for p in parameters)


ROOM = [getattr(disent.data, name) for name in disent.data.__all__]
MEMBERS = [Squares, *(member for member in ROOM if issubclass(member, PictureDataset))]
GRIDS = [member for member in MEMBERS if issubclass(member, FactorDataset)]
# of small files; the others that want an official one are tested beside their readers
SMALL = {
    "MNIST": write,
    "FashionMNIST": write,
    "MPI3D": official_grids.write_mpi3d,
    "Cars3D": official_grids.write_cars3d,
    "SmallNORB": official_grids.write_norb,
    "ScreamDSprites": official_grids.write_painting,
}
OPTIONS = {"MPI3D": {"variant": "toy"}}
MADE = [member for member in MEMBERS if wants_nothing(member) or member.__name__ in SMALL]

Make = Callable[[type[PictureDataset]], PictureDataset]


@pytest.fixture(scope="module")
def make(tmp_path_factory) -> Make:
    """Makes a member, of small files where it wants some; twice the same, from the same files."""
    files: dict[str, Path] = {
        name: kind(tmp_path_factory.mktemp(name)) for name, kind in SMALL.items()
    }
    cache = tmp_path_factory.mktemp("cache")

    def made(member: type[PictureDataset]) -> PictureDataset:
        file, options = files.get(member.__name__), OPTIONS.get(member.__name__, {})
        if file is None:
            return member()
        if not issubclass(member, FactorDataset) or member.__name__ == "ScreamDSprites":
            return member(file, **options)  # pyright: ignore
        with pytest.MonkeyPatch.context() as patch:
            official_grids.shrink(patch, cache)
            data = member(official_grids.known(patch, file), **options)  # pyright: ignore
            data.grid = data.grid  # of its own, where the class has its whole grid again
        return data

    return made


@pytest.fixture(scope="module", params=MADE, ids=lambda member: member.__name__)
def data(request, make) -> PictureDataset:
    return make(request.param)


@pytest.fixture(
    scope="module",
    params=[member for member in MADE if member in GRIDS],
    ids=lambda member: member.__name__,
)
def grid_data(request, make) -> FactorDataset:
    return make(request.param)


def some(data: PictureDataset, count: int = 6) -> torch.Tensor:
    """Indices: the first, the last, and others at random."""
    drawn = torch.randint(len(data), (count - 2,), generator=torch.Generator().manual_seed(0))
    return torch.cat([torch.tensor([0, len(data) - 1]), drawn])


def test_the_contract_is_held_to_grids_and_to_others():
    assert {"DSprites", "Shapes3DLookalike", "Squares", "Cars3D", "SmallNORB", "MPI3D"} <= {
        m.__name__ for m in MADE if m in GRIDS
    }
    assert {"Digits", "MNIST", "FashionMNIST"} <= {m.__name__ for m in MADE if m not in GRIDS}


@pytest.mark.parametrize("member", GRIDS)
def test_grid_and_channels_are_known_without_making_one(member):
    assert len(member.grid) > 1
    assert member.channels in (1, 3)


def test_images_are_bytes_on_the_device_of_the_index(data):
    index = some(data)
    images = data.images(index)
    assert images.dtype == torch.uint8
    assert images.shape == (len(index), data.channels, *data.size)
    assert images.device == index.device
    assert images.flatten(1).max() > 0
    assert data.channels in (1, 3)


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


def test_labels_are_whole_numbers_from_0_on_under_their_names(data):
    index = some(data)
    labels = data.factors(index)
    assert labels is not None
    assert labels.shape == (len(index), len(data.names))
    assert labels.dtype == torch.int64
    assert labels.min() >= 0
    assert len(set(data.names)) == len(data.names) > 0
    assert torch.equal(data.factors(index[3:]), labels[3:])
    x, together, _ = data.at(index)
    assert together is not None
    assert torch.equal(together, labels)
    assert torch.equal(x, data.batch(index))


def test_neighbouring_points_differ(grid_data):
    """One step along each factor from the middle of the grid changes the picture."""
    middle = torch.tensor([size // 2 for size in grid_data.grid.sizes])
    stepped = middle - torch.eye(len(middle), dtype=torch.int64)
    pictures = grid_data.images(grid_data.grid.index(torch.cat([middle[None], stepped])))
    for name, picture in zip(grid_data.grid.names, pictures[1:], strict=True):
        assert not torch.equal(picture, pictures[0]), name


@pytest.mark.parametrize("beyond", ["below", "above"])
def test_indices_out_of_range_are_refused(data, beyond):
    wrong = -1 if beyond == "below" else len(data)
    with pytest.raises(IndexError, match=rf"0 to {len(data) - 1}, but .*{wrong}"):
        data.images(torch.tensor([0, wrong]))


def test_the_fingerprint_is_stable_and_no_other_dataset_has_it(data, make):
    assert data.fingerprint == make(type(data)).fingerprint
    others = [make(member).fingerprint for member in MADE if member is not type(data)]
    assert data.fingerprint not in others


def test_to_the_cpu_changes_no_picture(data):
    known, labels = data.images(some(data)), data.factors(some(data))
    assert data.to("cpu") is data
    assert torch.equal(data.images(some(data)), known)
    assert torch.equal(data.factors(some(data)), labels)


def test_a_coarser_grid_shows_the_same_pictures(grid_data):
    coarse = SubGrid.at_most(grid_data, 100)
    assert 1 < len(coarse.grid) <= 100
    index = some(coarse)
    strides = torch.tensor(coarse.strides)
    there = grid_data.grid.index(coarse.grid.factors(index) * strides)
    assert torch.equal(coarse.images(index), grid_data.images(there))
    assert coarse.fingerprint != grid_data.fingerprint


def test_a_subset_shows_the_same_pictures_with_their_labels(data):
    thinned = Subset.at_most(data, 7)
    assert 1 < len(thinned) <= 7
    index = torch.arange(len(thinned))
    assert torch.equal(thinned.images(index), data.images(index * thinned.stride))
    labels, wanted = thinned.factors(index), data.factors(index * thinned.stride)
    assert labels is not None
    assert wanted is not None
    assert torch.equal(labels, wanted)
    assert (thinned.names, thinned.size) == (data.names, data.size)
    assert thinned.fingerprint != data.fingerprint
