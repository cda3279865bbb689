# SPDX-License-Identifier: Apache-2.0
from typing import Any

import pytest
import torch

from disent.grid import FactorGrid
from disent.metrics.factor_vae_score import Votes, accuracies, factor_vae_score
from tests.metrics.goldens import CASES, FUNCTIONS, arrays, load

GRID = FactorGrid(("a", "b", "c"), (3, 4, 5))
PERFECT = GRID.all_factors().float()
FAST: dict[str, Any] = {"train": 200, "test": 100, "variance_points": 500}
SETTINGS = {"train": 1000, "test": 1000, "variance_points": 2000}  # of the goldens


def score(codes, grid=GRID, **settings: Any):
    return factor_vae_score(codes, grid, **(FAST | settings)).item()


def test_perfect_code_whatever_its_order_and_sign():
    assert score(PERFECT) == 1
    assert score(-PERFECT[:, [2, 0, 1]] + 4) == 1


def test_a_code_of_one_factor_tells_that_factor_alone():
    """The one latent wins every vote, and stands for one of three equally likely factors."""
    assert score(PERFECT[:, :1], test=3000) == pytest.approx(1 / 3, abs=0.05)


def test_constant_latents_never_take_part():
    codes = torch.cat([PERFECT, torch.ones(60, 2)], dim=1)
    assert score(codes, prune=0.0) == 1
    assert score(torch.ones(60, 3), prune=0.0) == 0


def test_pruning_is_absolute_or_relative():
    small = 0.01 * PERFECT
    assert score(small) == 0
    assert score(small, prune=0.0) == 1
    assert score(small, relative=True) == 1
    with_noise = torch.cat([small, 1e-5 * torch.randn(60, 1)], dim=1)
    assert score(with_noise, relative=True) == 1


def test_votes_of_the_reference():
    data, golden = arrays("core"), FUNCTIONS["core_factor_vae_votes"]["value"]
    active = torch.ones(6, dtype=torch.bool)
    train, test = accuracies(Votes(data["votes_train"].long(), data["votes_eval"].long(), active))
    assert train.item() == pytest.approx(golden["train_accuracy"])
    assert test.item() == pytest.approx(golden["eval_accuracy"])


def test_on_ties_a_latent_stands_for_the_first_factor():
    train = torch.tensor([[2, 0], [2, 3]])
    test = torch.tensor([[1, 0], [5, 4]])
    # latent 0 stands for factor 0 and is right once in six, latent 1 always: 5 of 10
    result = accuracies(Votes(train, test, torch.ones(2, dtype=torch.bool)))
    assert [float(share) for share in result] == pytest.approx([5 / 7, 0.5])


STOCHASTIC = [
    (name, prune)
    for name in CASES
    for prune in ("0.05", "0")
    if f"factor_vae.prune{prune}.eval" in CASES[name]
    # what the reference does there is its own: 0/0 for constant latents; size 1 as a class
    and not (name == "dead_const" and prune == "0")
    and name != "size1_factor"
]


@pytest.mark.parametrize(("name", "prune"), STOCHASTIC)
def test_equals_the_reference(name, prune):
    case, golden = load(name), CASES[name][f"factor_vae.prune{prune}.eval"]
    settings = SETTINGS | {"prune": float(prune)}
    m = 10 if len(case.table) < 20_000 else 4
    values = torch.tensor([score(case.table, case.grid, seed=i, **settings) for i in range(m)])
    n = golden["n_seeds"]
    spread = max(golden["std"], float(values.std()))
    tolerance = 4 * spread * (1 / m + 1 / n) ** 0.5 + 0.01
    assert values.mean().item() == pytest.approx(golden["value"], abs=tolerance)


def test_a_factor_of_size_1_is_no_class():
    case = load("size1_factor")
    rest = FactorGrid(case.grid.names[1:], case.grid.sizes[1:])
    assert case.grid.sizes[0] == 1
    assert score(case.table, case.grid) == score(case.table, rest)


@pytest.mark.parametrize(
    "wrong", [{"seed": -1}, {"prune": -0.1}, {"batch": 1}, {"train": 0}, {"variance_points": 1}]
)
def test_settings_that_cannot_be_are_refused(wrong):
    with pytest.raises(ValueError, match="the field's are 64, 10000, 5000 and 10000"):
        score(PERFECT, **wrong)


def test_one_factor_is_too_few():
    with pytest.raises(ValueError, match="takes two that vary"):
        score(torch.zeros(5, 2), FactorGrid(("a", "b"), (5, 1)))
