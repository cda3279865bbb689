# SPDX-License-Identifier: Apache-2.0
"""Whether a reading of the factors that fits some pictures fits others too."""

from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from disent.metrics.information import check_codes_and_factors


class Errors(NamedTuple):
    """Root mean squared errors of a linear reading of each factor, in steps of the factor.

    Attributes:
        fitted: Float64[k], over the rows that it was fitted on.
        others: Float64[k], over the other rows.
    """

    fitted: Tensor
    others: Tensor


def prediction_errors(
    codes: Float[Tensor, "n d"], factors: Int[Tensor, "n k"], *, fitted_on: Bool[Tensor, "n"]
) -> Errors:
    """Errors of the least-squares line from code to factor value, within and beyond its rows.

    A factor is a number here: what is said of shape or of a cyclic orientation says little.

    Args:
        codes: One latent vector a picture.
        factors: The same pictures' factor values, counted from 0.
        fitted_on: Which rows the lines are fitted on.
    Raises:
        ValueError: No row is left on one of the sides.
    Example:
        >>> codes = torch.tensor([[0.0], [1.0], [2.0], [9.0]])
        >>> factors = torch.tensor([[0], [1], [2], [5]])  # the line says 9 for the last
        >>> fitted_on = torch.tensor([True, True, True, False])
        >>> prediction_errors(codes, factors, fitted_on=fitted_on).others.round(decimals=3)
        tensor([4.], dtype=torch.float64)
    """
    check_codes_and_factors(codes, factors)
    if fitted_on.all() or not fitted_on.any():
        raise ValueError(
            f"{int(fitted_on.sum())} of {len(codes)} rows are to be fitted on. Rows are wanted on "
            "both sides: those to fit, and others."
        )
    x = torch.cat([codes.double(), torch.ones(len(codes), 1, device=codes.device)], 1)
    y = factors.to(codes.device).double()
    weights = torch.linalg.pinv(x[fitted_on]) @ y[fitted_on]
    squares = (y - x @ weights).square()
    return Errors(squares[fitted_on].mean(0).sqrt(), squares[~fitted_on].mean(0).sqrt())
