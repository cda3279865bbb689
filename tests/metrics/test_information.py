# SPDX-License-Identifier: Apache-2.0
import math

import numpy as np
import pytest
import torch
from sklearn.metrics import mutual_info_score

from disent.metrics.information import (
    _information_of_table,
    entropy,
    equal_width,
    factor_entropy,
    mutual_information,
)


def codes_with_ties() -> torch.Tensor:
    """Latents whose values lie on the edges of 20 bins, and latents that never do."""
    generator = torch.Generator().manual_seed(0)
    on_edges = torch.randint(21, (500, 1), generator=generator).double()
    free = torch.randn(500, 3, generator=generator).double()
    return torch.cat([on_edges, on_edges * 0.1 - 0.7, -on_edges / 3, free, free * 1e-6 + 7], dim=1)


FACTORS = torch.randint(4, (500, 3), generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("bins", [1, 2, 20, 50])
def test_bins_are_those_of_numpy(bins):
    for code in codes_with_ties().T:
        edges = np.histogram(code.numpy(), bins)[1]
        expected = np.digitize(code.numpy(), edges[:-1]) - 1
        np.testing.assert_array_equal(equal_width(code, bins).numpy(), expected)


def test_information_is_that_of_scikit_learn():
    codes = codes_with_ties()
    information = mutual_information(codes, FACTORS)
    expected = [
        [mutual_info_score(factor.numpy(), equal_width(code, 20).numpy()) for code in codes.T]
        for factor in FACTORS.T
    ]
    expected = torch.tensor(expected, dtype=torch.float64)
    torch.testing.assert_close(information, expected, atol=1e-12, rtol=0)


def test_information_and_entropy_known_by_hand():
    # Latent 0 tells all of a four-valued factor, latent 1 one bit of two, latent 2 nothing.
    factors = torch.arange(4).repeat_interleave(2)[:, None]
    codes = torch.stack([factors[:, 0] + 3.0, factors[:, 0] // 2 * -1.0, torch.full((8,), 5.0)], 1)
    information = mutual_information(codes, factors)
    expected = torch.tensor([[math.log(4), math.log(2), 0.0]], dtype=torch.float64)
    torch.testing.assert_close(information, expected)
    assert float(information[0, 2]) == 0.0
    torch.testing.assert_close(factor_entropy(factors), expected[0, :1])
    torch.testing.assert_close(entropy(torch.tensor([3, 1])).item(), 0.5623351446188083)


def test_information_between_independent_axes_is_exactly_zero():
    grid = torch.cartesian_prod(torch.arange(7), torch.arange(11))
    information = mutual_information(grid.float(), grid)
    assert information[0, 1] == information[1, 0] == 0


def test_information_that_is_rounding_error_is_zero():
    # One count more in four million: about 1e-14 nats, less than float64 resolves here.
    almost_independent = torch.tensor([[10**6, 10**6], [10**6, 10**6 + 1]])
    assert _information_of_table(almost_independent) == 0


def test_fewer_bins_than_levels_lose_information():
    # 4 levels in 2 bins: one bit remains.
    factors = torch.arange(4)[:, None]
    information = mutual_information(factors.float(), factors, bins=2)
    torch.testing.assert_close(information.item(), math.log(2))


@pytest.mark.parametrize("dtype", [torch.uint8, torch.int32, torch.int64])
def test_integer_types_of_factors_agree(dtype):
    expected = mutual_information(codes_with_ties(), FACTORS)
    assert torch.equal(mutual_information(codes_with_ties(), FACTORS.to(dtype)), expected)


@pytest.mark.parametrize(
    ("factors", "message"),
    [
        (torch.zeros(4, 1), "float32, but the integers"),
        (torch.tensor([[0], [1], [-1], [0]]), "from -1 to 1, but values are counted from 0"),
        (torch.tensor([[0], [1], [2**40], [0]]), "stay below"),
        (torch.zeros(4, 0, dtype=torch.int64), "at least one image"),
    ],
)
def test_factors_that_cannot_be_counted_are_refused(factors, message):
    with pytest.raises(ValueError, match=f"(?i){message}"):
        mutual_information(torch.zeros(4, 1), factors)


def test_bins_below_one_are_refused():
    with pytest.raises(ValueError, match="bins must be at least 1, got 0"):
        mutual_information(torch.zeros(4, 1), torch.zeros(4, 1, dtype=torch.int64), bins=0)
