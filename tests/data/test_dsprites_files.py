# SPDX-License-Identifier: Apache-2.0
"""The official layouts, on a small grid: what is read, what is refused, and in which words."""

import numpy as np
import pytest

from disent.data import DSprites, dsprites_files
from disent.data.dsprites_files import prepare
from tests.data.official import GRID, HDF5, NPZ, Bomb, contents, read, write

ORDER = np.random.default_rng(0).permutation(24)


@pytest.mark.parametrize("name", [NPZ, HDF5])
@pytest.mark.parametrize("chunk", [5, 8192])
def test_pictures_are_packed_by_flat_index(tmp_path, monkeypatch, name, chunk):
    monkeypatch.setattr(dsprites_files, "CHUNK", chunk)
    arrays = contents()
    assert (read(write(tmp_path / name, arrays)) == arrays["imgs"]).all()


@pytest.mark.parametrize("name", [NPZ, HDF5])
def test_rows_in_another_order_go_where_their_labels_say(tmp_path, name):
    arrays = contents()
    shuffled = {key: array[ORDER] for key, array in arrays.items()}
    assert (read(write(tmp_path / name, shuffled)) == arrays["imgs"]).all()


def test_other_integers_are_labels_too(tmp_path):
    arrays = contents()
    arrays["latents_classes"] = arrays["latents_classes"].astype(np.uint8)
    assert (read(write(tmp_path / NPZ, arrays)) == arrays["imgs"]).all()


def changed(name: str, array: np.ndarray) -> dict[str, np.ndarray]:
    return contents() | {name: array}


def labels(row: int, column: int, value: int) -> dict[str, np.ndarray]:
    table = contents()["latents_classes"]
    table[row, column] = value
    return changed("latents_classes", table)


IMAGES, LABELS = contents()["imgs"], contents()["latents_classes"]
WRONG = {
    "images too few": (changed("imgs", IMAGES[:-1]), r"shape \[23, 64, 64\], but \[24, 64, 64\]"),
    "images too small": (changed("imgs", IMAGES[:, 1:]), r"shape \[24, 63, 64\]"),
    "images of floats": (changed("imgs", IMAGES.astype(np.float32)), "float32, but uint8"),
    "images of 0 and 255": (changed("imgs", IMAGES * 255), "holds the value 255"),
    "labels too narrow": (changed("latents_classes", LABELS[:, 1:]), r"shape \[24, 3\].*\[24, 4\]"),
    "labels of floats": (changed("latents_classes", LABELS * 1.0), "dtype float64"),
    "two colours": (labels(3, 0, 1), "more than one colour"),
    "label too large": (labels(3, 1, 3), "outside its range"),
    "label negative": (labels(3, 1, -1), "outside its range"),
    "label twice": (labels(0, 3, 1), "twice and others never"),
    "no images": ({"latents_classes": LABELS}, "imgs"),
    "no labels": ({"imgs": IMAGES}, "classes"),
}


@pytest.mark.parametrize("name", [NPZ, HDF5])
@pytest.mark.parametrize("wrong", WRONG)
def test_what_is_wrong_is_said(tmp_path, name, wrong):
    arrays, words = WRONG[wrong]
    file = write(tmp_path / name, arrays)
    with pytest.raises(ValueError, match=words) as caught:
        read(file)
    assert str(caught.value).startswith(str(file))
    assert "Download it again" in str(caught.value)


def test_images_in_column_order_are_refused(tmp_path):
    file = write(tmp_path / NPZ, changed("imgs", np.asfortranarray(IMAGES)))
    with pytest.raises(ValueError, match="uint8 in row order is wanted"):
        read(file)


def test_labels_that_are_a_pickle_are_not_loaded(tmp_path):
    arrays = changed("latents_classes", np.array([Bomb()] * 24, object))
    with pytest.raises(ValueError, match="dtype object, but integers"):
        read(write(tmp_path / NPZ, arrays))


def test_missing_and_unknown_files_are_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no file .*nowhere\.npz.*Download dSprites from"):
        DSprites(tmp_path / "nowhere.npz")
    (tmp_path / "pictures.tar").touch()
    with pytest.raises(ValueError, match=r"pictures\.tar ends in none of \.npz, \.hdf5, \.h5"):
        prepare(tmp_path / "pictures.tar", GRID)


def test_a_file_that_changes_is_packed_anew(tmp_path):
    file = write(tmp_path / NPZ, contents())
    first, _ = prepare(file, GRID)
    assert prepare(str(file), GRID)[0] == first
    write(file, changed("imgs", 1 - IMAGES))
    assert prepare(file, GRID)[0] != first


def test_the_public_class_wants_the_whole_grid_and_keeps_nothing_of_a_smaller(
    tmp_path, monkeypatch
):
    monkeypatch.setenv("DISENT_DATA_DIR", str(tmp_path / "cache"))
    with pytest.raises(ValueError, match=r"integers of shape \[737280, 6\] are wanted"):
        DSprites(write(tmp_path / NPZ, contents()))
    assert not list((tmp_path / "cache").glob("*.bin"))
