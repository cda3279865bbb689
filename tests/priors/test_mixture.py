# SPDX-License-Identifier: Apache-2.0
"""The flower of Gaussians: where its petals are, how wide, and how often each is drawn."""

import math

import pytest
import torch

from disent.priors import GaussianMixture

N = 50_000
NOISE = torch.randn(N, 3, generator=torch.Generator().manual_seed(0))


def quantile(share: float) -> float:
    """The standard normal number below which a share of all lies."""
    return float(torch.special.ndtri(torch.tensor(share, dtype=torch.float64)))


@pytest.mark.parametrize("k", range(10))
def test_the_kth_petal_is_at_angle_k_over_ten_of_a_turn(k):
    prior = GaussianMixture()
    angle = 2 * math.pi * k / 10
    middle = torch.tensor([[quantile((k + 0.5) / 10), 0.0, 0.0]])
    assert prior.component(middle).tolist() == [k]
    expected = torch.tensor([[math.cos(angle), math.sin(angle)]])
    torch.testing.assert_close(prior.sample(middle), expected, atol=1e-6, rtol=0)


def test_petals_by_hand():
    prior = GaussianMixture(components=4, distance=2, along=0.5, across=0.1)
    first = quantile(0.3)  # of four petals the second, which points upwards
    noise = torch.tensor([[first, 0.0, 0.0], [first, 1.0, 0.0], [first, 0.0, 1.0]])
    # its centre; one deviation outwards; one across it, a quarter turn further, to the left
    expected = torch.tensor([[0.0, 2.0], [0.0, 2.5], [-0.1, 2.0]])
    torch.testing.assert_close(prior.sample(noise), expected, atol=1e-6, rtol=0)


@pytest.mark.parametrize("components", [2, 10])
def test_every_petal_is_drawn_equally_often(components):
    counts = GaussianMixture(components=components).component(NOISE).bincount(minlength=components)
    assert len(counts) == components
    deviation = (N / components * (1 - 1 / components)) ** 0.5
    assert (counts - N / components).abs().max() < 4 * deviation


def test_the_first_and_last_petal_hold_the_ends():
    ends = torch.tensor([[-40.0, 0.0, 0.0], [40.0, 0.0, 0.0]])
    assert GaussianMixture().component(ends).tolist() == [0, 9]


def test_the_spread_along_and_across_each_petal():
    prior = GaussianMixture(along=0.35, across=0.07)
    z, chosen = prior.sample(NOISE), prior.component(NOISE)
    for k in range(10):
        angle = 2 * math.pi * k / 10
        ray = torch.tensor([math.cos(angle), math.sin(angle)])
        side = torch.tensor([-math.sin(angle), math.cos(angle)])
        own = z[chosen == k]
        assert float((own @ ray).mean()) == pytest.approx(1, abs=0.03)
        assert float((own @ side).mean()) == pytest.approx(0, abs=0.006)
        assert float((own @ ray).std()) == pytest.approx(0.35, rel=0.05)
        assert float((own @ side).std()) == pytest.approx(0.07, rel=0.05)


def test_the_density_by_hand():
    prior = GaussianMixture(components=2, distance=3, along=1, across=1)
    # two round Gaussians at (3, 0) and (-3, 0), each of density exp(-r^2 / 2) / (2 pi)
    z = torch.tensor([[0.0, 0.0], [3.0, 0.0], [0.0, 2.0]])
    known = [
        math.exp(-4.5) / (2 * math.pi),
        (1 + math.exp(-18)) / 2 / (2 * math.pi),
        math.exp(-6.5) / (2 * math.pi),
    ]
    torch.testing.assert_close(prior.log_prob(z).exp(), torch.tensor(known))


def test_the_density_of_long_petals_is_that_of_torch():
    prior, angle = GaussianMixture().double(), 2 * math.pi / 10
    parts = []
    for k in range(10):
        c, s = math.cos(k * angle), math.sin(k * angle)
        turn = torch.tensor([[c, -s], [s, c]], dtype=torch.float64)
        spread = turn @ torch.diag(torch.tensor([0.35, 0.07]).double().square()) @ turn.T
        parts.append(torch.distributions.MultivariateNormal(turn[:, 0], spread))
    z = torch.randn(50, 2, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    expected = torch.stack([part.log_prob(z) for part in parts]).logsumexp(0) - math.log(10)
    torch.testing.assert_close(prior.log_prob(z), expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"latent_dim": 3}, "has 2 latents, but latent_dim is 3"),
        ({"components": 1}, "got 1 components, .* take StandardNormal"),
        ({"distance": 0}, "distance 0, .* numbers > 0 are wanted"),
        ({"along": -1.0}, "along -1.0"),
        ({"across": 0.0}, "across 0.0"),
        ({"across": float("nan")}, "across nan"),
    ],
)
def test_settings_that_make_no_flower_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        GaussianMixture(**settings)
