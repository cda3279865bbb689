# SPDX-License-Identifier: Apache-2.0
"""What every prior is: a way to draw latents from standard normal numbers."""

import math
from abc import ABC, abstractmethod

import torch
from jaxtyping import Float
from torch import Tensor, nn


class Prior(nn.Module, ABC):
    """p(z) over D latents. Nothing is drawn inside: the caller brings standard normal numbers.

    Attributes:
        latent_dim: Number of latents D.
        draws: Standard normal numbers that one sample is made of.
    """

    latent_dim: int
    draws: int

    def __init__(self, latent_dim: int) -> None:
        super().__init__()
        if latent_dim < 1:
            raise ValueError(f"latent_dim must be >= 1, got {latent_dim}.")
        self.latent_dim = self.draws = latent_dim

    @abstractmethod
    def sample(self, noise: Float[Tensor, "n w"]) -> Float[Tensor, "n d"]:
        """Latents, each a function of `draws` numbers from N(0, 1)."""

    def log_prob(self, z: Float[Tensor, "n d"]) -> Float[Tensor, "n"]:
        """log p(z) in nats; NotImplementedError for a prior that has no density to state."""
        raise NotImplementedError(f"{type(self).__name__} has no density in closed form.")


def uniform(noise: Tensor) -> Tensor:
    """Numbers from N(0, 1) as numbers in (0, 1), by the normal distribution function."""
    return 0.5 * (1 + torch.erf(noise / math.sqrt(2)))
