# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from disent.metrics.irs import irs, robustness
from tests.metrics.goldens import CASES, load

GRID = torch.cartesian_prod(torch.arange(4), torch.arange(2))
UNMERGED = 10**6


def test_perfect_code_is_perfectly_robust():
    codes = torch.cat([-3.0 * GRID[:, [1, 0]] + 2, torch.zeros(8, 2)], dim=1)
    assert irs(codes, GRID).item() == pytest.approx(1.0)


def test_a_sum_of_two_factors_by_hand():
    """z = 2a + b, a in -1, 1 and b in -1, 1: holding a leaves deviations of 1, holding b of 2.

    The largest deviation is 3, so the robustness is 2/3 for a and 1/3 for b.
    """
    factors = torch.cartesian_prod(torch.arange(2), torch.arange(2))
    z = 2.0 * (2 * factors[:, :1] - 1) + (2 * factors[:, 1:] - 1)
    found = robustness(z, factors, quantile=1.0)
    torch.testing.assert_close(found.matrix, torch.tensor([[2 / 3, 1 / 3]]).double())
    assert found.weights.tolist() == [3.0]
    assert irs(z, factors).item() == pytest.approx(2 / 3)


def test_quantiles_lie_between_order_statistics_as_numpy_has_them():
    z = torch.randn(50, 1, generator=torch.Generator().manual_seed(0)).double()
    factors = torch.zeros(50, 1, dtype=torch.int64)
    factors[0] = 1
    deviation = (z[1:] - z[1:].mean()).abs().numpy()
    expected = (np.quantile(deviation, 0.83) + 0) / 2  # the other group has one member
    largest = (z - z.mean()).abs().max()
    found = robustness(z, factors, quantile=0.83)
    assert found.matrix.item() == pytest.approx(1 - expected / largest.item())


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize(("quantile", "merge"), [(0.99, 20), (1.0, UNMERGED)])
def test_equals_the_reference(name, quantile, merge):
    case, golden = load(name), CASES[name][f"irs.q{quantile}"]
    found = robustness(case.codes, case.factors, quantile=quantile, merge=merge)
    matrix = torch.tensor(golden["matrix"]).double()
    if 1 in case.grid.sizes:  # which cannot be held: the reference's column for it is the floor
        matrix = matrix[:, [k for k, size in enumerate(case.grid.sizes) if size > 1]]
    torch.testing.assert_close(found.matrix, matrix, atol=1e-6, rtol=0)
    deviations = torch.tensor(golden["max_deviations"]).double()
    torch.testing.assert_close(found.weights, deviations, atol=1e-6, rtol=1e-6)
    score = irs(case.codes, case.factors, quantile=quantile, merge=merge)
    assert score.item() == pytest.approx(golden["value"], abs=golden["atol"])


def test_constant_codes_score_0():
    assert irs(torch.ones(8, 3), GRID).item() == 0


@pytest.mark.parametrize("wrong", [{"quantile": 0.0}, {"quantile": 1.1}, {"merge": 0}])
def test_settings_that_cannot_be_are_refused(wrong):
    with pytest.raises(ValueError, match=r"the field's are 0\.99 and 20"):
        irs(GRID.float(), GRID, **wrong)


def test_without_a_factor_that_varies_there_is_no_score():
    with pytest.raises(ValueError, match="only one value in the 1 rows"):
        irs(torch.ones(1, 3), torch.zeros(1, 2, dtype=torch.int64))


@settings(deadline=None, max_examples=40, derandomize=True)
@given(
    arrays(np.float64, (16, 3), elements=st.floats(-5, 5).map(lambda x: round(x, 3))),
    st.floats(0.1, 10),
    st.permutations(range(3)),
)
def test_between_0_and_1_and_blind_to_order_sign_scale_and_offset(codes, scale, order):
    z, factors = torch.from_numpy(codes), torch.cat([GRID, GRID])
    score = irs(z, factors)
    assert -1e-9 <= score <= 1 + 1e-9
    moved = irs(-z[:, list(order)] * scale + 1, factors)
    kept = (z.var(0, correction=0) > 1e-9) & ((scale * z).var(0, correction=0) > 1e-9)
    if kept.all():
        # one scale for all latents: their weights in the mean stay in proportion
        torch.testing.assert_close(moved, score, atol=1e-9, rtol=0)
