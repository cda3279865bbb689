# SPDX-License-Identifier: Apache-2.0
"""Scores without labels: how far the latents are from independence."""

import torch
from jaxtyping import Float
from torch import Tensor

from disent.checks import check_finite
from disent.metrics.arrays import takes_arrays
from disent.metrics.information import equal_width, mutual_information

SMALLEST_VARIANCE = 1e-12


@takes_arrays
def gaussian_total_correlation(codes: Float[Tensor, "n d"]) -> Float[Tensor, ""]:
    """Total correlation of a Gaussian with the codes' covariance, in nats; 0 is independent.

    1/2 (sum_j ln C_jj - ln det C), with the covariance C over n - 1. It sees linear dependence
    only. No upper end: two latents that are copies of each other make it very large. Constant
    latents are left out (the reference gives nan); with fewer than two others it is 0.

    Args:
        codes: One latent vector per image.
    Returns:
        float64 scalar on the device of `codes`; infinite for exact linear dependence.
    Raises:
        ValueError: A code is NaN or infinite, or there are fewer than two rows.
    References:
        Locatello et al. (2019), section 5.2 and appendix C, https://arxiv.org/abs/1811.12359.
    Example:
        >>> code = torch.tensor([[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [-1.0, -0.5]])
        >>> gaussian_total_correlation(code).round(decimals=4)
        tensor(0.0099, dtype=torch.float64)
    """
    return total_correlation_of(covariance(codes))


@takes_arrays
def gaussian_wasserstein_correlation(
    codes: Float[Tensor, "n d"], *, normalise: bool = True
) -> Float[Tensor, ""]:
    """Squared 2-Wasserstein distance of the codes' Gaussian from its diagonal; 0 is independent.

    2 tr C - 2 tr (C^1/2 diag(C) C^1/2)^1/2, over tr C unless normalise=False; normalised, it does
    not change when all latents are rescaled together, and is at most 2.

    Args:
        codes: One latent vector per image.
        normalise: Divide by the sum of the variances. Codes without variance score 0.
    Returns:
        float64 scalar on the device of `codes`.
    Raises:
        ValueError: A code is NaN or infinite, or there are fewer than two rows.
    References:
        Watanabe (1960), https://doi.org/10.1147/rd.41.0066, for dependence as a distance;
        Locatello et al. (2019), appendix C, https://arxiv.org/abs/1811.12359, for this score.
    Example:
        >>> same = torch.tensor([[1.0, 1.0], [-1.0, -1.0]])
        >>> gaussian_wasserstein_correlation(same).round(decimals=4)
        tensor(0.5858, dtype=torch.float64)
    """
    c = covariance(codes)
    distance = wasserstein_of(c)
    if not normalise:
        return distance
    total = c.trace()
    return torch.where(total > 0, distance / total.clamp(min=1e-300), 0.0)


@takes_arrays
def mutual_info_score(codes: Float[Tensor, "n d"], *, bins: int = 20) -> Float[Tensor, ""]:
    """Mean mutual information of two latents, in nats, each binned as in `mig`; 0 is independent.

    At most ln(bins). Counting biases it upwards by about (bins - 1)^2 / 2n. A constant latent has
    no information of any other. With a single latent it is 0.

    Args:
        codes: One latent vector per image.
        bins: Bins of each latent.
    Returns:
        float64 scalar on the device of `codes`.
    Raises:
        ValueError: A code is NaN or infinite, or there is none.
    References:
        Locatello et al. (2019), appendix C, https://arxiv.org/abs/1811.12359.
    Example:
        >>> mutual_info_score(torch.tensor([[0.0, 5.0], [1.0, 7.0]]))
        tensor(0.6931, dtype=torch.float64)
    """
    check_finite(codes)
    binned = torch.stack([equal_width(column, bins) for column in codes.T], dim=1)
    information = mutual_information(codes, binned, bins)
    d = len(information)
    return (information.sum() - information.trace()) / max(d * (d - 1), 1)


def covariance(codes: Float[Tensor, "n d"]) -> Float[Tensor, "d d"]:
    """Covariance over n - 1, float64; 0 in the rows of constant latents."""
    if codes.ndim != 2 or len(codes) < 2 or not codes.shape[1]:
        raise ValueError(
            f"codes has shape {list(codes.shape)}, but a table of at least two rows and one latent "
            "is wanted: a single image has no covariance."
        )
    check_finite(codes)
    c = codes.double().T.cov().reshape(codes.shape[1], -1)
    varies = c.diagonal() > SMALLEST_VARIANCE
    return c * varies * varies[:, None]


def total_correlation_of(c: Float[Tensor, "d d"]) -> Float[Tensor, ""]:
    """1/2 (sum ln C_jj - ln det C) of the latents that vary, in nats.

    Example:
        >>> total_correlation_of(torch.tensor([[1.0, 0.6], [0.6, 1.0]])).round(decimals=4)
        tensor(0.2231)
    """
    varies = c.diagonal() > 0
    c = c[varies][:, varies]
    deviation = c.diagonal().sqrt()
    return (-0.5 * torch.linalg.slogdet(c / deviation / deviation[:, None])[1]).clamp(min=0)


def wasserstein_of(c: Float[Tensor, "d d"]) -> Float[Tensor, ""]:
    """2 tr C - 2 tr (C^1/2 diag(C) C^1/2)^1/2.

    The eigenvalues of the inner matrix are those of D^1/2 C D^1/2 with D = diag(C): symmetric, so
    that its square root is real.
    """
    deviation = c.diagonal().sqrt()
    eigenvalues = torch.linalg.eigvalsh(c * deviation * deviation[:, None])
    return (2 * c.trace() - 2 * eigenvalues.clamp(min=0).sqrt().sum()).clamp(min=0)
