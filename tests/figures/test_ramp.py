# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pandas as pd
import pytest

from disent.figures import capacity_ramp

HISTORY = pd.DataFrame(
    {
        "step": [20, 10, 30],
        "capacity": [2.0, 1.0, 3.0],
        "rate_0": [0.6, 0.1, 1.9],
        "rate_1": [0.0, 0.0, 0.01],
        "rate_2": [0.9, 0.5, 1.0],
    }
)


def test_lines_are_in_the_order_of_the_ramp_and_named_by_factor_and_waking():
    (axes,) = capacity_ramp(HISTORY, factors={0: "scale"}, wakes={0: 2.0, 2: 1.0}).axes
    lines = {line.get_label(): np.asarray(line.get_xydata()).tolist() for line in axes.lines}
    assert lines["z0: scale, wakes at 2.0"] == [[1.0, 0.1], [2.0, 0.6], [3.0, 1.9]]
    assert "z2, wakes at 1.0" in lines
    assert "1 faint" in lines
    assert lines["all: C"] == [[0.0, 0.0], [3.0, 3.0]]
    marks = [
        np.asarray(line.get_xydata()).tolist()[0] for line in axes.lines if line.get_marker() == "^"
    ]
    assert sorted(marks) == [[1.0, 0.5], [2.0, 0.6]]


def test_without_capacity_or_rates_there_is_no_ramp():
    with pytest.raises(ValueError, match="no column 'capacity'"):
        capacity_ramp(HISTORY.drop(columns="capacity"))
    with pytest.raises(ValueError, match="no ramp"):
        capacity_ramp(HISTORY[["step", "capacity"]])
