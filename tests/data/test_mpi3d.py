# SPDX-License-Identifier: Apache-2.0
"""The official layout of MPI3D, in small: read a few pictures at a time, or refused."""

import hashlib
import tracemalloc
import zipfile

import numpy as np
import pytest
import torch

from disent.data import MPI3D, mpi3d
from tests.data import official_grids
from tests.data.official_grids import known, mpi3d_pictures, write_mpi3d


@pytest.fixture(autouse=True)
def small(tmp_path, monkeypatch):
    official_grids.shrink(monkeypatch, tmp_path / "cache")
    monkeypatch.setattr(mpi3d, "CHUNK", 7)  # 192 pictures: the last chunk is shorter


@pytest.mark.parametrize("packed", [True, False])
def test_pictures_become_channels_first_in_the_order_of_the_file(tmp_path, monkeypatch, packed):
    data = MPI3D(known(monkeypatch, write_mpi3d(tmp_path, packed=packed)), "toy")
    assert len(data) == 192
    every = data.images(torch.arange(192))
    assert torch.equal(every[:, 0, 9, 9], torch.arange(192, dtype=torch.uint8))
    assert torch.equal(every[:, 1, 9, 9], 255 - torch.arange(192, dtype=torch.uint8))
    assert every[:, 2].flatten(1).nonzero()[:, 1].unique().tolist() == [5]  # row 0, column 5
    # the vertical axis is the fastest: 192 = 2 * 2 * 2 * 2 * 2 * 2 * 3
    assert data.factors(torch.tensor([4])).tolist() == [[0, 0, 0, 0, 0, 1, 1]]


def test_the_grids_are_those_of_the_official_files(monkeypatch):
    monkeypatch.undo()
    assert (len(MPI3D.grid), len(mpi3d.COMPLEX)) == (1_036_800, 460_800)
    # the authors' formula for the complex one
    factors = torch.tensor([3, 2, 1, 2, 1, 39, 7])
    by_hand = 3 * 115200 + 2 * 28800 + 1 * 14400 + 2 * 4800 + 1 * 1600 + 39 * 40 + 7
    assert int(mpi3d.COMPLEX.index(factors)) == by_hand
    assert sorted(set(mpi3d.KNOWN.values())) == ["real", "realistic", "toy"]


def test_the_complex_one_has_a_grid_of_its_own_and_no_known_file(tmp_path):
    data = MPI3D(write_mpi3d(tmp_path, "complex"), "complex")
    assert data.grid.sizes == (2, 2, 1, 1, 2, 2, 2)
    assert MPI3D.grid.sizes == (2, 2, 2, 2, 2, 2, 3)
    assert data.fingerprint.startswith("MPI3D complex, official file, ")
    assert data.images(torch.tensor([31]))[0, 0, 1, 1] == 31


def test_a_file_is_converted_once_and_kept_apart_by_variant(tmp_path, monkeypatch):
    file = known(monkeypatch, write_mpi3d(tmp_path))
    first = MPI3D(file, "toy")
    monkeypatch.setattr(mpi3d, "convert", lambda *_: pytest.fail("converted again"))
    assert MPI3D(str(file), "toy").fingerprint == first.fingerprint
    with pytest.raises(pytest.fail.Exception, match="converted again"):
        MPI3D(file, "real")


def test_a_file_of_another_variant_is_refused_by_its_md5(tmp_path, monkeypatch):
    file = known(monkeypatch, write_mpi3d(tmp_path, "realistic"))
    with pytest.raises(ValueError, match=r"mpi3d_realistic.npz .* it is that of MPI3D realistic"):
        MPI3D(file, "toy")
    assert not list((tmp_path / "cache").glob("*.bin"))


def test_a_file_that_was_packed_anew_is_taken_with_a_warning(tmp_path):
    with pytest.warns(UserWarning, match="mpi3d_real.npz has another MD5 than the official file"):
        data = MPI3D(write_mpi3d(tmp_path, "real"), "real")
    assert data.images(torch.tensor([3]))[0, 0, 9, 9] == 3


WHOLE = mpi3d_pictures(192)
BAD = {
    "of another variant": (WHOLE[:32], r"images has shape \[32, 64, 64, 3\], but \[192, 64, 64, 3"),
    "grey": (WHOLE[..., 0], r"shape \[192, 64, 64\]"),
    "floats": (WHOLE.astype(np.float32), "dtype float32, but uint8"),
    "columns first": (np.asfortranarray(WHOLE), "in row order is wanted"),
    "objects": (np.array([print, {}]), "dtype object, but uint8"),
    "a number": (np.uint8(7), "in row order is wanted"),
}


@pytest.mark.parametrize("name", BAD)
def test_another_layout_is_refused_in_one_line(tmp_path, name):
    images, words = BAD[name]
    file = write_mpi3d(tmp_path, images=images)
    with pytest.raises(ValueError, match=words) as caught:
        MPI3D(file, "toy")
    assert str(caught.value).startswith(f"{file} cannot be read as the official file of MPI3D toy")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("packed", [True, False])
@pytest.mark.parametrize("damage", ["cut", "bit in a picture", "bit in the header", "empty"])
@pytest.mark.filterwarnings("ignore:.*another MD5")
def test_a_damaged_file_is_refused_and_nothing_is_kept(tmp_path, packed, damage):
    file = write_mpi3d(tmp_path, packed=packed)
    raw = bytearray(file.read_bytes())
    if damage == "cut":
        raw = raw[: len(raw) // 2]
    elif damage == "empty":
        raw = bytearray()
    else:
        raw[len(raw) // 2 if damage == "bit in a picture" else 60] ^= 4
    file.write_bytes(raw)
    with pytest.raises(ValueError, match="cannot be read as the official file of MPI3D toy"):
        MPI3D(file, "toy")
    assert not list((tmp_path / "cache").glob("*.bin"))


@pytest.mark.parametrize("cut", [100, -100])
@pytest.mark.filterwarnings("ignore:.*another MD5")
def test_an_array_shorter_or_longer_than_its_header_says_is_refused(tmp_path, cut):
    file = write_mpi3d(tmp_path)
    with zipfile.ZipFile(file) as archive:
        whole = archive.read("images.npy")
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("images.npy", whole[:-cut] if cut > 0 else whole + bytes(-cut))
    with pytest.raises(ValueError, match="ends after 191" if cut > 0 else "goes on after its 192"):
        MPI3D(file, "toy")


def test_an_archive_of_other_arrays_and_a_missing_file_are_named(tmp_path):
    np.savez(tmp_path / "other.npz", labels=np.arange(3))
    with pytest.raises(ValueError, match=r"no images.npy, but labels.npy"):
        MPI3D(tmp_path / "other.npz", "toy")
    with pytest.raises(FileNotFoundError, match=r"there is no file .*mpi.npz. Download the npz"):
        MPI3D(tmp_path / "mpi.npz", "toy")
    with pytest.raises(ValueError, match="one of toy, realistic, real, complex, got 'sim'"):
        MPI3D(tmp_path / "other.npz", "sim")  # pyright: ignore[reportArgumentType]


def test_a_conversion_holds_a_few_pictures_at_a_time(tmp_path):
    file = write_mpi3d(tmp_path)
    array = np.empty((192, 3, 64, 64), np.uint8)
    found = {hashlib.md5(file.read_bytes()).hexdigest(): "toy"}
    tracemalloc.start()
    mpi3d.convert(file, "toy", found, array)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < array.nbytes / 2  # of 2.4 MB
    np.testing.assert_array_equal(array, WHOLE.transpose(0, 3, 1, 2))
