# SPDX-License-Identifier: Apache-2.0
"""Rate, distortion and information of a model, in nats per image, with the bounds that tie them."""

import math
from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor

from disent.checks import check_finite
from disent.gaussian import DiagonalGaussian
from disent.metrics.bounds import check_mutual_information, check_rate_distortion

COMPONENTS_AT_ONCE = 4096


class RateDistortion(NamedTuple):
    """Terms of the ELBO, averaged over pictures; float64 scalars, nats per image.

    Attributes:
        rate: E KL(q(z|x) || p(z)).
        distortion: -E log p(x|z).
        total: rate + distortion, the negative ELBO.
        total_error: Standard error of `total`, whose distortion is of some pictures and one draw.
        mutual_information: I_q(x; z), what the code says of the picture.
        mutual_information_error: Its standard error.
        marginal_kl: KL(q(z) || p(z)) = rate - I_q(x; z), how far the codes are from the prior.
    """

    rate: Tensor
    distortion: Tensor
    total: Tensor
    total_error: Tensor
    mutual_information: Tensor
    mutual_information_error: Tensor
    marginal_kl: Tensor


def rate_distortion(
    means: Float[Tensor, "n d"],
    logvars: Float[Tensor, "n d"],
    distortions: Float[Tensor, "m"],
    *,
    entropy: float | None = None,
    samples: int = 512,
    seed: int = 0,
) -> RateDistortion:
    """Where a model lies on the rate-distortion plane; raises if theory forbids the place.

    The rate is of all n pictures; the distortion is of m of them, with a standard error; the
    mutual information I_q(x; z) = E log q(z|x) / q(z) is estimated from `samples` draws of z, each
    against all n components of q(z).

    Args:
        means: Posterior means of n pictures, each as likely as the others.
        logvars: Natural logarithm of the posterior variances.
        distortions: -log p(x|z) of m of these pictures, z drawn from q(z|x); nats per image.
        entropy: H(x) of the n pictures where they are discrete and p(x|z) is a probability of
            them, so that rate + distortion is bounded by it; None: no bound.
        samples: Draws for the mutual information.
        seed: Of these draws.
    Raises:
        BoundViolated: rate + distortion < H(x), I_q > rate or I_q > ln n, by more than 4 standard
            errors.
        ValueError: A table is not finite, or of another shape.
    References:
        Alemi et al. (2018), "Fixing a Broken ELBO", section 2, https://arxiv.org/abs/1711.00464.
        Hoffman & Johnson (2016), "ELBO surgery", eq. 4.
    Example:
        >>> prior = torch.zeros(8, 2)  # codes that say nothing
        >>> rate_distortion(prior, prior, torch.full((8,), 20.0)).total
        tensor(20., dtype=torch.float64)
    """
    for name, table in (("means", means), ("logvars", logvars), ("distortions", distortions)):
        check_finite(table, name)
    if means.ndim != 2 or means.shape != logvars.shape or not means.numel() or not len(distortions):
        raise ValueError(
            f"means has shape {list(means.shape)}, logvars {list(logvars.shape)}, distortions "
            f"{list(distortions.shape)}, but [n, d], [n, d] and [m] are wanted, none empty."
        )
    rates = DiagonalGaussian(means.double(), logvars.double()).kl().sum(-1)
    rate, distortion = rates.mean(), distortions.double().mean().to(rates.device)
    error = _error(distortions.double()).to(rates.device)
    generator = torch.Generator().manual_seed(seed)
    rows = torch.randint(len(means), (samples,), generator=generator)
    noise = torch.randn(samples, means.shape[1], generator=generator, dtype=torch.float64)
    each = pointwise_information(means.double(), logvars.double(), rows.to(means.device), noise)
    information = each.mean()
    found = RateDistortion(
        rate=rate,
        distortion=distortion,
        total=rate + distortion,
        total_error=error,
        mutual_information=information,
        mutual_information_error=_error(each),
        marginal_kl=rate - information,
    )
    if entropy is not None:
        check_rate_distortion(float(rate), float(distortion), entropy, float(error))
    error_of_information = float(found.mutual_information_error)
    check_mutual_information(float(information), float(rate), len(means), error_of_information)
    return found


def pointwise_information(
    means: Float[Tensor, "n d"],
    logvars: Float[Tensor, "n d"],
    rows: Int[Tensor, "s"],
    noise: Float[Tensor, "s d"],
) -> Float[Tensor, "s"]:
    """ln q(z|x) - ln q(z), in nats, of one draw z from the posterior of each of some rows.

    q(z) is of all n components; the mean of the draws estimates I_q(x; z).

    Args:
        means: Float64, posterior means.
        logvars: Float64, natural logarithm of the variances.
        rows: Whose posteriors are drawn from.
        noise: Float64, standard normal numbers that make the draws.
    Example:
        >>> means = torch.tensor([[0.0], [99.0]], dtype=torch.float64)
        >>> pointwise_information(means, 0 * means, torch.tensor([1]), 0 * means[:1])
        tensor([0.6931], dtype=torch.float64)
    """
    z = DiagonalGaussian(means[rows], logvars[rows]).sample(noise.to(means.device))
    powers = torch.cat([z.square(), z], dim=1)
    total = z.new_full((len(z),), -torch.inf)
    for mean, logvar in zip(
        means.split(COMPONENTS_AT_ONCE), logvars.split(COMPONENTS_AT_ONCE), strict=True
    ):
        precision = (-logvar).exp()
        weights = torch.cat([-0.5 * precision, mean * precision], dim=1)
        constant = -0.5 * (mean.square() * precision + logvar).sum(1)
        total = torch.logaddexp(total, (powers @ weights.T + constant).logsumexp(1))
    # the constants with ln 2 pi cancel
    own = -0.5 * (noise.to(z.device).square() + logvars[rows]).sum(1)
    return own - (total - math.log(len(means)))


def _error(values: Float[Tensor, "m"]) -> Float[Tensor, ""]:
    """Standard error of a mean; 0 of a single value."""
    if len(values) < 2:
        return values.new_zeros(())
    return values.std() / len(values) ** 0.5
