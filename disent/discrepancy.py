# SPDX-License-Identifier: Apache-2.0
"""How far two samples are from being of one distribution: the maximum mean discrepancy."""

from collections.abc import Callable
from functools import partial
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

Kernel = Callable[[Tensor, Tensor], Tensor]  # [n, d] and [m, d] -> [n, m], symmetric, k(a, a) = 1
KernelName = Literal["rbf", "imq"]  # gaussian_kernel, inverse_multiquadratic


def squared_distances(a: Float[Tensor, "n d"], b: Float[Tensor, "m d"]) -> Float[Tensor, "n m"]:
    """|a_i - b_j|^2, from the differences themselves: exact for near points, n m d numbers."""
    return (a[:, None] - b[None]).square().sum(-1)


def gaussian_kernel(
    a: Float[Tensor, "n d"], b: Float[Tensor, "m d"], *, bandwidth: float | Tensor
) -> Float[Tensor, "n m"]:
    """exp(-|a - b|^2 / (2 h^2)) for the bandwidth h, also called RBF.

    Example:
        >>> gaussian_kernel(torch.zeros(1, 1), torch.ones(1, 1), bandwidth=1.0)  # e^(-1/2)
        tensor([[0.6065]])
    """
    if not isinstance(bandwidth, Tensor) and not 0 < bandwidth < float("inf"):
        raise ValueError(
            f"bandwidth must be > 0, got {bandwidth}. median_distance gives one of the data."
        )
    return (-squared_distances(a, b) / (2 * bandwidth**2)).exp()


def inverse_multiquadratic(
    a: Float[Tensor, "n d"], b: Float[Tensor, "m d"], *, variance: float | Tensor = 1.0
) -> Float[Tensor, "n m"]:
    """C / (C + |a - b|^2) with C = 2 d v, the mean squared distance of two draws from N(0, v).

    Its tails fall slowly, so that samples far away from each other are told apart, too. Tolstikhin
    et al. (2018), "Wasserstein Auto-Encoders", section 4, https://arxiv.org/abs/1711.01558.

    Args:
        a: One sample.
        b: The other.
        variance: v, of one coordinate of the prior.
    Example:
        >>> inverse_multiquadratic(torch.zeros(1, 2), torch.tensor([[0.0, 2.0]]))  # 4 / (4 + 4)
        tensor([[0.5000]])
    """
    scale = 2 * a.shape[-1] * variance
    return scale / (scale + squared_distances(a, b))


def maximum_mean_discrepancy(
    x: Float[Tensor, "n d"],
    y: Float[Tensor, "m d"],
    kernel: Kernel = inverse_multiquadratic,
    *,
    unbiased: bool = True,
) -> Float[Tensor, ""]:
    """Squared maximum mean discrepancy of two samples; 0 for samples of one distribution.

    E k(x, x') + E k(y, y') - 2 E k(x, y) for independent draws. Unbiased, a point is not paired
    with itself: the mean over samples is exact, and a single value may be negative. Biased, it is
    never negative, and samples of n points of one distribution differ by about 2 (1 - E k) / n. The
    two must not be compared with each other, nor values of different kernels.

    Args:
        x: One sample.
        y: The other; the numbers of points may differ.
        kernel: Of two tables of points; others than the default by functools.partial.
        unbiased: Which of the two estimates.
    Returns:
        No unit; differentiable.
    Raises:
        ValueError: The samples have not the same number of columns, or too few points.
    References:
        Gretton et al. (2012), "A Kernel Two-Sample Test", equations 3 (unbiased) and 5 (biased),
        https://jmlr.org/papers/v13/gretton12a.html.
    Example:
        >>> x, y = torch.tensor([[0.0], [0.0]]), torch.tensor([[2.0], [2.0]])  # 2 - 2 * 2 / 6
        >>> maximum_mean_discrepancy(x, y)
        tensor(1.3333)
    """
    fewest = 2 if unbiased else 1
    if x.ndim != 2 or y.ndim != 2 or x.shape[1] != y.shape[1] or min(len(x), len(y)) < fewest:
        raise ValueError(
            f"samples of shape {list(x.shape)} and {list(y.shape)} came, but [n, d] and [m, d] "
            f"with at least {fewest} points each are wanted: one row a point, alike columns."
        )
    within = _mean(kernel(x, x), unbiased) + _mean(kernel(y, y), unbiased)
    return within - 2 * kernel(x, y).mean()


def discrepancy_from_normal(
    z: Float[Tensor, "n d"], kernel: KernelName = "rbf", *, bandwidth: float | Tensor
) -> Float[Tensor, ""]:
    """Squared maximum mean discrepancy of a sample from N(0, 1) in each coordinate; none is drawn.

    E k(z, z') + E k(a, b) - 2 E k(z, a) for a, b from N(0, I): the first over the pairs of
    different points, so that the value is unbiased and may be negative, the others as integrals.
    "rbf" is exp(-|a - b|^2 / (2 h^2)), of which E k(z, a) = (1 + 2 r)^(-d/2) exp(-r |z|^2 / (1 + 2
    r)) and E k(a, b) = (1 + 4 r)^(-d/2) with r = 1 / (2 h^2). "imq" is C / (C + |a - b|^2) with
    C = 2 h^2: the mean of such Gaussians with r = u / C over u from an exponential distribution, a
    sum over values of ln u whose relative error is below 1e-6.

    Args:
        z: The sample.
        kernel: Which of the two.
        bandwidth: h. The square root of d makes C = 2 h^2 the mean squared distance of two draws.
    Returns:
        No unit; differentiable.
    Raises:
        ValueError: No such kernel or bandwidth, or too few points.
    References:
        Gretton et al. (2012), "A Kernel Two-Sample Test", equation 3,
        https://jmlr.org/papers/v13/gretton12a.html.
    Example:
        >>> z = torch.zeros(2, 1)  # 1 + (1 + 2)^(-1/2) - 2 (1 + 1)^(-1/2)
        >>> discrepancy_from_normal(z, bandwidth=1.0)
        tensor(0.1631)
    """
    if z.ndim != 2 or len(z) < 2:
        raise ValueError(
            f"a sample of shape {list(z.shape)} came, but [n, d] with at least 2 points is wanted: "
            "one row a point. Take larger batches."
        )
    if not isinstance(bandwidth, Tensor) and not bandwidth > 0:
        raise ValueError(f"bandwidth must be > 0, got {bandwidth}. 1 is usual for few coordinates.")
    spread = z.new_ones(1) * bandwidth**2
    if kernel == "rbf":
        pairs, u = partial(gaussian_kernel, bandwidth=spread.sqrt()), z.new_ones(1)
        weight = u
    elif kernel == "imq":
        pairs = partial(inverse_multiquadratic, variance=spread / z.shape[1])
        u = (torch.arange(-46, 7, dtype=z.dtype, device=z.device) / 2).exp()  # steps of ln u: 1/2
        weight = u * (-u).exp() / 2
    else:
        raise ValueError(f"kernel must be 'rbf' or 'imq', got {kernel!r}.")
    r, half = u / (2 * spread), z.shape[1] / 2
    reach = (-r / (1 + 2 * r) * z.square().sum(-1, keepdim=True)).exp()
    across = (weight * (1 + 2 * r) ** -half * reach).sum(-1).mean()
    return _mean(pairs(z, z), True) + (weight * (1 + 4 * r) ** -half).sum() - 2 * across


def median_distance(x: Float[Tensor, "n d"], y: Float[Tensor, "m d"]) -> Float[Tensor, ""]:
    """The median distance of two different points of both samples together, as a bandwidth.

    The median heuristic (Gretton et al., 2012, section 8). Of an even number of distances, the
    lower of the middle two.

    Example:
        >>> median_distance(torch.tensor([[0.0], [1.0]]), torch.tensor([[4.0]]))  # of 1, 3, 4
        tensor(3.)
    """
    points = torch.cat([x, y])
    row, column = torch.triu_indices(len(points), len(points), 1, device=points.device)
    return squared_distances(points, points)[row, column].median().sqrt()


def _mean(values: Float[Tensor, "n n"], unbiased: bool) -> Float[Tensor, ""]:
    """Over all pairs, or over those of different points."""
    if not unbiased:
        return values.mean()
    n = len(values)
    return (values.sum() - values.diagonal().sum()) / (n * (n - 1))
