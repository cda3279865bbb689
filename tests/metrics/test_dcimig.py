# SPDX-License-Identifier: Apache-2.0
import pytest
import torch

from disent.metrics import dcimig
from disent.metrics.dcimig import own_gaps
from tests.metrics.goldens import CASES, binned, load

GRID = torch.cartesian_prod(torch.arange(4), torch.arange(2))  # every value of two factors, once
KNOWN = {
    "perfect": (GRID, 1.0),
    "permuted, flipped and rescaled": (-7.0 * GRID[:, [1, 0]] + 3, 1.0),
    "duplicated": (GRID.repeat(1, 2), 1.0),
    "constant": (torch.ones(8, 3), 0.0),
    "two latents and two dead ones": (torch.cat([GRID, torch.zeros(8, 2)], 1), 1.0),
    # one latent tells ln 4 of the first and ln 2 of the second: gap ln 2 of ln 8 in all
    "both in one": (2 * GRID[:, :1] + GRID[:, 1:], 1 / 3),
    # ln 2 of the first, nothing of the second; ln 8 in all
    "coarse copy": (GRID[:, :1] // 2, 1 / 3),
    # of two latents of the first factor the better one counts: ln 4; the second factor has none
    "two of one factor": (torch.cat([GRID[:, :1], GRID[:, :1] // 2], 1), 2 / 3),
}


@pytest.mark.parametrize("name", KNOWN)
def test_known_answers(name):
    codes, expected = KNOWN[name]
    assert dcimig(codes.float(), GRID).item() == pytest.approx(expected, abs=1e-12)


GOLDENS = binned("dcimig")


@pytest.mark.parametrize(("name", "bins", "kind"), GOLDENS)
def test_it_equals_the_reference(name, bins, kind):
    case, golden = load(name), CASES[name][f"ubisoft.dcimig_b{bins}_{kind}"]
    score = dcimig(case.codes[:2000], case.factors[:2000], bins=bins).item()
    assert score == pytest.approx(golden["value"], abs=golden["atol"])


def test_gaps_by_hand():
    # latents 0 and 2 go to factor 0 with gaps 0.3 and 0.5, latent 1 to factor 2 with 0.1
    information = torch.tensor([[0.9, 0.4, 0.7], [0.6, 0.2, 0.2], [0.1, 0.5, 0.0]])
    assert own_gaps(information).tolist() == pytest.approx([0.5, 0.0, 0.1])


def test_a_latent_that_two_factors_share_alike_counts_for_neither():
    assert own_gaps(torch.tensor([[0.5], [0.5], [0.1]])).tolist() == [0.0, 0.0, 0.0]


def test_one_valued_factors_count_nothing():
    case = load("size1_factor")
    assert dcimig(case.codes, case.factors) == dcimig(case.codes, case.factors[:, 1:])


def test_with_one_factor_the_second_information_is_0():
    assert dcimig(GRID[:, :1].float(), GRID[:, :1]).item() == pytest.approx(1.0)


def test_without_a_factor_that_varies_there_is_no_score():
    with pytest.raises(ValueError, match="only one value in the 1 rows"):
        dcimig(torch.ones(1, 3), torch.zeros(1, 2, dtype=torch.int64))
