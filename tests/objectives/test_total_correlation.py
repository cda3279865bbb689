# SPDX-License-Identifier: Apache-2.0
"""The total correlation of tiny codes by hand, by loops, and by what it must leave alone."""

import math

import pytest
import torch
from torch import Tensor
from torch.distributions import Normal

from disent.gaussian import DiagonalGaussian, FullGaussian, PointMass, Posterior
from disent.objectives import BetaELBO, TotalCorrelationELBO
from disent.objectives.base import Terms


def terms_of(q: Posterior, z: Tensor) -> Terms:
    generator = torch.Generator().manual_seed(0)
    distortion = 100 * torch.rand(len(z), generator=generator, dtype=z.dtype)
    rate = q.kl()
    return Terms(distortion, torch.zeros_like(z) if rate is None else rate, q, z)


def codes(m: int = 6, d: int = 3) -> Terms:
    generator = torch.Generator().manual_seed(1)
    mean, logvar, noise = torch.randn(3, m, d, generator=generator, dtype=torch.float64)
    q = DiagonalGaussian(mean, logvar)
    return terms_of(q, q.sample(noise))


def by_loops(terms: Terms, pictures: int) -> float:
    """Equation S6 for q(z) and for each q(z_j), a sample and a posterior at a time."""
    q, z = terms.posterior, terms.z
    assert isinstance(q, DiagonalGaussian)
    assert z is not None
    m, d = z.shape
    total = 0.0
    for i in range(m):
        joint, each = 0.0, [0.0] * d
        for j in range(m):
            product = 1.0
            for k in range(d):
                part = Normal(q.mean[j, k], (0.5 * q.logvar[j, k]).exp())
                density = math.exp(float(part.log_prob(z[i, k])))
                product *= density
                each[k] += density
            joint += product
        total += math.log(joint / (m * pictures))
        total -= sum(math.log(one / (m * pictures)) for one in each)
    return total / m


@pytest.mark.parametrize(("m", "d"), [(1, 1), (2, 2), (6, 3), (16, 5)])
@pytest.mark.parametrize("pictures", [1, 1000])
def test_it_is_what_loops_compute(m, d, pictures):
    terms = codes(m, d)
    found = TotalCorrelationELBO(pictures=pictures).total_correlation(terms)
    assert float(found) == pytest.approx(by_loops(terms, pictures), rel=1e-9)


@pytest.mark.parametrize(("m", "d", "pictures"), [(1, 3, 10), (4, 3, 10), (8, 1, 500)])
def test_where_all_posteriors_are_equal_only_the_constant_is_left(m, d, pictures):
    # sum over M equal densities: ln q(z) = ln p + ln M - ln M N = ln p - ln N, and so for each z_j;
    # ln p is the sum of the ln p_j, so that - ln N + D ln N = (D - 1) ln N is left
    q = DiagonalGaussian(torch.full((m, d), 0.7), torch.full((m, d), -1.0))
    terms = terms_of(q, torch.randn(m, d, generator=torch.Generator().manual_seed(0)))
    found = TotalCorrelationELBO(pictures=pictures).total_correlation(terms)
    assert float(found) == pytest.approx((d - 1) * math.log(pictures), abs=1e-4)


def narrow(mean: Tensor) -> Terms:
    """Posteriors that are so narrow that no two of another mean meet."""
    q = DiagonalGaussian(mean, torch.full_like(mean, math.log(1e-6)))
    return terms_of(q, mean.clone())


def test_the_codes_of_a_whole_grid_are_independent():
    # at each point of 4 x 5: one posterior of 20 in the joint, 5 of 20 and 4 of 20 in the margins,
    # so that ln 1/20 - ln 5/20 - ln 4/20 = 0, and the constant is that of N instead of M: ln N
    mean = torch.cartesian_prod(torch.arange(4.0), torch.arange(5.0)).double()
    found = TotalCorrelationELBO(pictures=300).total_correlation(narrow(mean))
    assert float(found) == pytest.approx(math.log(300), abs=1e-9)


def test_a_latent_that_repeats_another_has_its_entropy_in_common_with_it():
    # of 8 places twice the same: ln 1/8 - 2 ln 1/8 = ln 8
    mean = torch.arange(8.0).double()[:, None].expand(8, 2)
    found = TotalCorrelationELBO(pictures=300).total_correlation(narrow(mean))
    assert float(found) == pytest.approx(math.log(300) + math.log(8), abs=1e-9)


@pytest.mark.parametrize(("m", "d", "n"), [(6, 3, 50), (2, 1, 50), (4, 10, 737_280)])
def test_the_constant_that_is_kept_is_as_documented(m, d, n):
    terms = codes(m, d)
    q, z = terms.posterior, terms.z
    assert isinstance(q, DiagonalGaussian)
    assert z is not None
    density = Normal(q.mean, (0.5 * q.logvar).exp()).log_prob(z[:, None])
    without = density.sum(-1).logsumexp(1) - density.logsumexp(1).sum(-1)
    found = TotalCorrelationELBO(pictures=n).total_correlation(terms)
    constant = (d - 1) * math.log(n * m)
    torch.testing.assert_close(found, without.mean() + constant)


def test_the_number_of_pictures_moves_no_gradient():
    grads = []
    for pictures in (10, 737_280):
        terms = codes()
        q, z = terms.posterior, terms.z
        assert isinstance(q, DiagonalGaussian)
        mean = q.mean.clone().requires_grad_()
        given = terms._replace(posterior=DiagonalGaussian(mean, q.logvar), z=z)
        TotalCorrelationELBO(pictures=pictures)(given, 0).backward()
        grads.append(mean.grad)
    torch.testing.assert_close(grads[0], grads[1])
    assert grads[0].abs().max() > 0.01


def test_gradients_are_those_of_finite_differences():
    generator = torch.Generator().manual_seed(2)
    mean, logvar, noise = torch.randn(3, 5, 2, generator=generator, dtype=torch.float64)

    def correlation(mean: Tensor, logvar: Tensor) -> Tensor:
        q = DiagonalGaussian(mean, logvar)
        return TotalCorrelationELBO(pictures=40).total_correlation(terms_of(q, q.sample(noise)))

    assert torch.autograd.gradcheck(
        correlation, (mean.requires_grad_(), logvar.requires_grad_()), raise_exception=True
    )


def test_a_beta_of_one_is_the_elbo():
    terms = codes()
    assert TotalCorrelationELBO(beta=1)(terms, 3) == BetaELBO(beta=1)(terms, 3) == -terms.elbo()


def test_beta_less_one_weighs_the_total_correlation():
    terms, objective = codes(), TotalCorrelationELBO(beta=6, pictures=100)
    expected = -terms.elbo() + 5 * objective.total_correlation(terms)
    torch.testing.assert_close(objective(terms, 0), expected)
    told = objective.tell(terms)
    assert list(told) == ["total_correlation"]
    assert told["total_correlation"] == objective.total_correlation(terms)


@pytest.mark.parametrize(
    "posterior",
    [
        FullGaussian(torch.zeros(4, 2), torch.eye(2).expand(4, 2, 2)),
        PointMass(torch.zeros(4, 2)),
        None,
    ],
)
def test_other_posteriors_are_refused_in_one_line(posterior):
    terms = Terms(torch.zeros(4), torch.zeros(4, 2), posterior, torch.zeros(4, 2))
    name = type(posterior).__name__
    with pytest.raises(TypeError, match=f"terms hold {name}: take --model.posterior dia") as error:
        TotalCorrelationELBO()(terms, 0)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"beta": -1}, "beta must be >= 0, got -1. 1 gives the ELBO"),
        ({"beta": float("nan")}, "beta must be >= 0, got nan"),
        ({"beta": float("inf")}, "beta must be >= 0, got inf"),
        ({"pictures": 0}, "pictures must be >= 1, got 0: how many the dataset has"),
    ],
)
def test_bad_settings_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        TotalCorrelationELBO(**settings)
