# SPDX-License-Identifier: Apache-2.0
"""Every distribution that W&B publishes: what it takes, and what is drawn, against SciPy's."""

import json
import math
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from scipy import stats

from disent.launch.sweep.distributions import DEFAULTS, REQUIRED
from disent.launch.sweep.file import read_sweep
from disent.launch.sweep.parameters import Parameter
from disent.launch.sweep.trials import list_trials

PUBLISHED = json.loads(
    (Path(__file__).parents[2] / "golden" / "wandb_distributions.json").read_text(encoding="utf-8")
)
DRAWS = 4000
P = 0.001  # of a test with a fixed seed: it fails always or never
# an entry of each continuous one, its type and what SciPy calls it
REAL: dict[str, tuple[dict[str, Any], Any]] = {
    "uniform": ({"min": -1, "max": 3}, stats.uniform(-1, 4)),
    "log_uniform": ({"min": -3, "max": 2}, stats.loguniform(math.exp(-3), math.exp(2))),
    "log_uniform_values": ({"min": 1e-4, "max": 1}, stats.loguniform(1e-4, 1)),
    "inv_log_uniform": ({"min": -2, "max": 3}, stats.loguniform(math.exp(-3), math.exp(2))),
    "inv_log_uniform_values": ({"min": 0.5, "max": 32}, stats.loguniform(0.5, 32)),
    "normal": ({"mu": 3, "sigma": 2}, stats.norm(3, 2)),
    "log_normal": ({"mu": 1, "sigma": 0.5}, stats.lognorm(s=0.5, scale=math.e)),
    "beta": ({"a": 2, "b": 5}, stats.beta(2, 5)),
}
STEPPED: dict[str, tuple[dict[str, Any], Any]] = {
    "q_uniform": ({"min": 2, "max": 20}, stats.uniform(2, 18)),
    "q_log_uniform": ({"min": 0, "max": 3}, stats.loguniform(1, math.exp(3))),
    "q_log_uniform_values": ({"min": 4, "max": 40}, stats.loguniform(4, 40)),
    "q_normal": ({"mu": 3, "sigma": 2}, stats.norm(3, 2)),
    "q_log_normal": ({"mu": 1, "sigma": 0.5}, stats.lognorm(s=0.5, scale=math.e)),
    "q_beta": ({"a": 2, "b": 3, "q": 0.125}, stats.beta(2, 3)),
}


def drawn(entry: dict[str, Any], kind: str) -> list[Any]:
    parameter = Parameter.read("p", {"distribution": kind, **entry})
    dice = random.Random(f"{kind} of the test")
    return [parameter.quantile(dice.random()) for _ in range(DRAWS)]


def chi_square(values: list[Any], expected: dict[Any, float]) -> float:
    """The p-value of counts against probabilities; rare values are taken together."""
    assert set(values) <= expected.keys()
    often = [value for value, share in expected.items() if share * DRAWS >= 5]
    counts = [values.count(value) for value in often]
    shares = [expected[value] for value in often]
    if (rest := 1 - sum(shares)) * DRAWS >= 5:
        counts, shares = [*counts, DRAWS - sum(counts)], [*shares, rest]
    shares = np.array(shares) * sum(counts) / sum(shares)
    return float(stats.chisquare(counts, shares).pvalue)


def test_required_keys_and_defaults_are_the_published_ones():
    assert {k: sorted(v) for k, v in REQUIRED.items()} == {
        k: sorted(v) for k, v in PUBLISHED["required"].items()
    }
    assert PUBLISHED["defaults"] == DEFAULTS


def test_every_published_distribution_is_tested_here():
    discrete = {"constant", "categorical", "categorical_w_probabilities", "int_uniform"}
    assert PUBLISHED["required"].keys() == REAL.keys() | STEPPED.keys() | discrete


@pytest.mark.parametrize(("entry", "kind"), PUBLISHED["implied"])
def test_what_an_entry_without_distribution_is(entry, kind):
    assert Parameter.read("p", entry).distribution == kind


@pytest.mark.parametrize("kind", REAL)
def test_real_numbers_are_drawn_as_by_scipy(kind):
    entry, known = REAL[kind]
    values = drawn(entry, kind)
    assert {type(value) for value in values} == {float}
    low, high = known.support()
    assert low - 1e-9 <= min(values)
    assert max(values) <= high + 1e-9
    assert stats.kstest(values, known.cdf).pvalue > P


@pytest.mark.parametrize("kind", STEPPED)
def test_multiples_of_q_are_drawn_as_scipys_rounded(kind):
    entry, known = STEPPED[kind]
    q = entry.get("q", 1)
    values = drawn(entry, kind)
    assert all(type(value) is int or value != int(value) for value in values)
    low, high = (round(end / q) for end in known.ppf([1e-9, 1 - 1e-9]))
    expected = {k * q: known.cdf((k + 0.5) * q) - known.cdf((k - 0.5) * q)
                for k in range(low - 1, high + 2)}  # fmt: skip
    assert sum(expected.values()) == pytest.approx(1, abs=1e-6)
    assert chi_square(values, expected) > P


def test_whole_numbers_and_values_are_drawn_by_their_shares():
    values = drawn({"min": -2, "max": 3}, "int_uniform")
    assert {type(value) for value in values} == {int}
    assert chi_square(values, dict.fromkeys(range(-2, 4), 1 / 6)) > P
    values = drawn({"values": ["a", 1, None]}, "categorical")
    assert chi_square(values, dict.fromkeys(["a", 1, None], 1 / 3)) > P
    weighted = {"values": ["a", "b", "c"], "probabilities": [0.2, 0.7, 0.1]}
    values = drawn(weighted, "categorical_w_probabilities")
    assert chi_square(values, {"a": 0.2, "b": 0.7, "c": 0.1}) > P
    assert set(drawn({"value": 4}, "constant")) == {4}


@pytest.mark.parametrize("kind", [k for k, keys in PUBLISHED["required"].items() if "min" in keys])
def test_a_range_of_one_is_refused_by_name_as_by_wandb(kind):
    with pytest.raises(ValueError, match="parameter p runs from 2 to 2, but min must be below"):
        Parameter.read("p", {"distribution": kind, "min": 2, "max": 2})


def test_nested_parameters_are_refused_by_name(tmp_path):
    nested = {"model": {"parameters": {"beta": {"value": 1}}}}
    file = tmp_path / "nested.yaml"
    file.write_text(yaml.safe_dump({"method": "random", "run_cap": 1, "parameters": nested}))
    with pytest.raises(ValueError, match=r"parameter model is nested.* write model\.beta: instead"):
        read_sweep(file)


GRIDS = ("constant", "categorical", "int_uniform", "q_uniform")


@pytest.mark.parametrize("kind", REQUIRED)
def test_grids_list_the_kinds_that_wandbs_do_and_refuse_the_others_by_name(kind, tmp_path):
    given = {"value": 2, "values": [2, 3], "probabilities": [0.5, 0.5], "min": 2, "max": 4}
    entry = {"distribution": kind} | {key: given[key] for key in REQUIRED[kind]}
    file = tmp_path / "grid.yaml"
    file.write_text(yaml.safe_dump({"method": "grid", "parameters": {"p": entry}}))
    if kind not in GRIDS:
        with pytest.raises(ValueError, match=f"parameter p is {kind}, which no grid can list"):
            list_trials(read_sweep(file))
        return
    listed = [trial.arguments["p"] for trial in list_trials(read_sweep(file))]
    assert listed == {"constant": [2], "int_uniform": [2, 3, 4]}.get(kind, [2, 3])
    assert {type(value) for value in listed} == {int}
