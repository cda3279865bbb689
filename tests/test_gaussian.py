# SPDX-License-Identifier: Apache-2.0
import pytest
import torch
from torch.distributions import Normal, kl_divergence

from disent.gaussian import DiagonalGaussian


def test_kl_known_answers():
    q = DiagonalGaussian(torch.tensor([[0.0, 2.0, 0.0]]), torch.tensor([[0.0, 0.0, 1.0]]))
    # the prior itself; m^2 / 2; (e - 1 - 1) / 2
    expected = torch.tensor([[0.0, 2.0, 0.3591409]])
    torch.testing.assert_close(q.kl(), expected)


def test_kl_is_that_of_torch():
    generator = torch.Generator().manual_seed(0)
    mean, logvar = torch.randn(2, 64, 10, generator=generator, dtype=torch.float64)
    expected = kl_divergence(Normal(mean, (0.5 * logvar).exp()), Normal(0.0, 1.0))
    torch.testing.assert_close(DiagonalGaussian(mean, logvar).kl(), expected)


def test_a_sample_is_mean_plus_deviation_times_noise():
    q = DiagonalGaussian(torch.tensor([[1.0, -2.0]]), torch.tensor([[0.0, 4.0]]).log())
    assert q.sample(torch.tensor([[5.0, 3.0]])).tolist() == [[1.0, 4.0]]


def test_gradients_reach_mean_and_logvar():
    mean, logvar = torch.zeros(1, 2, requires_grad=True), torch.zeros(1, 2, requires_grad=True)
    q = DiagonalGaussian(mean, logvar)
    (q.sample(torch.tensor([[2.0, -4.0]])).sum() + q.kl().sum()).backward()
    # dz/dlogvar = std * noise / 2; the KL has gradient 0 at the prior
    assert mean.grad is not None
    assert logvar.grad is not None
    assert mean.grad.tolist() == [[1.0, 1.0]]
    assert logvar.grad.tolist() == [[1.0, -2.0]]


def test_it_unpacks_as_mean_and_logvar():
    mean, logvar = DiagonalGaussian(torch.zeros(1, 2), torch.ones(1, 2))
    assert mean.sum() == 0
    assert logvar.sum() == pytest.approx(2)
