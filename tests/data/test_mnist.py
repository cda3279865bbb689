# SPDX-License-Identifier: Apache-2.0
"""MNIST and its kin from small files of the same layout, and what is said of files that are not."""

import gzip
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from disent.data import MNIST, FactorDataModule, FashionMNIST
from tests.data.idx_files import idx, parts, write

ALL = torch.arange(8)


@pytest.fixture(params=["plain", "packed", "dotted", "packed and dotted"])
def folder(request, tmp_path) -> Path:
    return write(tmp_path, packed="packed" in request.param, dotted="dotted" in request.param)


def test_the_training_pictures_come_first_then_those_for_testing(folder):
    data = MNIST(folder)
    assert (len(data), data.size, data.channels) == (8, (28, 28), 1)
    assert data.names == ("label",)
    assert data.marks()["test"].tolist() == [0, 0, 0, 0, 0, 1, 1, 1]
    pictures = data.images(ALL)
    assert pictures.dtype == torch.uint8
    assert torch.equal(pictures, (10 * ALL.to(torch.uint8)).view(8, 1, 1, 1).expand(8, 1, 28, 28))
    labels = [[9], [8], [7], [6], [5], [4], [3], [2]]
    assert data.factors(ALL).tolist() == labels
    assert data.batch(torch.tensor([7])).unique().tolist() == [pytest.approx(70 / 255)]


def test_rows_and_columns_are_not_swapped(tmp_path):
    picture = np.zeros((5, 28, 28), np.uint8)
    picture[0, 2, 9] = 200  # row 2, column 9
    data = MNIST(write(tmp_path, train_images=idx(picture)))
    assert data.images(torch.tensor([0]))[0].nonzero().tolist() == [[0, 2, 9]]


def test_one_part_has_its_pictures_alone(folder):
    train, test = MNIST(folder, "train"), MNIST(folder, part="test")
    assert train.factors(torch.arange(5)).tolist() == [[9], [8], [7], [6], [5]]
    assert test.factors(torch.arange(3)).tolist() == [[4], [3], [2]]
    assert train.names == test.names == ("label",)
    assert torch.equal(test.images(torch.arange(3)), MNIST(folder).images(torch.arange(5, 8)))
    with pytest.raises(IndexError, match="0 to 2, but 3 to 3"):
        test.images(torch.tensor([3]))
    with pytest.raises(ValueError, match="part must be 'all', 'train' or 'test', got 'both'"):
        MNIST(folder, part="both")  # pyright: ignore[reportArgumentType]


def test_the_part_for_testing_is_held_out_by_its_mark(folder):
    loader = FactorDataModule(MNIST(folder), 5, "shuffled", "test == 1")
    assert loader.train_index.tolist() == [0, 1, 2, 3, 4]
    assert loader.held_out_index.tolist() == [5, 6, 7]


def test_fingerprints_tell_dataset_pictures_and_part_but_not_how_they_are_packed(tmp_path):
    plain, packed = write(tmp_path / "a"), write(tmp_path / "b", packed=True)
    other = write(tmp_path / "c", train_images=idx(np.ones((5, 28, 28), np.uint8)))
    assert MNIST(plain).fingerprint == MNIST(packed).fingerprint
    made = [MNIST(plain), MNIST(plain, "train"), MNIST(plain, "test"), MNIST(other)]
    assert len({data.fingerprint for data in [*made, FashionMNIST(plain)]}) == 5


def test_clothing_has_the_same_files(folder):
    data = FashionMNIST(folder)
    assert data.fingerprint.startswith("Fashion-MNIST")
    assert data.factors(ALL[:1]).tolist() == [[9]]


def said(folder: Path, kind: type[Exception] = ValueError) -> str:
    with pytest.raises(kind) as raised:
        MNIST(folder)
    assert "\n" not in str(raised.value)
    return str(raised.value)


PICTURES, LABELS = (parts()[f"train-{name}-ubyte"] for name in ("images-idx3", "labels-idx1"))
WRONG = {
    "cut short": (
        {"train_images": idx(PICTURES)[:-1]},
        "train-images-idx3-ubyte has 3,919 bytes after its header, which promises 5 x 28 x 28 = "
        "3,920: it is cut short",
    ),
    "too long": ({"t10k_labels": idx(LABELS[:3]) + b"0"}, "t10k-labels-idx1-ubyte .*too long"),
    "cut in its header": ({"t10k_images": b"\0\0\x08\3\0\0"}, "t10k-images.* within its header"),
    "empty": ({"train_labels": b""}, "train-labels-idx1-ubyte begins with nothing"),
    "labels for pictures": (
        {"train_images": idx(LABELS)},
        "train-images-idx3-ubyte begins with 00 00 08 01, but IDX pictures begin with 00 00 08 03",
    ),
    "floats": ({"train_labels": b"\0\0\x0d\1" + bytes(24)}, "begins with 00 00 0d 01"),
    "a web page": ({"train_images": b"<!DOCTYPE html>"}, "begins with 3c 21 44 4f"),
    "too few labels": (
        {"train_labels": idx(LABELS[:4])},
        "train-images-idx3-ubyte holds 5 pictures, but .*train-labels-idx1-ubyte 4 labels",
    ),
    "another size": ({"t10k_images": idx(PICTURES[:3, :8])}, "holds 3 x 8 x 28 pixels, but .*28 x"),
    "no pictures": ({"t10k_images": idx(PICTURES[:0])}, "holds 0 x 28 x 28 pixels"),
    "an eleventh class": (
        {"train_labels": idx(LABELS + 1)},
        "train-labels.* holds a label 10, but",
    ),
}


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("wrong", WRONG)
def test_a_wrong_file_is_named_with_what_is_wrong_in_one_line(wrong, packed, tmp_path):
    other: dict[str, Any]
    other, words = WRONG[wrong]
    assert re.search(words.replace("ubyte ", "ubyte.gz " if packed else "ubyte "),
                     said(write(tmp_path, packed=packed, **other)))  # fmt: skip


@pytest.mark.parametrize("torn", [slice(0, 40), slice(0, -4), slice(0, 3)])
def test_a_torn_archive_is_said_to_be_torn(torn, tmp_path):
    file = write(tmp_path, packed=True) / "train-images-idx3-ubyte.gz"
    file.write_bytes(file.read_bytes()[torn])
    assert re.search(r"train-images-idx3-ubyte.gz is torn: .* Download it again", said(tmp_path))


def test_a_damaged_archive_is_said_to_be_torn(tmp_path):
    raw = bytearray(gzip.compress(idx(LABELS)))
    raw[12] ^= 0xFF
    write(tmp_path, packed=True)
    (tmp_path / "train-labels-idx1-ubyte.gz").write_bytes(raw)
    assert "train-labels-idx1-ubyte.gz is torn" in said(tmp_path)


def test_an_archive_without_its_ending_is_read(tmp_path):
    write(tmp_path)
    (tmp_path / "train-labels-idx1-ubyte").write_bytes(gzip.compress(idx(LABELS)))
    assert len(MNIST(tmp_path)) == 8


def test_missing_files_and_folders_are_named_with_where_to_get_them(tmp_path):
    (write(tmp_path / "a") / "t10k-labels-idx1-ubyte").unlink()
    words = said(tmp_path / "a", FileNotFoundError)
    assert "has neither t10k-labels-idx1-ubyte nor t10k-labels-idx1-ubyte.gz" in words
    assert "http://yann.lecun.com/exdb/mnist" in words
    assert "has neither train-images" in said(tmp_path / "nowhere", FileNotFoundError)
    one = tmp_path / "a" / "train-images-idx3-ubyte"
    assert "is a file, but the folder" in said(one, NotADirectoryError)


def test_a_small_file_that_unpacks_into_much_is_refused(folder, monkeypatch):
    monkeypatch.setattr("disent.data.idx.LARGEST", 1000)
    with pytest.raises(ValueError, match="holds more than 0 MB"):
        MNIST(folder)
