# SPDX-License-Identifier: Apache-2.0
import math

import pytest
import torch

from disent.metrics.active_units import active_units
from disent.metrics.unsupervised import (
    gaussian_total_correlation,
    gaussian_wasserstein_correlation,
    mutual_info_score,
    total_correlation_of,
    wasserstein_of,
)
from tests.metrics.goldens import CASES, FUNCTIONS, arrays, load

SCORES = {
    "gaussian_total_correlation": gaussian_total_correlation,
    "gaussian_wasserstein_correlation": lambda z: gaussian_wasserstein_correlation(
        z, normalise=False
    ),
    "gaussian_wasserstein_correlation_norm": gaussian_wasserstein_correlation,
    "mutual_info_score": mutual_info_score,
}
CODES = torch.randn(500, 4, generator=torch.Generator().manual_seed(0)).double()


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("score", SCORES)
def test_equals_the_reference(name, score):
    golden = CASES[name][f"unsupervised.{score}"]
    value = SCORES[score](load(name).codes).item()
    if golden["kind"] == "exact":
        assert value == pytest.approx(golden["value"], abs=golden["atol"])
    else:  # nan, of a constant latent: it is left out
        case = load(name)
        varying = case.codes[:, case.codes.std(0) > 0]
        assert varying.shape[1] < case.codes.shape[1]
        assert value == pytest.approx(SCORES[score](varying).item())


def test_a_covariance_of_the_reference():
    golden = FUNCTIONS["core_unsupervised_cov"]["value"]
    c = arrays("core")["cov"]
    assert total_correlation_of(c).item() == pytest.approx(golden["gaussian_total_correlation"])
    distance = wasserstein_of(c)
    assert distance.item() == pytest.approx(golden["gaussian_wasserstein_correlation"])
    normalised = golden["gaussian_wasserstein_correlation_norm"]
    assert (distance / c.trace()).item() == pytest.approx(normalised)


def test_two_latents_by_hand():
    """Correlation r: total correlation -1/2 ln(1 - r^2); distance 2 (2 - sqrt(1+r) - sqrt(1-r))."""
    c = torch.tensor([[1.0, 0.6], [0.6, 1.0]]).double()
    assert total_correlation_of(c).item() == pytest.approx(-0.5 * math.log(1 - 0.36))
    assert wasserstein_of(c).item() == pytest.approx(2 * (2 - 1.6**0.5 - 0.4**0.5))


@pytest.mark.parametrize("score", SCORES)
def test_order_and_sign_do_not_matter(score):
    moved = SCORES[score](-CODES[:, [3, 1, 0, 2]])
    torch.testing.assert_close(moved, SCORES[score](CODES), atol=5e-3, rtol=0)


def test_scale_matters_where_it_is_said_to():
    scales = torch.tensor([0.1, 1.0, 5.0, 20.0])
    for name in ("gaussian_total_correlation", "mutual_info_score"):
        torch.testing.assert_close(SCORES[name](CODES * scales), SCORES[name](CODES))
    same = gaussian_wasserstein_correlation(7 * CODES)
    torch.testing.assert_close(same, gaussian_wasserstein_correlation(CODES))


@pytest.mark.parametrize("score", SCORES)
@pytest.mark.parametrize("codes", [torch.ones(9, 3), torch.randn(9, 1)])
def test_constant_codes_and_a_single_latent_are_independent(score, codes):
    assert SCORES[score](codes).item() == pytest.approx(0, abs=1e-12)


def test_copies_depend_without_end_but_for_the_bins():
    copies = CODES[:, :1].repeat(1, 2)
    assert gaussian_total_correlation(copies) > 15
    assert mutual_info_score(copies) <= math.log(20)
    # two copies of variance 1: eigenvalues 2 and 0
    assert gaussian_wasserstein_correlation(copies).item() == pytest.approx(2 - 2**0.5)


@pytest.mark.parametrize("score", [gaussian_total_correlation, gaussian_wasserstein_correlation])
def test_a_single_row_has_no_covariance(score):
    with pytest.raises(ValueError, match="a single image has no covariance"):
        score(torch.randn(1, 3))


@pytest.mark.parametrize("score", [*SCORES.values(), active_units])
def test_codes_that_are_not_finite_are_refused(score):
    with pytest.raises(ValueError, match="NaN or infinite"):
        score(torch.full((5, 2), torch.nan))


def test_active_units_count_variances_above_the_threshold():
    # variances 0, 0.0081 (below), 0.0121 and 4
    means = torch.tensor([[1.0], [-1.0]]) * torch.tensor([0.0, 0.09, 0.11, 2.0]).double()
    assert active_units(means).item() == 2
    assert active_units(means, threshold=1.0).item() == 1
    assert active_units(means[:1]).item() == 0
    assert active_units(means).dtype == torch.float64
