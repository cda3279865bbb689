# SPDX-License-Identifier: Apache-2.0
"""Codes of few values tie: no score may depend on the order in which rows of equal codes come."""

import pytest
import torch

from disent import metrics
from disent.grid import FactorGrid
from disent.metrics.base import settings, wants
from disent.metrics.dci import dci_of_samples
from disent.metrics.explicitness import explicitness_per_factor, roc_auc
from disent.metrics.importance import learn
from disent.metrics.samples import Sample
from disent.metrics.sap import sap_matrix
from disent.metrics.solvers.classifier import fit_softmax

SCORES = {name: getattr(metrics, name) for name in metrics.__all__}
# those that draw nothing, of rows in any order; a score of a grid has its rows in the grid's order
OF_ROWS = [n for n, s in SCORES.items() if "seed" not in settings(s) and "grid" not in wants(s)]
GRID = FactorGrid(("a", "b", "c"), (3, 4, 5))
FACTORS = GRID.all_factors().repeat(3, 1)


def quantised(seed, levels):
    """Codes of three latents that take few values, related to the factors but not decided."""
    generator = torch.Generator().manual_seed(seed)
    noise = torch.randint(0, 2, FACTORS.shape, generator=generator)
    return ((FACTORS + noise) % levels).double()


def within_ties(codes, seed):
    """An order of the rows that changes places only among those whose codes are equal."""
    generator = torch.Generator().manual_seed(seed)
    groups = codes.unique(dim=0, return_inverse=True)[1]
    shuffled = torch.randperm(len(codes), generator=generator)
    order = torch.empty(len(codes), dtype=torch.int64)
    order[groups.argsort(stable=True)] = shuffled[groups[shuffled].argsort(stable=True)]
    assert torch.equal(codes[order], codes)
    assert not torch.equal(order, torch.arange(len(codes)))
    return order


def anyhow(codes, seed):
    return torch.randperm(len(codes), generator=torch.Generator().manual_seed(seed))


def given(name, codes, factors):
    return [
        {
            "codes": codes,
            "factors": factors,
            "means": codes,
            "logvars": -codes,
            "codes_of_runs": torch.stack([codes, codes.flip(1) + factors]),
            "rates_of_runs": torch.ones(2, codes.shape[1]),
            "log_weights": codes,
        }[want]
        for want in wants(SCORES[name])
    ]


def numbers(value):
    return [value] if isinstance(value, torch.Tensor) else list(value)


@pytest.mark.parametrize("reorder", [within_ties, anyhow])
@pytest.mark.parametrize("levels", [2, 3, 5])
@pytest.mark.parametrize("name", OF_ROWS)
def test_the_order_of_rows_does_not_matter(name, levels, reorder):
    codes = quantised(levels, levels)
    expected = numbers(SCORES[name](*given(name, codes, FACTORS)))
    for seed in range(3):
        order = reorder(codes, seed)
        found = numbers(SCORES[name](*given(name, codes[order], FACTORS[order])))
        torch.testing.assert_close(found, expected, atol=1e-12, rtol=1e-12, equal_nan=True)


def test_there_are_scores_to_be_tested():
    assert {"mig", "irs", "sap_r2", "udr", "jemmig", "dcimig", "minimality"} <= set(OF_ROWS)


# scores that draw rows: the same rows in another order


@pytest.fixture(params=[2, 3, 5])
def samples(request):
    """The same train rows twice, in two orders, and test rows."""
    codes = quantised(request.param, request.param)
    order = within_ties(codes, 1)
    train = Sample(codes, FACTORS)
    return train, Sample(codes[order], FACTORS[order]), Sample(codes.flip(0), FACTORS.flip(0))


def test_what_trees_learn_does_not_depend_on_it(samples):
    first, second, test = samples
    torch.testing.assert_close(learn(first, test), learn(second, test), atol=1e-12, rtol=0)
    scores = [dci_of_samples(train, test) for train in (first, second)]
    torch.testing.assert_close(*scores, atol=1e-12, rtol=0)


def test_nor_what_linear_machines_tell(samples):
    first, second, test = samples
    torch.testing.assert_close(sap_matrix(first, test), sap_matrix(second, test), atol=0, rtol=0)


@pytest.mark.parametrize("classifier", ["softmax", "one_vs_rest"])
def test_nor_the_areas_of_explicitness(samples, classifier):
    first, second, test = samples
    areas = [
        explicitness_per_factor(train, test, classifier=classifier) for train in (first, second)
    ]
    torch.testing.assert_close(*areas, atol=1e-12, rtol=0)


def test_equal_scores_count_half_in_the_area_whatever_their_order(samples):
    first, second, _ = samples
    areas = [roc_auc(train.codes[:, :1], train.factors[:, :1] == 0) for train in (first, second)]
    torch.testing.assert_close(*areas, atol=1e-12, rtol=0)


def test_the_same_rows_have_the_same_regression(samples):
    first, second, _ = samples
    models = [fit_softmax(train.codes, train.factors[:, 2], 5) for train in (first, second)]
    torch.testing.assert_close(*models, atol=1e-7, rtol=0)


@pytest.mark.parametrize("name", ["beta_vae_score", "factor_vae_score", "fairness", "mig_chen"])
def test_scores_of_a_grid_take_latents_of_few_values(name):
    codes = (GRID.all_factors() // 2).float()
    more = {} if name == "mig_chen" else {"train": 300}
    more |= {"test": 200} if "test" in settings(SCORES[name]) else {}
    inputs = [codes, torch.full_like(codes, -4.0)] if name == "mig_chen" else [codes]
    found = SCORES[name](*inputs, GRID, **more)
    assert 0 <= found <= 1
    assert found == SCORES[name](*inputs, GRID, **more)
