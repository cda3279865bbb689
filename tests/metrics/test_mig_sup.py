# SPDX-License-Identifier: Apache-2.0
import pytest
import torch

from disent.metrics.mig_sup import mig_sup
from tests.metrics.goldens import CASES, binned, load

GRID = torch.cartesian_prod(torch.arange(4), torch.arange(2))  # every value of two factors, once
KNOWN = {
    "perfect": (GRID, 1.0),
    "permuted, flipped and rescaled": (-7.0 * GRID[:, [1, 0]] + 3, 1.0),
    "duplicated": (GRID.repeat(1, 2), 1.0),
    "constant": (torch.ones(8, 3), 0.0),
    "two latents and two dead ones": (torch.cat([GRID, torch.zeros(8, 2)], 1), 0.5),
    # one latent tells both factors wholly: both shares are 1
    "both in one": (2 * GRID[:, :1] + GRID[:, 1:], 0.0),
    # log 2 of log 4 nats of the first, nothing of the second
    "coarse copy": (GRID[:, :1] // 2, 0.5),
}


@pytest.mark.parametrize("name", KNOWN)
def test_known_answers(name):
    codes, expected = KNOWN[name]
    assert mig_sup(codes.float(), GRID).item() == pytest.approx(expected, abs=1e-12)


GOLDENS = binned("mig_sup")


@pytest.mark.parametrize(("name", "bins", "kind"), GOLDENS)
def test_normalised_by_the_code_it_equals_the_reference(name, bins, kind):
    case, golden = load(name), CASES[name][f"ubisoft.mig_sup_b{bins}_{kind}"]
    score = mig_sup(case.codes[:2000], case.factors[:2000], bins=bins, normalise="code")
    assert score.item() == pytest.approx(golden["value"], abs=golden["atol"])


def test_a_latent_of_half_a_factor_is_normalised_by_either():
    codes = (GRID[:, :1] // 2).float()  # log 2 nats: half of the factor, all of the latent
    assert mig_sup(codes, GRID, normalise="factor").item() == pytest.approx(0.5)
    assert mig_sup(codes, GRID, normalise="code").item() == pytest.approx(1.0)


def test_one_valued_factors_are_left_out():
    case = load("size1_factor")
    assert mig_sup(case.codes, case.factors) == mig_sup(case.codes, case.factors[:, 1:])


def test_with_one_factor_the_second_share_is_0():
    assert mig_sup(GRID[:, :1].float(), GRID[:, :1]).item() == pytest.approx(1.0)


def test_without_a_factor_that_varies_there_is_no_score():
    with pytest.raises(ValueError, match="only one value in the 1 rows"):
        mig_sup(torch.ones(1, 3), torch.zeros(1, 2, dtype=torch.int64))


def test_a_normalisation_that_does_not_exist_is_refused():
    with pytest.raises(ValueError, match="must be 'factor' or 'code', got 'latent'"):
        mig_sup(GRID.float(), GRID, normalise="latent")
