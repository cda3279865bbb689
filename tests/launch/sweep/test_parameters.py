# SPDX-License-Identifier: Apache-2.0
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from disent.launch.sweep.parameters import Parameter


def quantiles(entry, *shares):
    return [Parameter.read("p", entry).quantile(u) for u in shares]


@pytest.mark.parametrize(
    ("entry", "grid"),
    [
        ({"value": 4}, [4]),
        ({"values": [1, "a", 2.5]}, [1, "a", 2.5]),
        ({"min": 2, "max": 5}, [2, 3, 4, 5]),
        ({"distribution": "q_uniform", "min": 0.0, "max": 1.0, "q": 0.25}, [0, 0.25, 0.5, 0.75]),
    ],
)
def test_grids(entry, grid):
    assert list(Parameter.read("p", entry).grid()) == grid


def test_a_continuous_parameter_has_no_grid():
    with pytest.raises(ValueError, match="p is uniform, which no grid can list"):
        Parameter.read("p", {"min": 0.5, "max": 2.0}).grid()


def test_quantiles_by_hand():
    assert quantiles({"min": 2.0, "max": 6.0}, 0.25, 0.5) == [3.0, 4.0]
    assert quantiles({"min": 0, "max": 3}, 0.0, 0.3, 0.99) == [0, 1, 3]
    log = {"distribution": "log_uniform_values", "min": 1.0e-4, "max": 1.0}
    assert quantiles(log, 0.5) == pytest.approx([1e-2])
    natural = {"distribution": "log_uniform", "min": 0.0, "max": 2.0}
    assert quantiles(natural, 0.5) == pytest.approx([math.e])
    inverse = {"distribution": "inv_log_uniform_values", "min": 1.0, "max": 100.0}
    assert quantiles(inverse, 0.5) == pytest.approx([10])
    normal = {"distribution": "normal", "mu": 3.0, "sigma": 2.0}
    assert quantiles(normal, 0.5, 0.8413447) == pytest.approx([3, 5])
    assert quantiles({"distribution": "log_normal"}, 0.5) == pytest.approx([1])
    weighted = {"values": ["a", "b"], "probabilities": [0.25, 0.75]}
    assert quantiles(weighted, 0.2, 0.3) == ["a", "b"]
    assert quantiles({"values": ["a", "b"]}, 0.49, 0.51) == ["a", "b"]


@given(st.floats(1e-9, 1 - 1e-9), st.floats(-5, 5), st.floats(0.1, 5))
def test_uniform_quantiles_stay_inside(u, low, width):
    value = Parameter.read("p", {"min": low, "max": low + width}).quantile(u)
    assert low <= value <= low + width + 1e-12


@pytest.mark.parametrize(
    ("entry", "match"),
    [
        (4, "is 4, but value:, values: or min: and max:"),
        ({}, "has nothing, but value:"),
        ({"min": 1}, "has min, but value:"),
        ({"values": []}, "an empty list of values"),
        ({"values": "BetaVAE"}, r"values: 'BetaVAE', but a list is wanted: \[BetaVAE\]"),
        ({"values": 5}, "values: 5, but a list is wanted"),
        ({"values": [1, 2], "probabilities": 0.5}, "probabilities: 0.5, but a list is wanted"),
        ({"values": [1, 2], "probabilities": ["a", "b"]}, "has the probability 'a'"),
        ({"distribution": "q_uniform", "min": 0, "max": 1, "q": 0}, "q: 0, but q must be > 0"),
        ({"min": 3, "max": 1}, "runs from 3 to 1"),
        ({"min": "1e-4", "max": 1.0}, "write 1.0e-4"),
        (
            {"distribution": "beta", "min": 0, "max": 1},
            r"p \(beta\) has min, max, but takes a, b only",
        ),
        ({"distribution": "gamma"}, "has the distribution 'gamma'"),
        ({"min": 1, "max": 9, "q": 2}, r"p \(int_uniform\) has q, but takes min, max only"),
        ({"value": 1, "values": [1]}, r"p \(constant\) has values, but takes value only"),
        ({"min": 2, "max": 2}, "runs from 2 to 2, but min must be below max"),
        ({"distribution": "int_uniform", "min": 1.0, "max": 2}, "whole numbers are wanted"),
        ({"distribution": "beta", "a": 0}, "a: 0 and b: 1.0, but both must be > 0"),
        ({"distribution": "normal", "sigma": -1}, "sigma: -1, but sigma must be >= 0"),
        ({"distribution": "log_uniform", "min": 1, "max": 1000}, "log_uniform_values takes the"),
        ({"values": [1, 2], "probabilities": [1.5, -0.5]}, "none below 0"),
        ({"distribution": "uniform", "min": 0}, "lacks max"),
        ({"distribution": "log_uniform_values", "min": 0.0, "max": 1.0}, "min must be > 0"),
        ({"values": [1, 2], "probabilities": [0.5]}, "one for each of 2 values"),
        ({"parameters": {"beta": {"value": 1}}}, r"write p\.beta: instead"),
    ],
)
def test_wrong_entries_are_named(entry, match):
    with pytest.raises(ValueError, match=match):
        Parameter.read("p", entry)


def test_whole_steps_give_whole_numbers():
    """As they come to an agent, through JSON: q is 1 unless it is said."""
    for kind, more in (("q_uniform", {"min": 2, "max": 20}), ("q_normal", {"mu": 9, "sigma": 2})):
        for q in ({}, {"q": 1}, {"q": 1.0}, {"q": 2}):
            drawn = quantiles({"distribution": kind, **more, **q}, 0.1, 0.5, 0.9)
            assert [type(value) for value in drawn] == [int, int, int]
    halves = {"distribution": "q_uniform", "min": 0, "max": 2, "q": 0.5}
    assert quantiles(halves, 0.3) == [0.5]
