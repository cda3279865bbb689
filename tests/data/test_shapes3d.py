# SPDX-License-Identifier: Apache-2.0
"""The official layout of 3D Shapes, in small: put in order by its labels, or refused."""

import h5py
import numpy as np
import pytest
import torch

from disent.data import Shapes3D, shapes3d
from disent.data.shapes3d import GRID, VALUES, convert
from disent.grid import FactorGrid

SMALL = FactorGrid(GRID.names, (2, 2, 2, 2, 2, 2))
SMALL_VALUES = tuple(values[:2] for values in VALUES)


def layout() -> dict[str, np.ndarray]:
    """Pictures whose pixels tell their flat index and channel, with labels as in the real file."""
    index = np.arange(len(SMALL), dtype=np.uint8)
    images = np.zeros((len(SMALL), 64, 64, 3), np.uint8)
    images += index[:, None, None, None]
    images[..., 1] += 100
    images[:, 0, 5, 2] = 255
    factors = SMALL.all_factors().numpy()
    labels = np.stack([v[factors[:, k]] for k, v in enumerate(SMALL_VALUES)], axis=1)
    return {"images": images, "labels": labels}


def written(path, arrays):
    with h5py.File(path, "w") as file:
        for name, array in arrays.items():
            file[name] = array
    return path


def converted(path, arrays):
    written(path, arrays)
    out = np.empty((len(SMALL), 3, 64, 64), np.uint8)
    convert(path, SMALL, SMALL_VALUES, out)
    return out


def assert_in_order(out):
    np.testing.assert_array_equal(out[:, 0, 9, 9], np.arange(64))
    np.testing.assert_array_equal(out[:, 1, 9, 9], np.arange(64) + 100)
    assert (out[:, 2, 0, 5] == 255).all()


def test_pictures_become_channels_first_in_the_grids_order(tmp_path):
    assert_in_order(converted(tmp_path / "3dshapes.h5", layout()))


def test_rows_in_another_order_find_their_places(tmp_path):
    shuffled = np.random.default_rng(0).permutation(64)
    arrays = {name: array[shuffled] for name, array in layout().items()}
    assert_in_order(converted(tmp_path / "3dshapes.h5", arrays))


def changed(**changes):
    return {**layout(), **changes}


BAD = {
    "no labels": ({"images": layout()["images"]}, "it has .'images'., but images and labels"),
    "floats": (changed(images=layout()["images"] / 255), "dtype float64, but uint8"),
    "too few": (changed(images=layout()["images"][:9]), r"shape \[9, 64, 64, 3\]"),
    "labels cut": (changed(labels=layout()["labels"][:, :5]), r"labels has shape \[64, 5\]"),
    "words": (changed(labels=np.full((64, 6), b"red")), "labels has dtype .*but numbers"),
    "unknown value": (changed(labels=layout()["labels"] + 0.01), "values of floor_hue that"),
    "not a number": (changed(labels=layout()["labels"] * np.nan), "values of floor_hue that"),
    "twice": (changed(labels=layout()["labels"][[0, *range(63)]]), "twice and others never"),
}


@pytest.mark.parametrize("name", BAD)
def test_another_layout_is_refused_by_name(name, tmp_path):
    arrays, message = BAD[name]
    with pytest.raises(ValueError, match=message) as caught:
        converted(tmp_path / "3dshapes.h5", arrays)
    assert "cannot be read as the official 3dshapes.h5" in str(caught.value)


def test_a_truncated_file_and_a_missing_one_are_refused(tmp_path, monkeypatch):
    monkeypatch.setenv("DISENT_DATA_DIR", str(tmp_path / "cache"))
    file = tmp_path / "3dshapes.h5"
    converted(file, layout())
    file.write_bytes(file.read_bytes()[:1000])
    with pytest.raises(ValueError, match="cannot be read as the official"):
        Shapes3D(file)
    assert not list((tmp_path / "cache").glob("*.bin"))
    with pytest.raises(FileNotFoundError, match=r"Download 3dshapes\.h5"):
        Shapes3D(tmp_path / "missing.h5")


@pytest.fixture
def small(tmp_path, monkeypatch):
    """The path of a file in small, which the class takes for the whole."""
    monkeypatch.setenv("DISENT_DATA_DIR", str(tmp_path / "cache"))
    monkeypatch.setattr(Shapes3D, "grid", SMALL)
    monkeypatch.setattr(shapes3d, "VALUES", SMALL_VALUES)
    return written(tmp_path / "3dshapes.h5", layout())


def test_pictures_come_by_flat_index_in_any_batch(small):
    data = Shapes3D(small)
    index = torch.tensor([63, 0, 7, 7])
    images = data.images(index)
    assert images.dtype == torch.uint8
    assert images.shape == (4, 3, 64, 64)
    assert images[:, 0, 9, 9].tolist() == [63, 0, 7, 7]
    assert images[:, 1, 9, 9].tolist() == [163, 100, 107, 107]
    assert images[:, 2, 0, 5].tolist() == [255] * 4
    assert torch.equal(data.images(index.int()), images)
    torch.testing.assert_close(data.batch(index), images / 255)
    images.zero_()  # the picture on file is another's
    assert data.images(index)[0, 0, 9, 9] == 63


@pytest.mark.parametrize("wrong", [-1, 64])
def test_indices_out_of_range_are_refused(small, wrong):
    with pytest.raises(IndexError, match="flat indices run from 0 to 63"):
        Shapes3D(small).images(torch.tensor([0, wrong]))


def test_a_file_is_converted_once(small, monkeypatch):
    known = Shapes3D(small)
    monkeypatch.setattr(shapes3d, "convert", lambda *_: pytest.fail("converted again"))
    again = Shapes3D(str(small))
    assert again.fingerprint == known.fingerprint
    assert again.fingerprint.startswith("3D Shapes, official file, ")
    index = torch.arange(64)
    assert torch.equal(again.images(index), known.images(index))


def test_another_file_of_the_same_name_is_converted_anew(small):
    known = Shapes3D(small)
    arrays = layout()
    arrays["images"][:, 40:] = 7
    small.unlink()
    other = Shapes3D(written(small, arrays))
    assert other.images(torch.tensor([0]))[0, 0, 50, 50] == 7
    assert known.images(torch.tensor([0]))[0, 0, 50, 50] == 0
    assert other.fingerprint != known.fingerprint


@pytest.mark.parametrize(("free", "kept"), [(2 * 64 * 12_288 + 1, True), (64 * 12_288, False)])
def test_a_gpu_keeps_the_pictures_if_they_take_less_than_half_of_its_room(
    small, monkeypatch, free, kept
):
    """The GPU is played by the CPU."""
    data = Shapes3D(small)
    pictures = data._pictures
    copy = pictures.mapped.clone()
    monkeypatch.setattr(torch.cuda, "current_device", lambda: 0)
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda _: (free, 2 * free))
    monkeypatch.setattr(torch.Tensor, "to", lambda *_: copy)
    assert data.to("cuda") is data
    assert pictures.held is (copy if kept else pictures.mapped)
    data.to("cpu")
    assert pictures.held is pictures.mapped


def test_the_grid_is_that_of_the_official_file():
    assert len(Shapes3D.grid) == 480_000
    assert Shapes3D.channels == 3
    assert [len(v) for v in VALUES] == list(Shapes3D.grid.sizes)
    # floor_hue 1, wall_hue 2, object_hue 3, scale 4, shape 1, orientation 5, by hand
    assert int(Shapes3D.grid.index(torch.tensor([1, 2, 3, 4, 1, 5]))) == (
        ((((1 * 10 + 2) * 10 + 3) * 8 + 4) * 4 + 1) * 15 + 5
    )


def test_labels_that_claim_to_be_huge_are_refused_unread(tmp_path):
    file = written(tmp_path / "3dshapes.h5", layout())
    with h5py.File(file, "a") as store:
        del store["labels"]
        store.create_dataset("labels", (2**40, 6), "f8", chunks=(4, 6))
    with pytest.raises(ValueError, match=r"labels has shape \[1099511627776, 6\]"):
        convert(file, SMALL, SMALL_VALUES, np.empty((len(SMALL), 3, 64, 64), np.uint8))
