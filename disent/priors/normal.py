# SPDX-License-Identifier: Apache-2.0
"""The standard normal prior."""

import math

from jaxtyping import Float
from torch import Tensor

from disent.priors.base import Prior


class StandardNormal(Prior):
    """p(z) = N(0, 1), independent in each latent (Kingma & Welling, 2014, section 3).

    Args:
        latent_dim: Number of latents D.
    """

    def sample(self, noise: Float[Tensor, "n d"]) -> Float[Tensor, "n d"]:
        return noise

    def log_prob(self, z: Float[Tensor, "n d"]) -> Float[Tensor, "n"]:
        return -0.5 * (z.square() + math.log(2 * math.pi)).sum(-1)
