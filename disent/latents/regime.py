# SPDX-License-Identifier: Apache-2.0
"""The polarised regime in numbers: active, passive and mixed latents."""

import math
from typing import Literal

from jaxtyping import Float
from torch import Tensor

from disent.checks import check_finite

Regime = Literal["active", "mixed", "passive"]
CLOSE = 0.8  # a posterior variance from 0.8 to 1 / 0.8, and mean^2 below 0.2, is the prior's
SHARE = 0.95  # of the pictures, at which a latent of one regime behaves alike


def passive_share(
    means: Float[Tensor, "n d"], logvars: Float[Tensor, "n d"] | None
) -> Float[Tensor, "d"]:
    """Share of pictures at which each latent is passive: its posterior is close to the prior.

    Close is a variance between 0.8 and 1.25 and a squared mean below 0.2: "mu^2 << 1 and
    sigma^2 about 1" of Rolinek et al. (2019), definition 1, https://arxiv.org/abs/1812.06775,
    who state no numbers.

    Args:
        means: Posterior means of n pictures.
        logvars: Natural logarithms of the posterior variances, in the same order.
    Raises:
        ValueError: There are no variances, or tables that are not finite or do not fit.
    """
    if logvars is None:
        raise ValueError(
            "this encoder gives no log-variances, so that its latents have no regime: a model "
            "whose posterior is a diagonal Gaussian, such as VAE, is wanted."
        )
    if means.ndim != 2 or means.shape != logvars.shape or 0 in means.shape:
        raise ValueError(
            f"means has shape {list(means.shape)} and logvars {list(logvars.shape)}, but both are "
            "wanted as [n, d]: one row a picture, one column a latent."
        )
    check_finite(means, "means")
    check_finite(logvars, "logvars")
    close = (logvars.abs() < -math.log(CLOSE)) & (means.square() < 1 - CLOSE)
    return close.double().mean(0)


def regimes(
    means: Float[Tensor, "n d"], logvars: Float[Tensor, "n d"] | None
) -> tuple[Regime, ...]:
    """Each latent's regime: passive, active or mixed.

    Passive: passive at 95 % of the pictures or more; active: at 5 % or fewer; mixed: between, that
    is, used for some pictures and not for others (Bonheme & Grzes, 2021, "Be More Active!",
    https://arxiv.org/abs/2109.12679; they threshold mean and variance of the posterior variances
    over pictures by 0.1, which calls a latent mixed that is halfway, 0.5, everywhere; here it is
    active). `passive_share` says when a latent is passive at a picture.

    Args:
        means: Posterior means of n pictures.
        logvars: Natural logarithms of the posterior variances, in the same order.
    Example:
        >>> import torch
        >>> regimes(torch.tensor([[0.0, 1.0], [0.1, -1.0]]), torch.tensor([[0.0, -4.0]] * 2))
        ('passive', 'active')
    """
    return tuple(
        "passive" if share >= SHARE else "active" if share <= 1 - SHARE + 1e-9 else "mixed"
        for share in passive_share(means, logvars).tolist()
    )
