# SPDX-License-Identifier: Apache-2.0
"""Tables of factors of any kind, numbered."""

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from disent.factors import BINS, MOST_VALUES, number_factors

FEW = np.linspace(0.5, 1.0, 6)
MANY = np.linspace(0.0, 1.0, 101)


@pytest.mark.parametrize(
    ("column", "numbers", "stands_for"),
    [
        (["red", "blue", "red"], [1, 0, 1], ("blue", "red")),
        (["10", "9", "10"], [1, 0, 1], (9, 10)),  # as numbers, not as text
        ([5, 3, 9], [1, 0, 2], (3, 5, 9)),
        ([-1, 1, -1], [0, 1, 0], (-1, 1)),
        ([2.0, 1.0, np.nan], [1, 0, -1], (1, 2)),
        ([0.5, 0.25, 0.5], [1, 0, 1], (0.25, 0.5)),
        ([True, False, True], [1, 0, 1], (False, True)),
        (["", "a", "b"], [-1, 0, 1], ("a", "b")),
        (np.array([7, 9], np.uint8), [0, 1], (7, 9)),
        (np.array([b"a", b"b"]), [0, 1], ("a", "b")),
    ],
)
def test_one_column(column, numbers, stands_for):
    found = number_factors(column)
    assert found.values.dtype == torch.int64
    assert found.values.flatten().tolist() == numbers
    assert found.stands_for == (stands_for,)
    assert found.names == ("factor_0",)
    assert found.continuous == ()


def test_a_table_of_text_has_columns_of_numbers():
    table = np.array([["heart", "0.5"], ["square", "1.0"], ["heart", "1.0"]])
    found = number_factors(table, ["shape", "scale"])
    assert found.values.tolist() == [[0, 0], [1, 1], [0, 1]]
    assert found.said() == ["shape: 2 values: heart, square", "scale: 2 values: 0.5, 1.0"]


def test_fractions_are_values_as_long_as_they_are_few():
    at_most = np.arange(MOST_VALUES) / 7
    assert number_factors(at_most).continuous == ()
    more = np.arange(MOST_VALUES + 1) / 7
    assert number_factors(more).continuous == ("factor_0",)
    whole = number_factors(np.arange(500.0))  # whole numbers are never continuous
    assert whole.continuous == ()
    assert whole.values.max() == 499


def test_continuous_factors_are_cut_as_codes_are():
    found = number_factors(MANY, ["angle"])
    counts, edges = np.histogram(MANY, BINS)
    assert found.values.flatten().bincount().tolist() == counts.tolist()
    assert found.stands_for[0] == pytest.approx(tuple(edges))
    assert found.said() == ["angle: continuous, cut into 20 equal bins: 0.0 .. 1.0"]


def test_what_is_missing_is_counted():
    table = np.stack([np.array([np.nan, 1, 2]), np.array([np.nan] * 3)], 1)
    assert number_factors(table, ["a", "b"]).said() == [
        "a: 2 values: 1, 2; 1 missing",
        "b: no value; 3 missing",
    ]


@given(arrays(np.int64, (12, 2), elements=st.integers(-(10**12), 10**12)))
def test_numbers_keep_the_order_and_lead_back(table):
    found = number_factors(table)
    for k in range(2):
        values = np.array(found.stands_for[k])
        assert (values[found.values[:, k].numpy()] == table[:, k]).all()
        assert (np.diff(values) > 0).all()


@pytest.mark.parametrize(
    ("table", "names", "message"),
    [
        (np.zeros((2, 3, 4)), None, r"factors has shape \[2, 3, 4\]"),
        (np.zeros((0, 2)), None, r"factors has shape \[0, 2\]"),
        (np.zeros((4, 2), complex), None, "dtype complex128"),
        (np.array([[None]]), None, "dtype object"),
        (np.zeros((4, 2)), ["a"], "2 different ones are wanted"),
        (np.zeros((4, 2)), ["a", "a"], "2 different ones are wanted"),
        (np.array([0.5, np.inf]), ["x"], "factor x holds infinite values"),
    ],
)
def test_what_is_no_table_is_refused(table: Any, names, message):
    with pytest.raises(ValueError, match=message):
        number_factors(table, names)
