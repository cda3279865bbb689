# SPDX-License-Identifier: Apache-2.0
"""R squared of straight lines, by hand and beside numpy's least squares."""

import numpy as np
import pytest
import torch

from disent.metrics.linear import linear_r2, single_r2

GENERATOR = torch.Generator().manual_seed(0)
CODES = torch.randn(500, 4, generator=GENERATOR).double()
FACTORS = torch.stack(
    [(3 * CODES[:, 0] - CODES[:, 1]).round().long() + 20, torch.arange(500) % 7], dim=1
)


def test_equals_numpys_least_squares():
    x = np.column_stack([CODES.numpy(), np.ones(500)])
    expected = []
    for y in FACTORS.numpy().T.astype(float):
        residual = y - x @ np.linalg.lstsq(x, y, rcond=None)[0]
        expected.append(1 - residual.var() / y.var())
    np.testing.assert_allclose(linear_r2(CODES, FACTORS).numpy(), expected, atol=1e-9)


def test_single_is_the_squared_correlation():
    expected = np.corrcoef(FACTORS.numpy().T, CODES.numpy().T)[:2, 2:] ** 2
    np.testing.assert_allclose(single_r2(CODES, FACTORS).numpy(), expected, atol=1e-9)


def test_scale_shift_and_mixing_change_nothing_that_a_line_can_undo():
    mixed = CODES @ torch.randn(4, 4, generator=GENERATOR).double() * 1e3 - 5
    torch.testing.assert_close(linear_r2(mixed, FACTORS), linear_r2(CODES, FACTORS))
    torch.testing.assert_close(single_r2(-7 * CODES + 1, FACTORS), single_r2(CODES, FACTORS))


def test_duplicated_and_constant_latents_are_harmless():
    more = torch.cat([CODES, CODES[:, :1], torch.full((500, 1), 3.0)], dim=1)
    torch.testing.assert_close(linear_r2(more, FACTORS), linear_r2(CODES, FACTORS))
    assert (single_r2(more, FACTORS)[:, -1] == 0).all()


def test_a_factor_with_one_value_has_no_r2():
    factors = torch.stack([FACTORS[:, 0], torch.zeros(500, dtype=torch.long)], dim=1)
    assert linear_r2(CODES, factors).isnan().tolist() == [False, True]


def test_nan_is_refused():
    with pytest.raises(ValueError, match="NaN or infinite"):
        linear_r2(CODES.log(), FACTORS)
