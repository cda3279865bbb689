# SPDX-License-Identifier: Apache-2.0
"""Known answers: a likelihood is a density or a probability, in nats, summed over pixels."""

import itertools
import math

import pytest
import torch
from torch.distributions import Bernoulli as TorchBernoulli
from torch.distributions import Normal

from disent.likelihoods import Bernoulli, FixedGaussian, LearnedGaussian

X = torch.rand(5, 3, 4, 4, generator=torch.Generator().manual_seed(0))
LOGITS = torch.randn(5, 3, 4, 4, generator=torch.Generator().manual_seed(1))


def test_an_undecided_bernoulli_pays_log_2_a_pixel():
    log_prob = Bernoulli().log_prob(torch.ones(1, 1, 64, 64), torch.zeros(1, 1, 64, 64))
    torch.testing.assert_close(log_prob, torch.tensor([-4096 * math.log(2)]))


def test_bernoulli_probabilities_of_all_pictures_sum_to_one():
    pictures = torch.tensor(list(itertools.product([0.0, 1.0], repeat=4))).view(16, 1, 2, 2)
    logits = torch.tensor([-3.0, 0.2, 1.0, 8.0]).view(1, 1, 2, 2).expand(16, -1, -1, -1)
    total = Bernoulli().log_prob(pictures, logits).exp().sum()
    torch.testing.assert_close(total, torch.tensor(1.0))


def test_bernoulli_matches_torch_and_takes_extreme_logits():
    binary = (X > 0.5).float()
    expected = TorchBernoulli(logits=LOGITS).log_prob(binary).sum((1, 2, 3))
    torch.testing.assert_close(Bernoulli().log_prob(binary, LOGITS), expected)
    assert Bernoulli().log_prob(binary, 1e4 * LOGITS).isfinite().all()


def test_soft_targets_cost_at_least_their_own_entropy():
    at_target = Bernoulli().log_prob(X, X.logit())
    entropy = TorchBernoulli(probs=X).entropy().sum((1, 2, 3))
    torch.testing.assert_close(at_target, -entropy)
    assert (Bernoulli().log_prob(X, LOGITS) < at_target).all()


@pytest.mark.parametrize("sigma", [0.05, 0.1, 1.0])
def test_fixed_gaussian_has_its_half_and_its_constant(sigma):
    expected = Normal(LOGITS, sigma).log_prob(X).sum((1, 2, 3))
    torch.testing.assert_close(FixedGaussian(sigma).log_prob(X, LOGITS), expected)


def test_learned_gaussian_per_pixel_matches_torch():
    likelihood, raw = LearnedGaussian("pixel", floor=0.02), LOGITS.flip(0)
    sigma = 0.02 + torch.nn.functional.softplus(raw)
    expected = Normal(LOGITS, sigma).log_prob(X).sum((1, 2, 3))
    torch.testing.assert_close(
        likelihood.log_prob(X, torch.cat([LOGITS, raw], 1)), expected, rtol=1e-5, atol=1e-3
    )


def test_learned_gaussian_per_image_has_one_sigma_an_image():
    likelihood, raw = LearnedGaussian("image"), torch.randn(5, 3, 4, 4)
    assert likelihood.sigma(raw).shape == (5, 1, 1, 1)
    shuffled = raw.flatten(1)[:, torch.randperm(48)].view_as(raw)
    first = likelihood.log_prob(X, torch.cat([LOGITS, raw], 1))
    torch.testing.assert_close(first, likelihood.log_prob(X, torch.cat([LOGITS, shuffled], 1)))


@pytest.mark.parametrize("per", ["image", "pixel"])
def test_learned_sigma_cannot_blow_up(per):
    likelihood = LearnedGaussian(per, floor=0.01)
    perfect = torch.cat([X, torch.full_like(X, -1e6)], 1)  # right mean, all confidence
    most = 48 * -(math.log(0.01) + 0.5 * math.log(2 * math.pi))
    torch.testing.assert_close(likelihood.log_prob(X, perfect), torch.full((5,), most))


@pytest.mark.parametrize("bad", [lambda: FixedGaussian(0), lambda: LearnedGaussian(floor=0)])
def test_a_sigma_of_zero_is_refused(bad):
    with pytest.raises(ValueError, match="must be > 0, got 0"):
        bad()


def test_an_unknown_per_is_refused():
    with pytest.raises(ValueError, match="per must be 'image' or 'pixel', got 'batch'"):
        LearnedGaussian("batch")  # pyright: ignore[reportArgumentType]
