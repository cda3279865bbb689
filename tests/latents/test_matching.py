# SPDX-License-Identifier: Apache-2.0
"""Matching of latents to factors and to those of another run: by hand, and against all ways."""

import itertools

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from disent.codes import CodeTable
from disent.grid import FactorGrid
from disent.latents.matching import assign, correlations, match_to_codes, match_to_factors

GRID = FactorGrid(("x", "y"), (4, 3))
FACTORS = GRID.all_factors().float()


def table(codes: torch.Tensor) -> CodeTable:
    return CodeTable(codes, None, GRID)


def test_each_factor_finds_its_latent_and_which_way_it_goes():
    x, y = FACTORS.T
    match = match_to_factors(table(torch.stack([-2 * y, torch.zeros(12), x + 1], 1)))
    assert match.latents == [2, 0]
    assert match.signs == [1, -1]
    assert match.strengths == [1.0, 1.0]


def test_a_latent_that_mixes_factors_has_one_row():
    """z0 tells both whole, z1 half of x: ln 2 of ln 4. z1 for x and z0 for y is 1.5; else 1."""
    x, y = FACTORS.T
    match = match_to_factors(table(torch.stack([3 * x + y, x // 2], 1)))
    assert match.latents == [1, 0]
    assert match.strengths == [0.5, 1.0]


def test_faint_latents_take_what_others_leave():
    """z0 tells x whole, but its rate is 0.05 nats; z1 tells half of it, z2 tells y."""
    x, y = FACTORS.T
    codes = torch.stack([x, x // 2, y], 1)
    rates = torch.tensor([0.05, 2.0, 3.0], dtype=torch.float64)
    match = match_to_factors(CodeTable(codes, None, GRID, rates=rates))
    assert match.latents == [1, 2]
    few = match_to_factors(CodeTable(codes[:, :2], None, GRID, rates=rates[:2]))
    assert few.latents == [1, 0]
    assert few.strengths == [0.5, 0.0]
    assert match_to_codes(CodeTable(codes, None, GRID, rates=rates), x[:, None]).latents == [1]


def test_a_row_without_a_latent_is_empty():
    match = match_to_factors(table(FACTORS[:, 1:]))
    assert match.latents == [None, 0]
    assert match.strengths == [0.0, 1.0]
    assert match.signs == [1, 1]


def test_codes_in_another_order_and_of_other_signs_are_found():
    codes = torch.randn(200, 4, generator=torch.Generator().manual_seed(0))
    other = torch.stack([codes[:, 2], -3 * codes[:, 0], 5 - codes[:, 3], 0.1 * codes[:, 1]], 1)
    match = match_to_codes(CodeTable(other, None, None), codes)
    assert match.latents == [1, 3, 0, 2]
    assert match.signs == [-1, 1, 1, -1]
    assert match.strengths == pytest.approx([1.0] * 4)


def test_correlations_are_those_of_torch_and_0_of_what_stands_still():
    codes = torch.randn(50, 3, generator=torch.Generator().manual_seed(1))
    found = correlations(codes, FACTORS.repeat(5, 1)[:50])
    both = torch.corrcoef(torch.cat([FACTORS.repeat(5, 1)[:50], codes], 1).T.double())
    torch.testing.assert_close(found, both[:2, 2:])
    assert torch.equal(correlations(torch.ones(50, 1), codes), torch.zeros(3, 1).double())


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 4), st.integers(0, 2), st.integers(0, 10**6))
def test_no_other_way_has_a_larger_sum(rows, more, seed):
    weights = torch.rand(rows, rows + more, generator=torch.Generator().manual_seed(seed))
    match = assign(weights, weights)
    assert len(set(match.latents)) == rows
    ways = itertools.permutations(range(rows + more), rows)
    best = max(sum(float(weights[r, z]) for r, z in enumerate(way)) for way in ways)
    assert sum(match.strengths) == pytest.approx(best, abs=1e-5)


def test_says_what_does_not_fit():
    with pytest.raises(ValueError, match=r"no factors\. Match its codes"):
        match_to_factors(CodeTable(torch.zeros(3, 2), None, None))
    with pytest.raises(ValueError, match="3 rows but the other has 4"):
        match_to_codes(CodeTable(torch.zeros(3, 2), None, None), torch.zeros(4, 2))
