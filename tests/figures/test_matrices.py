# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pandas as pd
import pytest

from disent.figures import information_matrix, rank_correlation_matrix


def cells(figure):
    image = figure.axes[0].images[0].get_array()
    return np.asarray(image).round(6).tolist()


def labels(figure):
    axes = figure.axes[0]
    both = axes.get_yticklabels(), axes.get_xticklabels()
    return [[text.get_text() for text in ticks] for ticks in both]


def test_shares_are_of_the_factors_entropy_and_latents_by_rate():
    figure = information_matrix(
        [[0.5, 1.0], [0.0, 0.3]], [2.0, 0.0], ["shape", "one value"], rates=[0.05, 3.0]
    )
    assert cells(figure) == [[0.5, 0.25], [0.0, 0.0]]
    assert labels(figure) == [["shape", "one value"], ["z1", "z0\n(faint)"]]
    assert [t.get_text() for t in figure.axes[0].texts] == ["0.50", "0.25", "0.00", "0.00"]


def test_what_does_not_fit_is_an_error():
    with pytest.raises(ValueError, match="One row a factor"):
        information_matrix([[0.5]], [1.0, 2.0], ["shape", "scale"])
    with pytest.raises(ValueError, match="1 rates for 2 latents"):
        information_matrix([[0.5, 0.1]], [1.0], ["shape"], rates=[1.0])
    with pytest.raises(ValueError, match="not finite"):
        information_matrix([[float("nan")]], [1.0], ["shape"])


def test_correlations_are_named_on_both_sides_and_unknown_ones_left_blank():
    table = pd.DataFrame([[1.0, np.nan], [np.nan, 1.0]], ["mig", "sap"], ["mig", "sap"])
    figure = rank_correlation_matrix(table, runs=12)
    assert labels(figure) == [["mig", "sap"]] * 2
    assert [t.get_text() for t in figure.axes[0].texts] == ["1.00", "1.00"]
    assert "12 runs" in figure.axes[0].get_title(loc="left")
    with pytest.raises(ValueError, match="square"):
        rank_correlation_matrix(table.iloc[:1])
