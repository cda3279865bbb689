# SPDX-License-Identifier: Apache-2.0
"""The official files of Cars3D, in small: halved, in the order of the grid, or refused."""

import gzip
import io
import tarfile
from pathlib import Path

import numpy as np
import pytest
import torch

from disent.data import Cars3D, cars3d
from tests.data import official_grids
from tests.data.official_grids import car, known, mesh, pack_cars3d, write_cars3d


@pytest.fixture(autouse=True)
def small(tmp_path, monkeypatch):
    official_grids.shrink(monkeypatch, tmp_path / "cache")


@pytest.fixture(params=["folder", "archive"])
def place(request, tmp_path, monkeypatch) -> Path:
    folder = write_cars3d(tmp_path / "cars")
    if request.param == "folder":
        return folder
    return known(monkeypatch, pack_cars3d(folder, tmp_path / "analogy.tar.gz"))


def test_pictures_are_found_by_elevation_azimuth_and_car(place):
    data = Cars3D(place)
    every = data.images(torch.arange(24))
    factors = data.grid.all_factors()
    assert every.shape == (24, 3, 64, 64)
    middle = every[:, :, 40, 20].long()
    assert torch.equal(middle, factors[:, [1, 0, 2]] + torch.tensor([20, 40, 60]))
    corner = every[:, :, 2, 61]  # the white one, at the top, on the right
    assert corner.unique().tolist() == [255]
    assert data.fingerprint.startswith("Cars3D, official files, ")


def test_the_grid_is_that_of_the_official_files(monkeypatch):
    monkeypatch.undo()
    assert Cars3D.grid.names == ("elevation", "azimuth", "object_type")
    assert Cars3D.grid.sizes == (4, 24, 183)
    assert len(Cars3D.grid) == 17_568


def test_a_folder_and_its_archive_are_the_same_pictures(tmp_path, monkeypatch):
    folder = write_cars3d(tmp_path / "cars")
    archive = known(monkeypatch, pack_cars3d(folder, tmp_path / "analogy.tar.gz"))
    assert Cars3D(folder).fingerprint == Cars3D(archive).fingerprint
    assert sorted(file.name for file in tmp_path.iterdir()) == ["analogy.tar.gz", "cache", "cars"]


def test_files_are_converted_once(place, monkeypatch):
    first = Cars3D(place).fingerprint
    monkeypatch.setattr(cars3d, "convert", lambda *_: pytest.fail("converted again"))
    assert Cars3D(str(place)).fingerprint == first


def lanczos(size: int, scale: int) -> np.ndarray:
    """Weights [size / scale, size] of shrinking by Lanczos' window of three lobes."""
    centre = (np.arange(size // scale)[:, None] + 0.5) * scale
    x = (np.arange(size) + 0.5 - centre) / scale
    weights = np.where(np.abs(x) < 3, np.sinc(x) * np.sinc(x / 3), 0)
    return weights / weights.sum(1, keepdims=True)


def test_pictures_are_halved_by_the_lanczos_filter():
    im = np.random.default_rng(0).integers(0, 256, (128, 128, 3, 2, 1), np.uint8)
    found, weights = cars3d.halved(im), lanczos(128, 2)
    assert found.shape == (1, 2, 3, 64, 64)
    for azimuth in range(2):
        rows = weights @ im[..., azimuth, 0].astype(float).transpose(2, 0, 1) @ weights.T
        # columns and rows are rounded and clipped one after the other there
        difference = found[0, azimuth] - rows.clip(0, 255)
        assert np.abs(difference).mean() < 0.6
        assert np.quantile(np.abs(difference), 0.99) < 3


def said(place: Path, kind: type[Exception] = ValueError) -> str:
    with pytest.raises(kind) as raised:
        Cars3D(place)
    assert "\n" not in str(raised.value)
    return str(raised.value)


BAD = {
    "smaller": (
        mesh(car(1)[:64]),
        "it has uint8 [64, 128, 3, 3, 2], but uint8 [128, 128, 3, 3, 2]",
    ),
    "floats": (mesh(car(1) / 255), "it has double [128, 128, 3, 3, 2], but uint8"),
    "another name": (mesh(car(1), "pictures"), "it has only pictures, mask, but uint8"),
    "cut": (mesh(car(1))[:-40], "cannot be read as an official file of Cars3D"),
    "text": (b"hello, " * 40, "cannot be read as an official file of Cars3D"),
    "nothing": (b"", "cannot be read as an official file of Cars3D"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_file_of_another_layout_is_named(tmp_path, name):
    raw, words = BAD[name]
    told = said(write_cars3d(tmp_path / "cars", car_002_mesh=raw))
    assert "car_002_mesh.mat cannot be read" in told
    assert words in told
    assert not list((tmp_path / "cache").glob("*.bin"))


def test_damaged_bytes_are_refused_or_change_nothing(tmp_path):
    """MATLAB files carry zlib's checksum of each array, but not of their structure."""
    whole, shape = mesh(car(1)), car(1).shape
    refused = 0
    for place in [*range(124, 180), *range(180, len(whole), 97)]:
        raw = bytearray(whole)
        raw[place] ^= 16
        try:
            found = cars3d._read("car", bytes(raw), shape)
        except ValueError as error:
            refused += "car cannot be read" in str(error)
            continue
        assert np.array_equal(found, car(1)), place
    assert refused > 20


def test_too_few_and_too_many_cars_are_counted(tmp_path, monkeypatch):
    folder = write_cars3d(tmp_path / "cars")
    (folder / "car_007_mesh.mat").write_bytes(mesh(car(7)))
    assert "holds more .mat files of cars, but 4 are wanted" in said(folder)
    (folder / "car_007_mesh.mat").unlink()
    (folder / "car_004_mesh.mat").unlink()
    assert "holds 3 .mat files of cars, but 4 are wanted" in said(folder)
    archive = known(monkeypatch, pack_cars3d(folder, tmp_path / "few.tar.gz"))
    assert "few.tar.gz holds 3 .mat files" in said(archive)


@pytest.mark.parametrize("damage", ["cut", "bit", "checksum", "no archive", "nothing"])
@pytest.mark.filterwarnings("ignore:.*another MD5")
def test_a_damaged_archive_is_refused(tmp_path, damage):
    archive = pack_cars3d(write_cars3d(tmp_path / "cars"), tmp_path / "analogy.tar.gz")
    raw = bytearray(archive.read_bytes())
    if damage == "cut":
        raw = raw[:-2000]
    elif damage in ("no archive", "nothing"):
        raw = bytearray(gzip.compress(b"hello" * 500) if damage == "no archive" else b"")
    else:
        raw[len(raw) // 2 if damage == "bit" else len(raw) - 7] ^= 1
    archive.write_bytes(raw)
    told = said(archive)  # a bit in the middle may reach the reader of a car first
    assert f"{archive} cannot be read as nips2015-analogy-data.tar.gz" in told or damage == "bit"
    assert told.startswith(str(archive))
    assert not list((tmp_path / "cache").glob("*.bin"))


def test_another_archive_of_the_same_layout_is_taken_with_a_warning(tmp_path):
    archive = pack_cars3d(write_cars3d(tmp_path / "cars"), tmp_path / "again.tar.gz")
    with pytest.warns(UserWarning, match="again.tar.gz has another MD5 than the official"):
        data = Cars3D(archive)
    assert data.images(torch.tensor([0]))[0, :, 40, 20].tolist() == [20, 40, 60]


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE])
def test_links_in_the_place_of_files_are_refused_and_nothing_is_unpacked(
    tmp_path, monkeypatch, kind
):
    archive = tmp_path / "analogy.tar.gz"
    with tarfile.open(archive, "w:gz") as packed:
        member = tarfile.TarInfo("../cars/car_000_mesh.mat")
        member.type, member.linkname = kind, "/etc/passwd"
        packed.addfile(member)
    assert "its ../cars/car_000_mesh.mat is no file of a car" in said(known(monkeypatch, archive))
    assert not (tmp_path.parent / "cars").exists()


def test_a_file_that_is_too_large_is_refused_before_it_is_read(tmp_path, monkeypatch):
    archive = tmp_path / "analogy.tar.gz"
    with tarfile.open(archive, "w:gz") as packed:
        member = tarfile.TarInfo("cars/car_000_mesh.mat")
        member.size = 1000
        packed.addfile(member, io.BytesIO(bytes(1000)))
    monkeypatch.setattr(cars3d, "LARGEST", 999)
    assert "is no file of a car" in said(known(monkeypatch, archive))


def test_missing_files_are_named_with_where_to_get_them(tmp_path):
    told = said(tmp_path / "nowhere.tar.gz", FileNotFoundError)
    assert "nowhere.tar.gz does not exist" in told
    assert "http://www.scottreed.info" in told
    assert "has no .mat files" in said(tmp_path, FileNotFoundError)
