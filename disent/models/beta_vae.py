# SPDX-License-Identifier: Apache-2.0
"""VAEs by the name of their objective. Every term is in nats per image."""

from typing import Any

from disent.models.vae import VAE
from disent.objectives.beta import BetaELBO
from disent.objectives.capacity import CapacityELBO
from disent.objectives.total_correlation import TotalCorrelationELBO


class BetaVAE(VAE):
    """The beta-VAE: distortion + beta * rate.

    Higgins et al. (2017), "beta-VAE", eq. 4, https://openreview.net/forum?id=Sy2fzU9gl.

    Args:
        beta: Weight of the rate. 1 gives the VAE. Not normalised by image or latent size.
        **vae: Network, likelihood and the rest, as `VAE` takes them.
    """

    strength = ("beta", "beta")

    def __init__(self, beta: float = 4.0, **vae: Any) -> None:
        super().__init__(BetaELBO(beta), **vae)


class AnnealedVAE(VAE):
    """The capacity-annealed beta-VAE: distortion + gamma * |rate - C(step)|.

    Burgess et al. (2018), "Understanding disentangling in beta-VAE", eq. 8 (arXiv:1804.03599).

    Args:
        gamma: Weight of the gap between the batch's mean rate and the capacity.
        capacity: C at the end of the ramp, in nats per image.
        anneal_steps: Length of the linear ramp from 0, in steps.
        **vae: Network, likelihood and the rest, as `VAE` takes them.
    """

    strength = ("capacity", "C")

    def __init__(
        self,
        gamma: float = 1000.0,
        capacity: float = 25.0,
        anneal_steps: int = 100_000,
        **vae: Any,
    ) -> None:
        super().__init__(CapacityELBO(gamma, capacity, anneal_steps), **vae)


class BetaTCVAE(VAE):
    """The beta-TCVAE: distortion + rate + (beta - 1) * total correlation of the code.

    Chen et al. (2018), "Isolating Sources of Disentanglement in Variational Autoencoders", eq. 4
    with alpha = gamma = 1, https://arxiv.org/abs/1802.04942.

    Args:
        beta: Weight of the total correlation. 1 gives the VAE.
        pictures: Of the dataset; on the command line, those of the dataset.
        **vae: Network, likelihood and the rest, as `VAE` takes them.
    """

    strength = ("beta", "beta")

    def __init__(self, beta: float = 6.0, pictures: int = 737_280, **vae: Any) -> None:
        super().__init__(TotalCorrelationELBO(beta, pictures), **vae)
