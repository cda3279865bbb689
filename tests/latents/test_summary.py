# SPDX-License-Identifier: Apache-2.0
"""What is said of each latent: rates in nats, and the factor it follows best."""

import math

import pytest
import torch

from disent.gaussian import DiagonalGaussian
from disent.latents.summary import LatentSummary, summarise_latents

# every combination of four columns, two rows and a constant, once
FACTORS = torch.cartesian_prod(torch.arange(4), torch.arange(2), torch.arange(1))
NAMES = ("column", "row", "colour")


def summary() -> LatentSummary:
    """Latent 0 is dead, 1 tells the halves of the columns, 2 the row: exactly."""
    half, row = (FACTORS[:, 0] // 2).float(), FACTORS[:, 1].float()
    mean = torch.stack([torch.zeros(8), 2 * half, 4 * row - 2], 1)
    return summarise_latents(DiagonalGaussian(mean, torch.zeros(8, 3)), FACTORS, NAMES, "8")


def test_rates_are_mean_kl_in_nats():
    # unit variance: KL = mean^2 / 2, averaged over pictures: 0; (0 + 2) / 2; 2
    torch.testing.assert_close(summary().rates, torch.tensor([0.0, 1.0, 2.0], dtype=torch.float64))
    assert summary().by_rate() == [2, 1, 0]


def test_shares_are_information_over_the_entropy_of_the_factor():
    # half of four columns: ln 2 / ln 4; a factor with one value has no share
    expected = torch.tensor([[0, 0.5, 0], [0, 0, 1], [0, 0, 0]], dtype=torch.float64)
    torch.testing.assert_close(summary().shares, expected)


@pytest.mark.parametrize(
    ("latent", "label"),
    [
        (2, "z2   2.0 nats\nrow 1.00"),
        (1, "z1   1.0 nats\ncolumn 0.50"),
        (0, "z0   0.00 nats\nfaint"),
    ],
)
def test_label_says_rate_and_best_factor_or_faint(latent, label):
    assert summary().label(latent) == label


@pytest.mark.parametrize(("rate", "second_line"), [(0.0999, "faint"), (0.1001, "row 1.00")])
def test_a_latent_is_faint_below_a_tenth_of_a_nat(rate, second_line):
    mean = torch.full((2, 1), math.sqrt(2 * rate)) * torch.tensor([[-1.0], [1.0]])
    posterior = DiagonalGaussian(mean, torch.zeros(2, 1))
    told = summarise_latents(posterior, torch.tensor([[0], [1]]), ("row",), "2")
    assert told.label(0).split("\n")[1] == second_line


def test_equal_rates_keep_the_order_of_the_latents():
    told = summarise_latents(
        DiagonalGaussian(torch.zeros(8, 5), torch.zeros(8, 5)), FACTORS, NAMES, "8"
    )
    assert told.by_rate() == [0, 1, 2, 3, 4]
