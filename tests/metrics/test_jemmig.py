# SPDX-License-Identifier: Apache-2.0
import math

import numpy as np
import pytest
import torch

from disent.metrics import jemmig
from disent.metrics.information import entropy, equal_width, factor_entropy
from disent.metrics.jemmig import jemmig_losses
from tests.metrics.goldens import CASES, binned, load

GRID = torch.cartesian_prod(torch.arange(4), torch.arange(2))  # every value of two factors, once
LN20, LN4, LN2 = math.log(20), math.log(4), math.log(2)
KNOWN = {
    "perfect": (GRID, 1.0),
    "permuted, flipped and rescaled": (-7.0 * GRID[:, [1, 0]] + 3, 1.0),
    "more latents than factors": (torch.cat([GRID, torch.zeros(8, 3)], 1), 1.0),
    # the second copy knows all of the factor: loss H(v)
    "duplicated": (
        GRID.repeat(1, 2),
        1 - (LN4 / (LN4 + LN20) + LN2 / (LN2 + LN20)) / 2,
    ),
    # nothing is known, and the constant says nothing beside: loss H(v)
    "constant": (torch.ones(8, 3), 1 - (LN4 / (LN4 + LN20) + LN2 / (LN2 + LN20)) / 2),
    # both factors are known wholly by the one latent, which holds the other factor beside
    "both in one": (
        2 * GRID[:, :1] + GRID[:, 1:],
        1 - (LN2 / (LN4 + LN20) + LN4 / (LN2 + LN20)) / 2,
    ),
    # ln 2 of ln 4: joint entropy ln 4, information ln 2; the other factor is not coded, and the
    # latent, the only one, holds ln 2 beside it
    "coarse copy": (
        GRID[:, :1] // 2,
        1 - ((LN4 - LN2) / (LN4 + LN20) + (LN2 + LN2) / (LN2 + LN20)) / 2,
    ),
}


@pytest.mark.parametrize("name", KNOWN)
def test_known_answers(name):
    codes, expected = KNOWN[name]
    assert jemmig(codes.float(), GRID).item() == pytest.approx(expected, abs=1e-12)


TIED = ("duplicated", 10)  # latents 0 and 9 both know factor 0 wholly, and fill bins differently
GOLDENS = [
    (name, bins, kind)
    for name, bins, kind in binned("jemmig")
    if min(load(name).grid.sizes) > 1  # the reference counts a factor of size 1
    and (name, bins) != TIED
]


@pytest.mark.parametrize(("name", "bins", "kind"), GOLDENS)
def test_it_equals_the_reference(name, bins, kind):
    case, golden = load(name), CASES[name][f"ubisoft.jemmig_b{bins}_{kind}"]
    score = jemmig(case.codes[:2000], case.factors[:2000], bins=bins).item()
    assert score == pytest.approx(golden["value"], abs=golden["atol"])


def test_where_latents_tie_the_reference_takes_the_last_and_we_the_purest():
    name, bins = TIED
    case, golden = load(name), CASES[name][f"ubisoft.jemmig_b{bins}_discF"]
    codes, factors = case.codes[:2000], case.factors[:2000]
    first, last = (entropy(equal_width(codes[:, j], bins).bincount()) for j in (0, 9))
    assert first < last
    largest = float(factor_entropy(factors)[0]) + math.log(bins)
    expected = golden["value"] + float(last - first) / largest / 5
    assert jemmig(codes, factors, bins=bins).item() == pytest.approx(expected, abs=golden["atol"])


@pytest.mark.parametrize("name", ["entangled", "tiny_fullgrid"])
def test_losses_by_a_table_of_counts(name):
    """A second computation, from joint tables of numpy's histograms."""
    case, bins = load(name), 10
    codes, factors = case.codes.numpy(), case.factors.numpy()
    edges = [np.histogram_bin_edges(code, bins) for code in codes.T]
    scores = []
    for values, size in zip(factors.T, case.grid.sizes, strict=True):
        joint, information = [], []
        for code, edge in zip(codes.T, edges, strict=True):
            p = np.histogram2d(code, values, [edge, np.arange(size + 1) - 0.5])[0] / len(codes)
            entropies = [_entropy(q) for q in (p, p.sum(0), p.sum(1))]
            joint.append(entropies[0])
            information.append(entropies[1] + entropies[2] - entropies[0])
        second, best = sorted(information)[-2:]
        loss = joint[int(np.argmax(information))] - best + second
        scores.append(1 - loss / (_entropy(np.bincount(values) / len(values)) + math.log(bins)))
    found = jemmig(case.codes, case.factors, bins=bins).item()
    assert found == pytest.approx(np.mean(scores), abs=1e-10)


def _entropy(p):
    p = p[p > 0]
    return -(p * np.log(p)).sum()


def test_of_latents_that_know_equally_much_the_one_that_holds_least_counts():
    information = torch.tensor([[0.5, 0.5]]).double()
    for held in ([0.6, 2.0], [2.0, 0.6]):
        loss = jemmig_losses(information, torch.tensor([0.5]), torch.tensor(held))
        assert loss.item() == pytest.approx(0.5 + 0.6 - 0.5 - 0.5 + 0.5)


def test_what_else_the_latent_holds_costs():
    fourfold = torch.cartesian_prod(torch.arange(4), torch.arange(2), torch.arange(3))
    noisy = fourfold[:, :2] * 3.0 + fourfold[:, 2:]  # ln 3 nats of something else in each latent
    pure = fourfold[:, :2].float()
    assert jemmig(noisy, fourfold[:, :2]) < jemmig(pure, fourfold[:, :2]) - 0.2


def test_one_valued_factors_are_left_out():
    case = load("size1_factor")
    assert jemmig(case.codes, case.factors) == jemmig(case.codes, case.factors[:, 1:])


def test_what_cannot_be_scored_is_refused():
    with pytest.raises(ValueError, match="only one value in the 1 rows"):
        jemmig(torch.ones(1, 3), torch.zeros(1, 2, dtype=torch.int64))
    with pytest.raises(ValueError, match="bins must be at least 2, got 1"):
        jemmig(GRID.float(), GRID, bins=1)
