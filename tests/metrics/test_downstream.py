# SPDX-License-Identifier: Apache-2.0
import warnings
from functools import partial

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegressionCV
from sklearn.model_selection import KFold

from disent.metrics import downstream
from disent.metrics.dci import dci_of_samples
from disent.metrics.downstream import FEWER, accuracies
from disent.metrics.samples import draw
from disent.metrics.solvers.cross_validation import INVERSE_PENALTIES, fit_cross_validated
from tests.metrics.goldens import load

GRID = torch.cartesian_prod(torch.arange(4), torch.arange(2)).repeat(10, 1)
logistic, trees = (partial(downstream, model=model) for model in ("logistic", "trees"))
BOTH = [logistic, trees]


@pytest.mark.parametrize("score", BOTH)
def test_a_perfect_code_is_read_wholly_from_a_hundred_rows(score):
    found = score(3.0 * GRID, GRID, train=1000, test=500)
    assert [x.item() for x in found[:3]] == pytest.approx([1, 1, 1])
    assert found.efficiency_100.item() == found.efficiency_1000.item() == 1


@pytest.mark.parametrize("score", BOTH)
def test_a_code_that_tells_nothing_is_right_as_often_as_chance(score):
    found = score(torch.zeros(80, 2), GRID, train=1000, test=4000)
    for accuracy in found[:4]:  # 1/4 and 1/2
        assert accuracy.item() == pytest.approx(0.375, abs=0.02)
    assert found.efficiency_100.item() == pytest.approx(1, abs=0.06)


def test_a_line_cannot_tell_what_trees_can():
    factors = torch.arange(2).repeat(50)[:, None]
    codes = torch.stack([torch.arange(100) % 4, torch.zeros(100)], 1)  # even or odd
    assert trees(codes, factors, train=1000, test=500).accuracy == 1
    assert logistic(codes, factors, train=1000, test=500).accuracy < 0.9


@pytest.mark.slow
def test_efficiencies_are_ratios_and_fewer_examples_teach_less():
    case = load("noisy_snr10")
    for score in BOTH:
        found = score(case.table, case.grid.all_factors(), train=1500, test=1000)
        ratios = found.accuracy_100 / found.accuracy, found.accuracy_1000 / found.accuracy
        assert (found.efficiency_100, found.efficiency_1000) == ratios
        assert found.accuracy_10 < found.accuracy_100 < found.accuracy_1000


def test_of_the_same_rows_trees_are_those_of_dci():
    case = load("tiny_fullgrid")
    *_, train, test = draw(case.codes, case.factors, *FEWER, 1000, 700, seed=3)
    found = trees(case.codes, case.factors, seed=3, train=1000, test=700)
    expected = dci_of_samples(train, test).informativeness
    torch.testing.assert_close(found.accuracy, expected, atol=1e-12, rtol=0)


@pytest.mark.parametrize("name", ["noisy_snr1", "rotated"])
def test_the_regression_is_that_of_the_reference(name):
    """Accuracies of LogisticRegressionCV with the same folds and penalties, on new rows."""
    case = load(name)
    x, y = case.codes[:300], case.factors[:300, 0]
    ours = fit_cross_validated(x, y, int(y.max()) + 1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = LogisticRegressionCV(Cs=10, cv=KFold(5), max_iter=300)
        theirs.fit(x.numpy(), y.numpy())
    assert np.asarray(theirs.Cs_) == pytest.approx(INVERSE_PENALTIES)
    new, truth = case.table[case.test], case.grid.factors(case.test)[:, 0]
    expected = np.mean(np.asarray(theirs.predict(new.numpy())) == truth.numpy())
    assert ours.accuracy(new, truth).item() == pytest.approx(expected, abs=0.01)


@pytest.mark.parametrize("rows", [1, 3, 10])
def test_few_rows_and_missing_classes_are_taken(rows):
    labels = torch.tensor([2] * rows)
    model = fit_cross_validated(torch.arange(float(rows))[:, None], labels, 4)
    assert model.predict(torch.tensor([[7.0]])).item() == 2


@pytest.mark.slow
def test_factors_without_values_are_left_out():
    with_one = torch.cat([torch.full((80, 1), 3), GRID], 1)
    for score in BOTH:
        found = score(GRID.float(), with_one, train=1000, test=100)
        assert found == score(GRID.float(), GRID, train=1000, test=100)


def test_accuracies_are_of_each_factor():
    train, test = draw(GRID.float(), GRID, 5, 8, seed=0)
    found = accuracies(train, test, lambda _, codes: codes.long() * torch.tensor([1, 0]))
    assert found[0] == 1
    assert found[1] == (test.factors[:, 1] == 0).double().mean()


def test_too_few_rows_are_refused():
    with pytest.raises(ValueError, match="train is 500, but at least 1000 rows"):
        trees(GRID.float(), GRID, train=500)
    with pytest.raises(ValueError, match="only one value in the 80 rows"):
        logistic(GRID.float(), 0 * GRID)
    with pytest.raises(ValueError, match="model must be 'logistic' or 'trees', got 'svm'"):
        downstream(GRID.float(), GRID, model="svm")  # type: ignore[arg-type]
