# SPDX-License-Identifier: Apache-2.0
"""Inequalities of information theory that every evaluation obeys, or is wrong."""

import math

from jaxtyping import Float
from torch import Tensor

ROUNDING = 1e-6  # relative to the larger side
ERRORS = 4.0  # standard errors that an estimate may lie beyond a bound


class BoundViolated(ArithmeticError):  # noqa: N818 - says what happened
    """A number came out that theory forbids: the numbers beside it cannot be trusted either."""


def check_information(information: Float[Tensor, "k d"], entropies: Float[Tensor, "k"]) -> None:
    """I(z_j; v_k) <= H(v_k), in nats.

    Raises:
        BoundViolated: For the first factor and latent that break it.
    References:
        Cover & Thomas (2006), "Elements of Information Theory", theorem 2.6.5.
    """
    over = information > entropies[:, None] + ROUNDING * entropies[:, None].clamp(min=1)
    if over.any():
        k, j = (int(i) for i in over.nonzero()[0])
        raise BoundViolated(
            f"I(z{j}; v{k}) = {float(information[k, j]):.6f} nats exceeds H(v{k}) = "
            f"{float(entropies[k]):.6f} nats: a factor cannot be known better than wholly. The "
            "counts behind the two are not of the same pictures."
        )


def check_rate_distortion(
    rate: float, distortion: float, entropy: float, standard_error: float = 0.0
) -> None:
    """rate + distortion >= H(x), in nats per image, for discrete pictures.

    The negative ELBO bounds -log p(x), whose mean over the pictures is at least their entropy.

    Args:
        rate: E KL(q(z|x) || p(z)).
        distortion: -E log p(x|z).
        entropy: H(x) of the pictures that the two were averaged over.
        standard_error: Of rate + distortion, where they were averaged over a sample.
    Raises:
        BoundViolated: The sum lies more than 4 standard errors below.
    References:
        Alemi et al. (2018), "Fixing a Broken ELBO", section 2, https://arxiv.org/abs/1711.00464.
    """
    total = rate + distortion
    if not total >= entropy - ERRORS * standard_error - ROUNDING * entropy:
        raise BoundViolated(
            f"rate + distortion = {rate:.4f} + {distortion:.4f} = {total:.4f} nats per image (+- "
            f"{standard_error:.4f}) lies below the entropy of the pictures, {entropy:.4f} nats. No "
            "code is that short: the likelihood is not normalised over these pictures, or pixels "
            "are not summed."
        )


def check_log_likelihood(
    log_likelihood: float, entropy: float, standard_error: float = 0.0
) -> None:
    """E log p(x) <= -H(x), in nats per image, for discrete pictures and whatever bounds log p(x).

    Args:
        log_likelihood: E log p(x), or a lower bound of it.
        entropy: H(x) of the pictures that it was averaged over.
        standard_error: Of the log-likelihood, where it is of some of the pictures.
    Raises:
        BoundViolated: It lies more than 4 standard errors above.
    References:
        Cover & Thomas (2006), "Elements of Information Theory", theorem 2.6.3.
    """
    if not log_likelihood <= -entropy + ERRORS * standard_error + ROUNDING * entropy:
        raise BoundViolated(
            f"log p(x) = {log_likelihood:.4f} nats per image (+- {standard_error:.4f}) lies above "
            f"minus the entropy of the pictures, {-entropy:.4f} nats. No model of them is that "
            "good: the likelihood is not normalised, or the samples' density is not their own."
        )


def check_mutual_information(
    information: float, rate: float, pictures: int, standard_error: float = 0.0
) -> None:
    """I_q(x; z) <= rate, and I_q(x; z) <= ln N, in nats.

    Args:
        information: Between a picture's index and its code.
        rate: E KL(q(z|x) || p(z)).
        pictures: N.
        standard_error: Of `information`, where it was estimated from draws.
    Raises:
        BoundViolated: The information lies more than 4 standard errors above either.
    References:
        Hoffman & Johnson (2016), "ELBO surgery", eq. 4,
        http://approximateinference.org/accepted/HoffmanJohnson2016.pdf.
    """
    for name, bound in (("the rate", rate), ("ln N", math.log(pictures))):
        if not information <= bound + ERRORS * standard_error + ROUNDING * max(bound, 1.0):
            raise BoundViolated(
                f"I(x; z) = {information:.4f} nats (+- {standard_error:.4f}) exceeds {name} = "
                f"{bound:.4f} nats. Means and variances are not of one encoder, or their rate was "
                "not summed over latents."
            )
