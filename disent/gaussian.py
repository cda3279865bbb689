# SPDX-License-Identifier: Apache-2.0
"""The diagonal Gaussian posterior q(z|x) = N(mean, exp(logvar))."""

from typing import NamedTuple

from jaxtyping import Float
from torch import Tensor

ACTIVE = 0.01  # nats: a latent of a higher rate counts as active (Duan et al., 2020, the UDR paper)


class DiagonalGaussian(NamedTuple):
    """A batch of diagonal Gaussians over D latents.

    Attributes:
        mean: Float[B, D].
        logvar: Float[B, D], natural logarithm of the variance.
    """

    mean: Float[Tensor, "b d"]
    logvar: Float[Tensor, "b d"]

    def sample(self, noise: Float[Tensor, "b d"]) -> Float[Tensor, "b d"]:
        """z = mean + std * noise, with `noise` drawn by the caller from N(0, 1)."""
        return self.mean + (0.5 * self.logvar).exp() * noise

    def kl(self) -> Float[Tensor, "b d"]:
        """KL(q(z_j|x) || N(0, 1)) of each latent, in nats (Kingma & Welling, 2014, appendix B)."""
        return 0.5 * (self.mean.square() + self.logvar.exp() - 1 - self.logvar)
