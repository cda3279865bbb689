# SPDX-License-Identifier: Apache-2.0
import math

import pytest
import torch

from disent.gaussian import DiagonalGaussian
from disent.metrics.bounds import (
    BoundViolated,
    check_information,
    check_mutual_information,
    check_rate_distortion,
)
from disent.metrics.rate_distortion import rate_distortion

FAR = 50.0 * torch.arange(16.0)[:, None]  # posteriors that never overlap


def test_codes_that_say_nothing():
    prior = torch.zeros(8, 2)
    found = rate_distortion(prior, prior, torch.full((4,), 20.0))
    for term in (found.rate, found.mutual_information, found.marginal_kl):
        assert term.item() == pytest.approx(0, abs=1e-12)
    assert (found.distortion, found.total, found.total_error) == (20, 20, 0)


def test_codes_that_name_the_picture_say_ln_n():
    found = rate_distortion(FAR, torch.zeros(16, 1), torch.zeros(2))
    assert found.mutual_information.item() == pytest.approx(math.log(16))
    rate = DiagonalGaussian(FAR, torch.zeros(16, 1)).kl().mean().item()
    assert found.rate.item() == pytest.approx(rate)
    assert found.marginal_kl.item() == pytest.approx(rate - math.log(16))


def test_two_components_by_quadrature():
    """q(z) = 1/2 N(-1, 1) + 1/2 N(1, 1): I = H(q) - H(N), by integrating on a fine grid."""
    means, logvars = torch.tensor([[-1.0], [1.0]]), torch.zeros(2, 1)
    x = torch.linspace(-12, 12, 20_001, dtype=torch.float64)
    q = (torch.exp(-0.5 * (x - 1) ** 2) + torch.exp(-0.5 * (x + 1) ** 2)) / (8 * math.pi) ** 0.5
    expected = -(torch.xlogy(q, q)).sum() * (x[1] - x[0]) - 0.5 * math.log(2 * math.pi * math.e)
    found = rate_distortion(means, logvars, torch.zeros(2), samples=20_000)
    error = found.mutual_information_error.item()
    assert 0 < error < 0.01
    assert found.mutual_information.item() == pytest.approx(expected.item(), abs=4 * error)


def test_the_error_of_a_distortion_is_that_of_a_mean():
    prior, distortions = torch.zeros(3, 1), torch.tensor([10.0, 12.0, 14.0, 16.0])
    found = rate_distortion(prior, prior, distortions)
    assert found.total_error.item() == pytest.approx(distortions.std().item() / 2)


def test_below_the_entropy_of_the_pictures_nothing_is_believed():
    prior, good = torch.zeros(8, 1), torch.full((8,), math.log(8))
    rate_distortion(prior, prior, good, entropy=math.log(8))
    with pytest.raises(BoundViolated, match=r"rate \+ distortion .* below the entropy"):
        rate_distortion(prior, prior, good - 0.01, entropy=math.log(8))
    noisy = good - 0.01 + torch.tensor([-1.0, 1.0] * 4)  # within 4 standard errors
    rate_distortion(prior, prior, noisy, entropy=math.log(8))


def test_bounds_hold_or_are_named():
    check_rate_distortion(3.0, 4.0, 7.0)
    with pytest.raises(BoundViolated, match=r"= 6\.9000 nats per image .* 7\.0000 nats"):
        check_rate_distortion(3.0, 3.9, 7.0)
    with pytest.raises(BoundViolated, match="rate"):
        check_rate_distortion(3.0, math.nan, 7.0)
    check_mutual_information(2.0, 2.0, 16)
    with pytest.raises(BoundViolated, match=r"exceeds the rate = 2\.0000"):
        check_mutual_information(2.1, 2.0, 16)
    check_mutual_information(2.1, 2.0, 16, standard_error=0.03)
    with pytest.raises(BoundViolated, match=r"exceeds ln N = 2\.7726"):
        check_mutual_information(3.0, 9.0, 16)


def test_information_of_a_factor_is_at_most_its_entropy():
    entropies = torch.tensor([math.log(2), 0.0])
    check_information(torch.tensor([[math.log(2), 0.1], [0.0, 0.0]]), entropies)
    with pytest.raises(BoundViolated, match=r"I\(z1; v0\) = 0\.70.* exceeds H\(v0\) = 0\.69"):
        check_information(torch.tensor([[0.1, 0.7], [0.0, 0.0]]), entropies)


@pytest.mark.parametrize(
    ("means", "logvars", "distortions", "match"),
    [
        (FAR, FAR[:4], torch.ones(2), r"logvars \[4, 1\]"),
        (FAR, FAR * 0, torch.ones(0), r"distortions \[0\]"),
        (FAR * torch.nan, FAR, torch.ones(2), "means holds"),
        (FAR, FAR, torch.full((2,), torch.inf), "distortions holds 2 values"),
    ],
)
def test_tables_that_do_not_fit_are_refused(means, logvars, distortions, match):
    with pytest.raises(ValueError, match=match):
        rate_distortion(means, logvars, distortions)
