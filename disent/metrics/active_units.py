# SPDX-License-Identifier: Apache-2.0
"""Active units: how many latents say anything."""

from jaxtyping import Float
from torch import Tensor

from disent.checks import check_finite
from disent.metrics.arrays import takes_arrays


@takes_arrays
def active_units(means: Float[Tensor, "n d"], *, threshold: float = 0.01) -> Float[Tensor, ""]:
    """Number of latents whose posterior mean varies over pictures; 0 to d, no direction.

    A latent is active if the variance of its posterior mean, over the pictures, exceeds the
    threshold; with the prior N(0, 1), an inactive latent's mean stays near 0. Some papers count
    latents whose mean rate exceeds a threshold in nats instead; that count is `active_latents` in a
    run's log, and usually the same.

    Args:
        means: Posterior means, one row a picture.
        threshold: Of the variance, which is over n.
    Returns:
        A whole number, as a float64 scalar on the device of `means`.
    Raises:
        ValueError: A mean is NaN or infinite, or the table has no row.
    References:
        Burda et al. (2016), "Importance Weighted Autoencoders", section 5.2,
        https://arxiv.org/abs/1509.00519.
    Example:
        >>> import torch
        >>> active_units(torch.tensor([[1.0, 0.05], [-1.0, -0.05]]))
        tensor(1., dtype=torch.float64)
    """
    if means.ndim != 2 or not len(means):
        raise ValueError(f"codes has shape {list(means.shape)}, but [n, d] with n > 0 is wanted.")
    check_finite(means)
    return (means.double().var(0, correction=0) > threshold).sum().double()
