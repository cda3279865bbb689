# SPDX-License-Identifier: Apache-2.0
"""How well straight lines through the code predict each factor."""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from disent.metrics.information import check_codes_and_factors

SMALLEST_VARIANCE = 1e-12


def linear_r2(codes: Float[Tensor, "n d"], factors: Int[Tensor, "n k"]) -> Float[Tensor, "k"]:
    """R squared of the least-squares line from the whole code to each factor's value index.

    1: the factor is a linear function of the code; 0: no better than the mean. Fitted and judged on
    the same rows. nan for a factor with one value. Cyclic and unordered factors (orientation,
    shape) are treated as the numbers of their values: a low value there says little.

    Returns:
        float64 on the device of `codes`.
    Example:
        >>> linear_r2(torch.tensor([[0.0], [1.0], [2.0]]), torch.tensor([[4], [2], [0]]))
        tensor([1.], dtype=torch.float64)
    """
    x, y = _standardised(codes, factors)
    fitted = x @ torch.linalg.pinv(x.T @ x, hermitian=True) @ (x.T @ y)
    r2 = 1 - (y - fitted).square().mean(0)
    return torch.where(y.abs().amax(0) > 0, r2.clamp(0, 1), torch.nan)


def single_r2(codes: Float[Tensor, "n d"], factors: Int[Tensor, "n k"]) -> Float[Tensor, "k d"]:
    """Squared correlation of every factor with every single latent; 0 for a constant one.

    Example:
        >>> single_r2(torch.tensor([[0.0, 5.0], [1.0, 5.0]]), torch.tensor([[0], [1]]))
        tensor([[1., 0.]], dtype=torch.float64)
    """
    x, y = _standardised(codes, factors)
    return (y.T @ x / len(x)).square().clamp(0, 1)


def _standardised(codes: Tensor, factors: Tensor) -> tuple[Tensor, Tensor]:
    """Columns of mean 0 and variance 1, or all 0 where they are constant."""
    check_codes_and_factors(codes, factors)
    columns = []
    for table in (codes.double(), factors.to(codes.device).double()):
        centred = table - table.mean(0)
        variance = centred.square().mean(0)
        scale = torch.where(variance > SMALLEST_VARIANCE, variance, torch.inf).rsqrt()
        columns.append(centred * scale)
    return columns[0], columns[1]
