# SPDX-License-Identifier: Apache-2.0
"""scikit-learn's digits: their values by hand, and the division into two parts."""

import numpy as np
import torch
from sklearn.datasets import load_digits

from disent.data import Digits, FactorDataModule

# the first digit of the dataset, a zero, as its own description shows it
ZERO = [
    [0, 0, 5, 13, 9, 1, 0, 0],
    [0, 0, 13, 15, 10, 15, 5, 0],
    [0, 3, 15, 2, 0, 11, 8, 0],
    [0, 4, 12, 0, 0, 8, 8, 0],
    [0, 5, 8, 0, 0, 9, 8, 0],
    [0, 4, 11, 0, 1, 12, 7, 0],
    [0, 2, 14, 5, 10, 12, 0, 0],
    [0, 0, 6, 13, 10, 0, 0, 0],
]


def rows_of(data: Digits) -> set[tuple[int, ...]]:
    pictures = data.images(torch.arange(len(data))).flatten(1)
    labels = data.factors(torch.arange(len(data)))[:, :1]
    return {tuple(row) for row in torch.cat([pictures.long(), labels], 1).tolist()}


def test_pixel_values_are_rounded_from_16_levels_to_255():
    data = Digits()
    found = data.images(torch.arange(len(data))).unique().tolist()
    assert found == [0, 16, 32, 48, 64, 80, 96, 112, 128, 143, 159, 175, 191, 207, 223, 239, 255]
    pictures = data.images(torch.arange(len(data)))[:, 0].tolist()
    assert [[found[value] for value in row] for row in ZERO] in pictures


def test_every_picture_is_there_once_with_its_label():
    data = Digits()
    values, target = map(np.asarray, load_digits(return_X_y=True))
    assert (len(data), data.size, data.channels) == (1797, (8, 8), 1)
    labels = data.factors(torch.arange(1797))[:, 0]
    assert np.array_equal(labels.bincount().numpy(), np.bincount(target))
    levels = np.rint(values * 255 / 16).astype(int)
    assert rows_of(data) == {(*row, int(y)) for row, y in zip(levels, target, strict=True)}


def test_a_fifth_is_set_apart_always_the_same():
    data, train, test = Digits(), Digits("train"), Digits("test")
    assert (len(train), len(test)) == (1437, 360)
    assert rows_of(train) | rows_of(test) == rows_of(data)
    assert rows_of(train).isdisjoint(rows_of(test))
    assert test.fingerprint == "optical digits of scikit-learn, test part, 1d0c9499b1037518"
    assert torch.equal(data.images(torch.arange(1437, 1797)), test.images(torch.arange(360)))


def test_it_is_held_out_by_its_mark():
    loader = FactorDataModule(Digits(), 64, held_out="test == 1")
    assert loader.held_out_index.tolist() == list(range(1437, 1797))
