# SPDX-License-Identifier: Apache-2.0
"""The official files of SmallNORB, in small: one grid of both parts, or refused."""

import gzip
from pathlib import Path

import numpy as np
import pytest
import torch

from disent.data import SmallNORB, smallnorb
from disent.data.splits import held_out_pictures
from tests.data import official_grids
from tests.data.official_grids import known, matrix, norb_parts, write_norb
from tests.data.test_cars3d import lanczos

DAT = "smallnorb-5x46789x9x18x6x2x96x96-training-dat.mat"


@pytest.fixture(autouse=True)
def small(tmp_path, monkeypatch):
    official_grids.shrink(monkeypatch, tmp_path / "cache")
    monkeypatch.setattr(smallnorb, "CHUNK", 7)  # 80 pairs a part: the last chunk is shorter


@pytest.fixture(params=["plain", "packed"])
def folder(request, tmp_path, monkeypatch) -> Path:
    return known(monkeypatch, write_norb(tmp_path / "norb", packed=request.param == "packed"))


def test_the_first_cameras_pictures_of_both_parts_are_found_by_their_labels(folder):
    data = SmallNORB(folder)
    assert (len(data), data.channels, data.size) == (160, 1, (64, 64))
    every = data.images(torch.arange(160)).flatten(1)
    assert torch.equal(every[:, 0].long(), torch.arange(160))
    assert torch.equal(every.amin(1), every.amax(1))  # an even picture stays even
    assert data.fingerprint.startswith("SmallNORB, official files, ")


def test_the_grid_is_that_of_the_official_files(monkeypatch):
    monkeypatch.undo()
    assert SmallNORB.grid.sizes == (5, 10, 9, 18, 6)
    assert len(SmallNORB.grid) == 2 * 24_300
    assert sorted(sum(smallnorb.PARTS.values(), ())) == list(range(10))


def test_the_official_testing_part_is_held_out_by_its_instances(folder):
    data = SmallNORB(folder)
    out = held_out_pictures(data, "instance <= 3 or instance == 5")
    testing = norb_parts()["smallnorb-5x01235x9x18x6x2x96x96-testing-dat.mat"][:, 0, 0, 0]
    assert sorted(testing.tolist()) == out.nonzero().flatten().tolist()


def test_packed_and_plain_files_are_the_same_pictures(tmp_path, monkeypatch):
    plain = known(monkeypatch, write_norb(tmp_path / "a"))
    packed = known(monkeypatch, write_norb(tmp_path / "b", packed=True))
    first = SmallNORB(plain).fingerprint
    assert SmallNORB(packed).fingerprint == first
    monkeypatch.setattr(smallnorb, "convert", lambda *_: pytest.fail("converted again"))
    assert SmallNORB(plain).fingerprint == first


def test_pictures_are_shrunk_by_the_lanczos_filter_and_clipped():
    picture = np.random.default_rng(0).choice(np.array([0, 255], np.uint8), (96, 96))
    centre = (np.arange(64)[:, None] + 0.5) * 1.5  # 96 pixels to 64, by hand
    x = (np.arange(96) + 0.5 - centre) / 1.5
    weights = np.where(np.abs(x) < 3, np.sinc(x) * np.sinc(x / 3), 0)
    weights /= weights.sum(1, keepdims=True)
    whole = weights @ picture @ weights.T
    assert whole.min() < -5
    assert whole.max() > 260  # so it is clipped somewhere
    found = smallnorb.shrunk(picture)
    # rows and columns are rounded one after the other there
    assert np.abs(found - whole.clip(0, 255)).max() < 1.6
    np.testing.assert_allclose(lanczos(128, 2).sum(1), 1)


def said(folder: Path, kind: type[Exception] = ValueError) -> str:
    with pytest.raises(kind) as raised:
        SmallNORB(folder)
    assert "\n" not in str(raised.value)
    return str(raised.value)


RAW = {"_".join(n.removesuffix(".mat").split("-")[-2:]): matrix(a) for n, a in norb_parts().items()}
INFO = norb_parts()["smallnorb-5x46789x9x18x6x2x96x96-training-info.mat"]
WRONG = {
    "another magic number": (
        {"training_dat": RAW["training_info"]},
        r"training-dat.mat begins with",
    ),
    "nothing": (
        {"training_dat": b""},
        "training-dat.mat begins with nothing, but a matrix of 80 x 2",
    ),
    "other sizes": ({"testing_info": matrix(INFO[:, :3])}, "testing-info.mat begins with"),
    "cut": (
        {"training_dat": RAW["training_dat"][:-1]},
        "training-dat.mat is cut short: .* 79 of 80",
    ),
    "cut in the header": (
        {"training_cat": RAW["training_cat"][:9]},
        "training-cat.mat begins with",
    ),
    "too long": (
        {"testing_cat": RAW["testing_cat"] + b"0"},
        "testing-cat.mat goes on after its 80",
    ),
    "unknown azimuth": (
        {"training_info": matrix(INFO + 4)},
        "training-info.mat: a factor value is",
    ),
    "twice": ({"training_info": matrix(INFO * 0 + 4)}, "training-info.mat: a factor value|twice"),
    "the other part": ({"training_info": RAW["testing_info"]}, "other than 4, 6, 7, 8, 9"),
}


@pytest.mark.parametrize("packed", [True, False])
@pytest.mark.parametrize("wrong", WRONG)
def test_a_wrong_file_is_named_in_one_line(tmp_path, monkeypatch, wrong, packed):
    other, words = WRONG[wrong]
    folder = known(monkeypatch, write_norb(tmp_path / "norb", packed=packed, **other))
    with pytest.raises(ValueError, match=words.replace(r".mat", r".mat(\.gz)?")):
        SmallNORB(folder)
    said(folder)
    assert not list((tmp_path / "cache").glob("*.bin"))


def test_one_other_byte_is_refused_by_its_md5(tmp_path, monkeypatch):
    folder = known(monkeypatch, write_norb(tmp_path / "norb"))
    raw = bytearray((folder / DAT).read_bytes())
    raw[5000] ^= 1
    (folder / DAT).write_bytes(raw)
    told = said(folder)
    assert f"{DAT} has the MD5 " in told
    assert f"but the official file has {smallnorb.MD5[DAT]}" in told


@pytest.mark.parametrize("damage", ["cut", "bit", "checksum"])
def test_a_torn_archive_is_said_to_be_torn(tmp_path, monkeypatch, damage):
    folder = known(monkeypatch, write_norb(tmp_path / "norb", packed=True))
    file = folder / f"{DAT}.gz"
    raw = bytearray(file.read_bytes())
    if damage == "cut":
        raw = raw[:-12]
    else:
        raw[len(raw) // 2 if damage == "bit" else len(raw) - 6] ^= 255
    file.write_bytes(raw)
    told = said(folder)
    assert f"{DAT}.gz is torn: " in told or f"{DAT}.gz has the MD5" in told


def test_missing_files_and_folders_are_named_with_where_to_get_them(folder, tmp_path):
    (file,) = folder.glob("*testing-cat*")
    file.unlink()
    told = said(folder, FileNotFoundError)
    assert "has neither smallnorb-5x01235x9x18x6x2x96x96-testing-cat.mat nor" in told
    assert "https://cs.nyu.edu/~ylclab/data/norb-v1.0-small/" in told
    one = next(folder.iterdir())
    assert "is a file, but the folder" in said(one, NotADirectoryError)
    assert "has neither" in said(tmp_path / "nowhere", FileNotFoundError)


def test_a_file_in_the_dress_of_gzip_is_read_whatever_its_name(tmp_path, monkeypatch):
    folder = write_norb(tmp_path / "norb")
    known(monkeypatch, folder)
    (folder / DAT).write_bytes(gzip.compress((folder / DAT).read_bytes(), 1))
    assert len(SmallNORB(folder)) == 160
