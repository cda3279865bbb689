# SPDX-License-Identifier: Apache-2.0
"""How likely a model finds the pictures, by importance sampling; nats per image."""

import math

from jaxtyping import Float
from torch import Tensor

from disent.checks import check_finite
from disent.metrics.arrays import takes_arrays


@takes_arrays
def log_likelihood(log_weights: Float[Tensor, "n k"]) -> Float[Tensor, ""]:
    """The importance-weighted bound L_K, averaged over pictures; nats per image, higher is better.

    log p(x) >= E log 1/K sum_k p(x, z_k) / q(z_k|x), with z_k drawn from q(z|x). K = 1 gives the
    ELBO; the bound never falls with K, and meets log p(x) where K is large enough, whatever q, so
    that unlike the ELBO it does not judge the encoder too. Of binary pictures under a Bernoulli
    likelihood it is a log-probability; of a Gaussian one, a log-density, which may be positive.
    Others give it for binarised MNIST with K = 5,000: numbers compare only on the same pictures.

    Args:
        log_weights: log p(x, z_k) - log q(z_k|x), one row per picture, one column per sample.
    Returns:
        float64 scalar on the device of `log_weights`.
    Raises:
        ValueError: A table that is not finite, or holds no sample.
    References:
        Burda et al. (2016), "Importance Weighted Autoencoders", eq. 8 and theorem 1,
        https://arxiv.org/abs/1509.00519.
    Example:
        >>> import torch
        >>> weights = torch.tensor([[0.1, 0.3]])  # p(x, z) / q(z|x) of two samples of a picture
        >>> log_likelihood(weights.log()).exp()
        tensor(0.2000, dtype=torch.float64)
    """
    check_finite(log_weights, "log_weights")
    return importance_bounds(log_weights, log_weights.shape[-1]).mean()


def importance_bounds(log_weights: Float[Tensor, "n k"], samples: int) -> Float[Tensor, "n"]:
    """The bound L_samples of each picture, float64, averaged over groups of so many of its columns.

    Every column counts where `samples` divides K; the last K mod `samples` do not otherwise.

    Raises:
        ValueError: No table, or not 1 to K samples.
    Example:
        >>> import torch
        >>> importance_bounds(torch.tensor([[0.0, 1.0, 5.0]]), 1)  # the ELBO: their mean
        tensor([2.], dtype=torch.float64)
    """
    if log_weights.ndim != 2 or not len(log_weights) or not 1 <= samples <= log_weights.shape[1]:
        raise ValueError(
            f"got {samples} samples and log_weights of shape {list(log_weights.shape)}, but one "
            "row per picture, and 1 to as many samples as there are columns, are wanted."
        )
    groups = log_weights.shape[1] // samples
    whole = log_weights[:, : groups * samples].double().unflatten(1, (groups, samples))
    return (whole.logsumexp(-1) - math.log(samples)).mean(-1)
