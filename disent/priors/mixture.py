# SPDX-License-Identifier: Apache-2.0
"""A mixture of Gaussians laid out like the petals of a flower."""

import math

import torch
from jaxtyping import Float
from torch import Tensor

from disent.priors.base import Prior, uniform


class GaussianMixture(Prior):
    """Equal Gaussians, the k-th elongated along the ray at angle 2 pi k / K from the origin.

    The mixture of ten two-dimensional Gaussians of Makhzani et al. (2015), "Adversarial
    Autoencoders", figure 4, https://arxiv.org/abs/1511.05644, who draw it and state no numbers:
    here centres at distance 1, standard deviations 0.35 along the ray and 0.07 across it.

    Args:
        latent_dim: Must be 2.
        components: Number of petals K, at least 2.
        distance: Of the centres from the origin.
        along: Standard deviation along the ray.
        across: Standard deviation across it.
    """

    centres: Tensor
    axes: Tensor

    def __init__(
        self,
        latent_dim: int = 2,
        components: int = 10,
        distance: float = 1.0,
        along: float = 0.35,
        across: float = 0.07,
    ) -> None:
        super().__init__(latent_dim)
        if latent_dim != 2:
            raise ValueError(
                f"a flower of Gaussians has 2 latents, but latent_dim is {latent_dim}."
            )
        if components < 2 or not all(n > 0 for n in (distance, along, across)):
            raise ValueError(
                f"got {components} components, distance {distance}, along {along}, across "
                f"{across}. At least 2 components and numbers > 0 are wanted; for one Gaussian "
                "take StandardNormal."
            )
        self.components, self.draws = components, latent_dim + 1
        angle = torch.arange(components, dtype=torch.float64) * (2 * math.pi / components)
        ray = torch.stack([angle.cos(), angle.sin()], -1)
        across_ray = torch.stack([-ray[:, 1], ray[:, 0]], -1)
        axes = torch.stack([along * ray, across * across_ray], 1)  # rows: the two half-axes
        self.register_buffer("centres", (distance * ray).float(), persistent=False)
        self.register_buffer("axes", axes.float(), persistent=False)

    def component(self, noise: Float[Tensor, "n w"]) -> Tensor:
        """Which petal each sample of `sample` lies on, Int[n]."""
        chosen = (uniform(noise[:, 0]) * self.components).long()
        return chosen.clamp(max=self.components - 1)

    def sample(self, noise: Float[Tensor, "n w"]) -> Float[Tensor, "n d"]:
        """The first number chooses the petal, the other two the place on it."""
        chosen = self.component(noise)
        return self.centres[chosen] + (noise[:, 1:, None] * self.axes[chosen]).sum(1)

    def log_prob(self, z: Float[Tensor, "n d"]) -> Float[Tensor, "n"]:
        lengths = self.axes.norm(dim=-1)  # K x 2
        away = z[:, None] - self.centres
        places = (away[:, :, None] * self.axes).sum(-1) / lengths.square()
        density = -0.5 * places.square() - lengths.log() - 0.5 * math.log(2 * math.pi)
        return density.sum(-1).logsumexp(-1) - math.log(self.components)
