# SPDX-License-Identifier: Apache-2.0
"""Rows that share a value, of tables that are no whole grid, and the two scores that hold one."""

from typing import Any

import pytest
import torch
from scipy.stats import chisquare

from disent.grid import FactorGrid
from disent.metrics import beta_vae_score, factor_vae_score
from disent.metrics.sharing import SharingRows, drawn_from, grid_of

GRID = FactorGrid(("a", "b", "c"), (3, 4, 5))
WHOLE = GRID.all_factors()
SOME = WHOLE[torch.randperm(60, generator=torch.Generator().manual_seed(0))[:40]]
FAST: dict[str, Any] = {"train": 400, "test": 300}


def generator() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def test_pairs_are_different_rows_that_share_the_value():
    rows = SharingRows(SOME)
    factor = torch.arange(3).repeat(50)
    pairs = rows.sample_pairs(factor, 7, generator=generator())
    assert pairs.shape == (150, 7, 2)
    assert (pairs[..., 0] != pairs[..., 1]).all()
    for k, drawn in zip(factor.tolist(), pairs, strict=True):
        assert (SOME[drawn[:, 0], k] == SOME[drawn[:, 1], k]).all()


def test_batches_share_the_value_of_the_factor():
    factor = torch.tensor([2, 0, 1, 1, 0])
    batches = SharingRows(SOME).sample_sharing(factor, 30, generator=generator())
    for k, drawn in zip(factor.tolist(), batches, strict=True):
        assert len(SOME[drawn, k].unique()) == 1


def test_every_row_that_is_not_alone_is_as_likely_first():
    """Of the values 0, 0, 1, 2, 2, 2, the row of value 1 makes no pair."""
    rows = SharingRows(torch.tensor([[0], [0], [1], [2], [2], [2]]))
    pairs = rows.sample_pairs(torch.zeros(1, dtype=torch.int64), 50_000, generator=generator())
    first, second = pairs[0].T
    counts = first.bincount(minlength=6)
    assert counts[2] == 0
    assert chisquare(counts[[0, 1, 3, 4, 5]].numpy()).pvalue > 1e-6
    after = second[first == 3].bincount(minlength=6)
    assert after.nonzero().flatten().tolist() == [4, 5]
    assert chisquare(after[[4, 5]].numpy()).pvalue > 1e-6
    assert (second[first == 0] == 1).all()


def test_a_factor_without_a_shared_value_is_none_to_hold():
    table = torch.stack([torch.arange(12), torch.arange(12) % 3, torch.arange(12) // 6], 1)
    assert SharingRows(table).varying == [1, 2]
    codes = table[:, 1:].float()
    assert beta_vae_score(codes, table, **FAST) == beta_vae_score(codes, table[:, 1:], **FAST) == 1
    assert factor_vae_score(codes, table, **FAST) == 1


@pytest.mark.parametrize("score", [beta_vae_score, factor_vae_score])
def test_the_table_of_a_whole_grid_scores_as_the_grid(score):
    codes = torch.randn(60, 3, generator=generator())
    assert score(codes, WHOLE, **FAST) == score(codes, GRID, **FAST)
    assert score(codes.numpy(), WHOLE.numpy(), **FAST) == score(codes, GRID, **FAST)
    assert isinstance(drawn_from(codes, WHOLE)[0], FactorGrid)


@pytest.mark.parametrize("score", [beta_vae_score, factor_vae_score])
def test_gaps_and_order_change_little(score):
    """Perfect codes stay perfect; codes with noise score about alike, and random ones chance."""
    assert score(SOME.float(), SOME, **FAST) == 1
    noisy = WHOLE + torch.randn(60, 3, generator=generator())
    shuffled = torch.randperm(60, generator=torch.Generator().manual_seed(1))
    many: dict[str, Any] = {"train": 3000, "test": 3000, "batch": 8}
    whole = float(score(noisy, GRID, **many))
    assert float(score(noisy[shuffled], WHOLE[shuffled], **many)) == pytest.approx(whole, abs=0.08)
    constant = score(torch.zeros(40, 2), SOME, **many)
    assert float(constant) == pytest.approx(1 / 3 if score is beta_vae_score else 0, abs=0.05)


def test_a_table_of_more_combinations_than_can_be_counted_is_no_grid():
    factors = torch.randint(2, (50, 70), generator=generator())
    assert grid_of(factors) is None
    assert 0 <= beta_vae_score(factors.float(), factors, train=50, test=50) <= 1


def test_grid_of_a_table():
    assert grid_of(WHOLE) == FactorGrid(("factor_0", "factor_1", "factor_2"), (3, 4, 5))
    for table in (SOME, WHOLE.flip(0), WHOLE[:-1], WHOLE.float(), WHOLE - 1, WHOLE[:0], WHOLE[0]):
        assert grid_of(table) is None


@pytest.mark.parametrize("score", [beta_vae_score, factor_vae_score])
@pytest.mark.parametrize(
    ("codes", "factors", "message"),
    [
        (torch.zeros(5, 2), torch.arange(10).view(5, 2), "0 of the factors have two values, and"),
        (torch.zeros(4, 2), torch.tensor([[0], [0], [1], [1]]), "1 of the factors have two values"),
        (torch.zeros(3, 2), SOME, "codes has 3 rows but factors has 40"),
        (torch.zeros(40, 2), SOME - 1, "number|Renumber them with disent.factors.number_factors"),
        (torch.zeros(40, 2), SOME.float(), "number the values of any table by"),
        (torch.zeros(40, 2), SOME.numpy().astype(str), "number_factors numbers the values of any"),
        (torch.zeros(40, 2), SOME * 1j, "factors has dtype torch.complex64"),
    ],
)
def test_what_cannot_be_scored_is_said(score, codes, factors, message):
    with pytest.raises(ValueError, match=message):
        score(codes, factors)
