# SPDX-License-Identifier: Apache-2.0
import math

import pytest
import torch
from torch.distributions import MixtureSameFamily, Normal

from disent.gaussian import DiagonalGaussian
from disent.metrics import elbo_decomposition

NORMAL = torch.special.ndtri((torch.arange(2000.0).double() + 0.5) / 2000)[:, None]


def some_posteriors(n=300, d=3):
    generator = torch.Generator().manual_seed(3)
    means = torch.randn(n, d, generator=generator).double()
    means[:, 1] += 0.8 * means[:, 0]  # dependent
    return means, torch.randn(n, d, generator=generator).double() - 2


def test_posteriors_that_are_the_prior_have_nothing_in_any_part():
    found = elbo_decomposition(torch.zeros(50, 3), torch.zeros(50, 3))
    assert [part.item() for part in found] == pytest.approx([0, 0, 0, 0], abs=1e-3)


def test_codes_that_name_the_picture_say_ln_n():
    means = 50.0 * torch.arange(32.0)[:, None]
    found = elbo_decomposition(means, torch.zeros(32, 1))
    assert found.mutual_information.item() == pytest.approx(math.log(32))
    assert found.error.item() == pytest.approx(0, abs=1e-9)
    # one latent is not dependent on any other
    assert found.total_correlation.item() == pytest.approx(0, abs=1e-3)
    rate = DiagonalGaussian(means, torch.zeros(32, 1)).kl().mean().item()
    assert found.dimension_wise_kl.item() == pytest.approx(rate - math.log(32), abs=1e-3)


def test_two_copies_are_as_dependent_as_their_correlation_says():
    """Means of variance 0.9 in both latents, noise of 0.1 each: correlation 0.9, all Gaussian."""
    means = math.sqrt(0.9) * NORMAL.repeat(1, 2)
    logvars = torch.full_like(means, math.log(0.1))
    found = elbo_decomposition(means, logvars, samples=4000)
    error = 4 * found.error.item() + 0.01  # 0.01: of 2,000 quantiles for a normal density
    expected = -0.5 * math.log(1 - 0.9**2)
    assert found.total_correlation.item() == pytest.approx(expected, abs=error)
    # two looks at one number, each with noise of 0.1: 1/2 ln (1 + 2 * 9)
    assert found.mutual_information.item() == pytest.approx(0.5 * math.log(19), abs=error)
    assert found.dimension_wise_kl.item() == pytest.approx(0, abs=0.01)


def test_independent_latents_have_no_total_correlation():
    means = torch.cartesian_prod(NORMAL[::50, 0], NORMAL[::50, 0])
    found = elbo_decomposition(means, torch.full_like(means, -1.0), samples=2000)
    assert found.total_correlation.item() == pytest.approx(0, abs=4 * found.error.item() + 2e-3)


def test_the_parts_are_those_of_draws_weighed_against_every_component():
    """All three by direct sums over the same mixture, from draws of the test's own."""
    means, logvars = some_posteriors()
    n, d = means.shape
    torch.manual_seed(5)
    rows = torch.randint(n, (20_000,))
    own = Normal(means[rows], (0.5 * logvars[rows]).exp())
    z = own.sample()
    components = Normal(means, (0.5 * logvars).exp())
    uniform = torch.distributions.Categorical(torch.ones(n))
    mixture = MixtureSameFamily(uniform, torch.distributions.Independent(components, 1))
    joint = torch.cat([mixture.log_prob(part) for part in z.split(1000)])
    product = torch.zeros(len(z), dtype=torch.float64)
    for j in range(d):
        one = Normal(means[:, j], (0.5 * logvars[:, j]).exp())
        of_one = MixtureSameFamily(uniform, one)
        product += torch.cat([of_one.log_prob(part) for part in z[:, j].split(1000)])
    prior = Normal(0.0, 1.0).log_prob(z).sum(1)
    direct = torch.stack([own.log_prob(z).sum(1) - joint, joint - product, product - prior])
    found = elbo_decomposition(means, logvars, samples=5000)
    for mine, draws, drawn in zip(found[:3], direct, (True, True, False), strict=True):
        error = math.hypot(float(draws.std()) / len(z) ** 0.5, drawn * float(found.error))
        assert mine.item() == pytest.approx(float(draws.mean()), abs=4 * error + 3e-3)
    # and the sum of the draws is the rate, up to their error
    rate = DiagonalGaussian(means, logvars).kl().sum(1).mean().item()
    whole = direct.sum(0)
    assert float(whole.mean()) == pytest.approx(rate, abs=4 * float(whole.std()) / len(z) ** 0.5)


@pytest.mark.parametrize("seed", [0, 1])
def test_the_three_sum_to_the_rate_whatever_is_drawn(seed):
    means, logvars = some_posteriors()
    found = elbo_decomposition(means, logvars, seed=seed)
    rate = DiagonalGaussian(means, logvars).kl().sum(1).mean()
    assert torch.stack(found[:3]).sum().item() == pytest.approx(rate.item(), abs=1e-9)


def test_the_spread_over_seeds_is_the_error():
    means, logvars = some_posteriors()
    found = [elbo_decomposition(means, logvars, samples=400, seed=s) for s in range(40)]
    spread = torch.stack([f.mutual_information for f in found]).std().item()
    assert spread == pytest.approx(found[0].error.item(), rel=0.35)
    assert len({f.dimension_wise_kl.item() for f in found}) == 1


@pytest.mark.parametrize(
    ("means", "logvars", "settings", "match"),
    [
        (torch.zeros(4, 2), torch.zeros(4, 3), {}, r"logvars \[4, 3\]"),
        (torch.zeros(0, 2), torch.zeros(0, 2), {}, r"means has shape \[0, 2\]"),
        (torch.zeros(4, 2), torch.full((4, 2), torch.nan), {}, "logvars holds 8 values"),
        (torch.zeros(4, 2), torch.zeros(4, 2), {"samples": 1}, "got samples=1, seed=0"),
        (torch.zeros(4, 2), torch.zeros(4, 2), {"seed": -1}, "seed of at least 0"),
    ],
)
def test_what_cannot_be_taken_apart_is_refused(means, logvars, settings, match):
    with pytest.raises(ValueError, match=match):
        elbo_decomposition(means, logvars, **settings)
