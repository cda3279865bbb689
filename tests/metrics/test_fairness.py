# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest
import torch
from sklearn.ensemble import GradientBoostingClassifier

from disent.grid import FactorGrid
from disent.metrics import fairness
from disent.metrics.fairness import mean_total_variation, unfairness_of_pairs

GRID = FactorGrid(("a", "b"), (2, 2))
FACTORS = GRID.all_factors()
PAIR = {"seed": 0, "train": 200, "points": 400}


def test_a_perfect_code_is_fair_and_so_is_one_that_tells_nothing():
    for codes in (FACTORS.float(), -3.0 * FACTORS[:, [1, 0]], torch.zeros(4, 3)):
        assert fairness(codes, GRID, train=200) == 0


def test_a_code_that_confuses_two_factors_is_unfair_as_derived_by_hand():
    # the code is [a and b]: 0 of three pictures, 1 of one. With 1, both are predicted to be 1; with
    # 0, each is 0 in two pictures of three, and is predicted to be 0
    codes = FACTORS.prod(1, keepdim=True).float()
    found = unfairness_of_pairs(codes, GRID, **PAIR)
    assert found.diagonal().isnan().all()
    # given b = 0, a is never predicted to be 1; given b = 1, as often as a is 1 among the points
    # drawn, one half: distance 1/4 from the mean of the two
    for pair in (found[0, 1], found[1, 0]):
        assert pair.item() == pytest.approx(0.25, abs=0.04)
    assert fairness(codes, GRID, train=200, points=400) == found.nanmean()


def test_a_factor_that_is_read_off_another_is_as_unfair_as_can_be():
    # b is not coded, and among the train rows more often 0 where a is 0, and 1 where a is 1
    rows = FACTORS[torch.randint(4, (200,), generator=torch.Generator().manual_seed(0))]
    assert [rows[rows[:, 0] == a][:, 1].double().mean().round().item() for a in (0, 1)] == [0, 1]
    codes = FACTORS[:, :1].float()
    found = unfairness_of_pairs(codes, GRID, **PAIR)
    assert found[0, 1] == 0  # a is read rightly whatever b is
    assert found[1, 0].item() == 0.5


def test_distances_by_hand():
    groups = torch.tensor([[0, 0, 1, 1], [0, 1, 1, 1]])  # shares 1/2 1/2 and 1/4 3/4
    assert mean_total_variation(groups, 3).item() == pytest.approx(1 / 8)
    assert mean_total_variation(torch.eye(3).argmax(1)[:, None], 3).item() == pytest.approx(2 / 3)


def test_by_the_reference_classifier_step_by_step():
    """A second computation: scikit-learn's trees on codes of less than 64 values."""
    grid = FactorGrid(("a", "b", "one"), (3, 4, 1))
    factors = grid.all_factors()
    codes = torch.stack([factors[:, 0] + factors[:, 1], factors[:, 0] * factors[:, 1]], 1).float()
    train, points = 300, 50
    found = unfairness_of_pairs(codes, grid, seed=2, train=train, points=points)
    generator = torch.Generator().manual_seed(2)
    rows = torch.randint(12, (train,), generator=generator)
    bases = [grid.factors(torch.randint(12, (points,), generator=generator)) for _ in range(2)]
    for target, sensitive in ((0, 1), (1, 0)):
        model = GradientBoostingClassifier(random_state=0)
        model.fit(codes[rows].numpy(), factors[rows, target].numpy())
        counts = []
        for value in range(grid.sizes[sensitive]):
            changed = bases[sensitive].clone()
            changed[:, sensitive] = value
            predicted = np.asarray(model.predict(codes[grid.index(changed)].numpy()))
            counts.append(np.bincount(predicted, minlength=grid.sizes[target]) / points)
        shares = np.stack(counts)
        expected = np.abs(shares - shares.mean(0)).sum(1).mean() / 2
        assert found[target, sensitive].item() == pytest.approx(expected, abs=1e-12)


def test_what_cannot_be_judged_is_refused():
    with pytest.raises(ValueError, match="at least two that vary"):
        fairness(torch.zeros(3, 1), FactorGrid(("a", "b"), (3, 1)))
    with pytest.raises(ValueError, match="got seed=-1, train=10000, points=100"):
        fairness(torch.zeros(4, 1), GRID, seed=-1)
    with pytest.raises(ValueError, match="the grid has 4 points"):
        fairness(torch.zeros(3, 1), GRID)
