# SPDX-License-Identifier: Apache-2.0
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.distributions import MultivariateNormal, Normal, kl_divergence

from disent.gaussian import DiagonalGaussian, FullGaussian, PointMass, Posterior


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


def full(b: int = 64, d: int = 4, seed: int = 0) -> FullGaussian:
    generator = torch.Generator().manual_seed(seed)
    numbers = torch.randn(b, FullGaussian.numbers(d), generator=generator, dtype=torch.float64)
    return FullGaussian.of(numbers, d)


@pytest.mark.parametrize(("d", "numbers"), [(1, 2), (2, 5), (3, 9), (10, 65)])
def test_a_full_posterior_is_described_by_means_and_a_triangle(d, numbers):
    assert FullGaussian.numbers(d) == numbers
    q = FullGaussian.of(torch.randn(5, numbers), d)
    assert q.mean.shape == (5, d)
    assert q.cholesky.shape == (5, d, d)


def test_each_number_of_a_full_posterior_is_in_its_place():
    two, three = 0.6931472, 1.0986123  # ln 2, ln 3
    q = FullGaussian.of(torch.tensor([[7.0, 8.0, 9.0, 0.0, two, three, 4.0, 5.0, 6.0]]), 3)
    assert q.mean.tolist() == [[7.0, 8.0, 9.0]]
    # the diagonal by its logarithms, then what lies below it row by row
    expected = torch.tensor([[[1.0, 0.0, 0.0], [4.0, 2.0, 0.0], [5.0, 6.0, 3.0]]])
    torch.testing.assert_close(q.cholesky, expected)
    z = q.sample(torch.tensor([[1.0, 10.0, 100.0]]))
    torch.testing.assert_close(z, torch.tensor([[7.0 + 1, 8.0 + 24, 9.0 + 365]]))


def test_a_full_posterior_is_not_rounded_under_autocast():
    numbers = torch.randn(8, 9, generator=torch.Generator().manual_seed(0))
    noise = torch.randn(8, 3, generator=torch.Generator().manual_seed(1))
    expected = FullGaussian.of(numbers, 3)
    with torch.autocast("cpu", torch.bfloat16):
        q = FullGaussian.of(numbers, 3)
        z = q.sample(noise)
    assert torch.equal(q.cholesky, expected.cholesky)
    assert torch.equal(z, expected.sample(noise))


def test_the_rate_of_a_full_posterior_by_hand():
    lower = torch.tensor([[[1.0, 0.0], [3.0, 2.0]]])
    q = FullGaussian(torch.tensor([[2.0, 0.0]]), lower)
    # (4 + 1 - 1 - 0) / 2; (0 + (9 + 4) - 1 - 2 ln 2) / 2
    torch.testing.assert_close(q.kl(), torch.tensor([[2.0, 6.0 - 0.6931472]]))


def test_the_rate_of_a_full_posterior_is_that_of_torch():
    q = full()
    spread = q.cholesky @ q.cholesky.mT
    prior = MultivariateNormal(torch.zeros(4).double(), torch.eye(4).double())
    expected = kl_divergence(MultivariateNormal(q.mean, scale_tril=q.cholesky), prior)
    torch.testing.assert_close(q.kl().sum(-1), expected)
    # (tr S + |m|^2 - D - ln det S) / 2
    whole = spread.diagonal(dim1=-2, dim2=-1).sum(-1) + q.mean.square().sum(-1) - 4
    torch.testing.assert_close(q.kl().sum(-1), (whole - spread.logdet()) / 2)


@given(seed=st.integers(0, 2**32 - 1), d=st.integers(1, 6))
def test_no_part_of_a_rate_is_negative(seed, d):
    q = full(8, d, seed)
    assert (q.kl() >= -1e-12).all()
    assert (DiagonalGaussian(q.mean, q.cholesky.diagonal(dim1=-2, dim2=-1)).kl() >= -1e-12).all()


def test_without_covariances_it_is_the_diagonal_gaussian():
    mean, logvar, noise = torch.randn(3, 16, 5, generator=torch.Generator().manual_seed(0))
    diagonal = DiagonalGaussian(mean, logvar)
    q = FullGaussian.of(torch.cat([mean, 0.5 * logvar, torch.zeros(16, 10)], -1), 5)
    torch.testing.assert_close(q.kl(), diagonal.kl())
    torch.testing.assert_close(q.sample(noise), diagonal.sample(noise))


def test_samples_of_a_full_posterior_have_its_covariances():
    mean, lower = torch.tensor([[1.0, -1.0]]), torch.tensor([[[1.0, 0.0], [-2.0, 0.5]]])
    noise = torch.randn(100_000, 2, generator=torch.Generator().manual_seed(0))
    z = FullGaussian(mean.expand(len(noise), 2), lower.expand(len(noise), 2, 2)).sample(noise)
    torch.testing.assert_close(z.mean(0), mean[0], atol=0.03, rtol=0)
    # L L^T by hand: the spread of an entry is at most 4.25 sqrt(2 / 100,000) = 0.02
    torch.testing.assert_close(
        z.T.cov(), torch.tensor([[1.0, -2.0], [-2.0, 4.25]]), atol=0.08, rtol=0
    )


def test_a_full_posterior_works_under_vmap():
    numbers, noise = torch.randn(3, 8, FullGaussian.numbers(4)), torch.randn(3, 8, 4)

    def both(numbers, noise):
        q = FullGaussian.of(numbers, 4)
        return q.sample(noise), q.kl()

    z, rate = torch.func.vmap(both)(numbers, noise)
    for k in range(3):
        torch.testing.assert_close((z[k], rate[k]), both(numbers[k], noise[k]))


@pytest.mark.parametrize("draws", [(), (7,)])
def test_densities_are_those_of_torch(draws):
    q = full()
    z = torch.randn(*draws, *q.mean.shape, generator=torch.Generator().manual_seed(1)).double()
    expected = MultivariateNormal(q.mean, scale_tril=q.cholesky).log_prob(z)
    torch.testing.assert_close(q.log_prob(z), expected)
    logvar = q.cholesky[..., 0]
    expected = Normal(q.mean, (0.5 * logvar).exp()).log_prob(z).sum(-1)
    torch.testing.assert_close(DiagonalGaussian(q.mean, logvar).log_prob(z), expected)


def test_divergence_is_that_of_torch_and_from_the_prior_the_rate():
    mean, logvar = torch.randn(2, 2, 64, 3, generator=torch.Generator().manual_seed(0)).double()
    p, q = (DiagonalGaussian(m, v) for m, v in zip(mean, logvar, strict=True))
    normal, other = (Normal(g.mean, (0.5 * g.logvar).exp()) for g in (p, q))
    torch.testing.assert_close(p.divergence(q), kl_divergence(normal, other))
    prior = DiagonalGaussian(torch.zeros(64, 3), torch.zeros(64, 3))
    torch.testing.assert_close(p.divergence(prior), p.kl())


def test_divergence_of_equal_ones_is_0_and_of_near_ones_half_the_squared_distance():
    mean, logvar = torch.randn(2, 64, 3, generator=torch.Generator().manual_seed(0))
    q = DiagonalGaussian(mean, logvar)
    assert q.divergence(q).count_nonzero() == 0
    near = DiagonalGaussian(torch.tensor([[1e-5]]), torch.zeros(1, 1))  # in float32, too
    assert near.divergence(DiagonalGaussian(torch.zeros(1, 1), torch.zeros(1, 1))).item() == (
        pytest.approx(5e-11, rel=1e-4)
    )


def test_densities_have_the_precision_of_z():
    q = full()
    z = q.sample(torch.ones(64, 4).double())
    single = FullGaussian(q.mean.float(), q.cholesky.float())
    diagonal = DiagonalGaussian(single.mean, single.mean)
    assert single.log_prob(z).dtype == diagonal.log_prob(z).dtype == torch.float64
    # of noise 1 everywhere: -(D / 2) (1 + ln 2 pi) - ln det L
    scale = q.cholesky.diagonal(dim1=-2, dim2=-1).log().sum(-1)
    torch.testing.assert_close(q.log_prob(z), -2 * 2.8378770664 - scale)


def test_a_point_has_no_density():
    assert not hasattr(PointMass(torch.zeros(1, 2)), "log_prob")


def test_a_point_is_itself_and_has_no_rate():
    mean = torch.tensor([[1.0, -2.0]])
    q = PointMass(mean)
    assert q.sample(torch.tensor([[5.0, 3.0]])).tolist() == mean.tolist()
    assert q.kl() is None
    assert q.logvar is None


def test_variances_alone_make_the_diagonal_gaussian_only():
    assert full().logvar is None
    assert DiagonalGaussian(torch.zeros(1, 2), torch.ones(1, 2)).logvar.tolist() == [[1.0, 1.0]]


def test_all_of_them_are_posteriors_and_a_tensor_is_none():
    mean = torch.zeros(2, 3)
    members = [DiagonalGaussian(mean, mean), FullGaussian(mean, torch.eye(3)), PointMass(mean)]
    assert all(isinstance(member, Posterior) for member in members)
    assert not isinstance(mean, Posterior)
