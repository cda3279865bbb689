# SPDX-License-Identifier: Apache-2.0
"""What is said of each latent: rates in nats, and the factor it follows best."""

import math

import pytest
import torch
from torch import Tensor

from disent.codes import CodeTable
from disent.latents.summary import LatentSummary, summarise_latents

# every combination of four columns, two rows and a constant, once
FACTORS = torch.cartesian_prod(torch.arange(4), torch.arange(2), torch.arange(1))
NAMES = ("column", "row", "colour")


def summarised(means: Tensor, factors: Tensor, names: tuple[str, ...]) -> LatentSummary:
    """Of posteriors of variance 1."""
    table = CodeTable(means, torch.zeros_like(means), None, names=names, factors=factors)
    return summarise_latents(table, f"{len(means)}")


def summary() -> LatentSummary:
    """Latent 0 is dead, 1 tells the halves of the columns, 2 the row: exactly."""
    half, row = (FACTORS[:, 0] // 2).float(), FACTORS[:, 1].float()
    mean = torch.stack([torch.zeros(8), 2 * half, 4 * row - 2], 1)
    return summarised(mean, FACTORS, NAMES)


def test_rates_are_mean_kl_in_nats():
    # unit variance: KL = mean^2 / 2, averaged over pictures: 0; (0 + 2) / 2; 2
    torch.testing.assert_close(summary().rates, torch.tensor([0.0, 1.0, 2.0], dtype=torch.float64))
    assert summary().order() == [2, 1, 0]


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
    told = summarised(mean, torch.tensor([[0], [1]]), ("row",))
    assert told.label(0).split("\n")[1] == second_line


def test_equal_rates_keep_the_order_of_the_latents():
    assert summarised(torch.zeros(8, 5), FACTORS, NAMES).order() == [0, 1, 2, 3, 4]


def test_points_are_ordered_and_labelled_by_the_variance_of_their_code():
    half, row = (FACTORS[:, 0] // 2).float(), FACTORS[:, 1].float()
    table = CodeTable(
        torch.stack([torch.zeros(8), 2 * half + 7, 4 * row - 2], 1),
        None,
        None,
        names=NAMES,
        factors=FACTORS,
    )
    told = summarise_latents(table, "8")
    assert told.rates is None
    assert told.means.tolist() == [0, 8, 0]
    assert told.variances.tolist() == pytest.approx([0, 1, 4])
    assert told.order() == [2, 1, 0]
    assert told.label(2) == "z2   variance 4.00\nrow 1.00"


def test_rows_without_all_labels_are_left_out_and_without_any_no_factor_is_named():
    mean = 4 * FACTORS[:, 1:2].float() - 2
    missing = FACTORS.clone()
    missing[:4, 0] = -1  # of these, the first two columns
    told = summarised(mean, missing, NAMES)
    assert told.label(0) == "z0   2.0 nats\nrow 1.00"
    nothing = summarised(mean, torch.full_like(FACTORS, -1), NAMES)
    assert nothing.label(0) == "z0   2.0 nats"
