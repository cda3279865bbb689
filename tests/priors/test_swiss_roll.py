# SPDX-License-Identifier: Apache-2.0
"""The swiss roll: its ends, its turns, and how often each stretch of it is drawn."""

import math

import pytest
import torch

from disent.priors import SwissRoll


def test_its_ends():
    ends = SwissRoll().along(torch.tensor([0.0, 1.0], dtype=torch.float64))
    # t = 3 pi / 2 points down, t = 9 pi / 2 up; the outer end is at distance 2, three times as far
    expected = torch.tensor([[0.0, -2 / 3], [0.0, 2.0]], dtype=torch.float64)
    torch.testing.assert_close(ends, expected, atol=1e-12, rtol=0)


def test_the_distance_from_the_origin_grows_as_the_angle():
    band = SwissRoll().along(torch.linspace(0, 1, 2001, dtype=torch.float64))
    distance = band.norm(dim=1)
    assert (distance.diff() > 0).all()
    turned = torch.atan2(band[:, 1], band[:, 0]).diff().remainder(2 * math.pi).sum()
    assert float(turned) == pytest.approx(3 * math.pi)  # one turn and a half


def test_stretches_of_one_length_are_equally_frequent_within_two_percent():
    band = SwissRoll().along(torch.linspace(0, 1, 10_001, dtype=torch.float64))
    length = band.diff(dim=0).norm(dim=1).view(20, 500).sum(1)  # of each twentieth of the samples
    # sqrt(1 + t^2) / t falls from 1.0223 at the inner end to 1.0025 at the outer one
    assert 0.005 < (length / length.mean() - 1).abs().max() < 0.0223


def test_without_blur_samples_lie_on_the_band_at_the_share_of_their_noise():
    prior = SwissRoll(blur=0)
    noise = torch.tensor([[0.0, 5.0, -5.0]])  # the median: half of the length
    low, high = 1.5 * math.pi, 4.5 * math.pi
    t = math.sqrt((low**2 + high**2) / 2)
    expected = torch.tensor([[t * math.cos(t), t * math.sin(t)]]) * 2 / high
    torch.testing.assert_close(prior.sample(noise), expected)


def test_the_blur_is_a_standard_deviation_of_the_coordinates():
    prior = SwissRoll(blur=0.1)
    noise = torch.tensor([[0.3, 0.0, 0.0], [0.3, 1.0, -2.0]])
    z = prior.sample(noise)
    torch.testing.assert_close(z[1] - z[0], torch.tensor([0.1, -0.2]))


def test_samples_are_spread_evenly_over_twentieths_of_the_length():
    n = 40_000
    noise = torch.randn(n, 3, generator=torch.Generator().manual_seed(0))
    distance = SwissRoll(blur=0).sample(noise).double().norm(dim=1)
    t = distance * 4.5 * math.pi / 2
    low, high = (_length(x * math.pi) for x in (1.5, 4.5))
    share = torch.tensor([(_length(x) - low) / (high - low) for x in t.tolist()])
    counts = (share * 20).long().clamp(0, 19).bincount(minlength=20)
    # 2000 each, within the 2.3 % of the approximation and 4 standard deviations
    assert (counts - 2000).abs().max() < 0.023 * 2000 + 4 * (2000 * 0.95) ** 0.5


def _length(t: float) -> float:
    return (t * math.sqrt(1 + t * t) + math.asinh(t)) / 2


@pytest.mark.parametrize("settings", [{"latent_dim": 3}, {"blur": -0.1}, {"blur": float("nan")}])
def test_settings_that_make_no_roll_are_refused(settings):
    with pytest.raises(ValueError, match="A swiss roll has 2 latents, and its blur is at least 0"):
        SwissRoll(**settings)
