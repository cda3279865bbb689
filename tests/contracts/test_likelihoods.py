# SPDX-License-Identifier: Apache-2.0
"""What every likelihood keeps: one number an image, a picture in [0, 1], finite gradients."""

import pytest
import torch

import disent.likelihoods
from disent.likelihoods.base import Likelihood

MEMBERS = [getattr(disent.likelihoods, name) for name in disent.likelihoods.__all__]


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("member", MEMBERS)
class TestLikelihood:
    def test_log_prob_is_one_number_an_image_and_independent_of_the_batch(self, member, channels):
        likelihood: Likelihood = member()
        x = torch.rand(4, channels, 8, 8)
        parameters = torch.randn(4, likelihood.outputs * channels, 8, 8)
        whole = likelihood.log_prob(x, parameters)
        assert whole.shape == (4,)
        torch.testing.assert_close(whole[2:3], likelihood.log_prob(x[2:3], parameters[2:3]))

    def test_mean_is_a_picture(self, member, channels):
        likelihood: Likelihood = member()
        mean = likelihood.mean(10 * torch.randn(4, likelihood.outputs * channels, 8, 8))
        assert mean.shape == (4, channels, 8, 8)
        assert mean.min() >= 0
        assert mean.max() <= 1

    def test_gradients_are_finite_far_out(self, member, channels):
        likelihood: Likelihood = member()
        parameters = (50 * torch.randn(4, likelihood.outputs * channels, 8, 8)).requires_grad_()
        likelihood.log_prob(torch.rand(4, channels, 8, 8), parameters).sum().backward()
        assert parameters.grad is not None
        assert parameters.grad.isfinite().all()
