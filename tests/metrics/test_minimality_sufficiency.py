# SPDX-License-Identifier: Apache-2.0
import math

import numpy as np
import pytest
import torch

from disent.metrics import mig, minimality, sufficiency
from tests.metrics.goldens import load

GRID = torch.cartesian_prod(torch.arange(4), torch.arange(2))  # every value of two factors, once
KNOWN = {  # codes, minimality, sufficiency
    "perfect": (GRID, 1.0, 1.0),
    "permuted, flipped and rescaled": (-7.0 * GRID[:, [1, 0]] + 3, 1.0, 1.0),
    "duplicated": (GRID.repeat(1, 2), 1.0, 1.0),
    "constant": (torch.ones(8, 3), 0.0, 0.0),
    "two latents and two constant ones": (torch.cat([GRID, torch.zeros(8, 2)], 1), 1.0, 1.0),
    # ln 8 nats are held; ln 4 of them of the first factor, and each factor wholly
    "both in one": (2 * GRID[:, :1] + GRID[:, 1:], 2 / 3, 1.0),
    # ln 2 nats are held, all of the first factor, of whose ln 4 they are half
    "coarse copy": (GRID[:, :1] // 2, 1.0, 0.25),
    # the sum of a value of 4 and one of 2 has 5 values, of 1, 2, 2, 2, 1 eighths
    "sum": (
        GRID.sum(1, keepdim=True),
        (2.25 * math.log(2) - math.log(2)) / (2.25 * math.log(2)),
        (1.25 / 2 + 0.25) / 2,
    ),
}


@pytest.mark.parametrize("name", KNOWN)
def test_known_answers(name):
    codes, minimal, sufficient = KNOWN[name]
    assert minimality(codes.float(), GRID).item() == pytest.approx(minimal, abs=1e-12)
    assert sufficiency(codes.float(), GRID).item() == pytest.approx(sufficient, abs=1e-12)


def dependent():
    """Two factors of 5 values, equal in half of the rows and independent in the others."""
    equal = torch.arange(5).repeat(25)[:, None].repeat(1, 2)
    return torch.cat([equal, torch.cartesian_prod(torch.arange(5), torch.arange(5)).repeat(5, 1)])


def test_a_perfect_code_of_dependent_factors_scores_1_where_gaps_do_not():
    factors = dependent()
    codes = factors.float()
    assert minimality(codes, factors).item() == pytest.approx(1)
    assert sufficiency(codes, factors).item() == pytest.approx(1)
    assert mig(codes, factors) < 0.85


def test_a_rotated_code_of_dependent_factors_does_not():
    factors = dependent()
    rotated = factors.double() @ torch.tensor([[1.0, 1.0], [-1.0, 1.0]]).double()
    assert minimality(rotated, factors) < 0.8
    assert sufficiency(rotated, factors) < 0.8


@pytest.mark.parametrize("name", ["entangled", "noisy_snr10", "dead_noise"])
def test_they_are_those_of_tables_of_counts(name):
    """A second computation, from joint tables of numpy's histograms."""
    case, bins = load(name), 15
    codes, factors = case.codes.numpy(), case.factors.numpy()
    information, held = np.zeros((factors.shape[1], codes.shape[1])), np.zeros(codes.shape[1])
    entropies = np.array([_entropy(np.bincount(v) / len(v)) for v in factors.T])
    for j, code in enumerate(codes.T):
        edges = np.histogram_bin_edges(code, bins)
        held[j] = _entropy(np.histogram(code, edges)[0] / len(code))
        for k, values in enumerate(factors.T):
            at = [edges, np.arange(values.max() + 2) - 0.5]
            joint = np.histogram2d(code, values, at)[0] / len(code)
            information[k, j] = held[j] + entropies[k] - _entropy(joint)
    found = minimality(case.codes, case.factors), sufficiency(case.codes, case.factors)
    expected = (information.max(0) / held).mean(), (information.max(1) / entropies).mean()
    assert [f.item() for f in found] == pytest.approx(expected, abs=1e-10)


def _entropy(p):
    p = p[p > 0]
    return -(p * np.log(p)).sum()


def test_one_valued_factors_are_left_out():
    case = load("size1_factor")
    for score in (minimality, sufficiency):
        assert score(case.codes, case.factors) == score(case.codes, case.factors[:, 1:])


@pytest.mark.parametrize("score", [minimality, sufficiency])
def test_without_a_factor_that_varies_there_is_no_score(score):
    with pytest.raises(ValueError, match="only one value in the 1 rows"):
        score(torch.ones(1, 3), torch.zeros(1, 2, dtype=torch.int64))
