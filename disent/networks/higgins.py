# SPDX-License-Identifier: Apache-2.0
"""The fully connected network of Higgins et al. (2017)."""

from torch import nn

from disent.networks.base import Network, dense, initialise_glorot


class Higgins2017(Network):
    """Fully connected network of the beta-VAE paper for 2D shapes (appendix A.1, table 1).

    Encoder 1200-1200 with ReLU, decoder 1200-1200-1200 with tanh. Glorot-uniform weights, zero
    biases. 14,196,516 parameters at one channel and 10 latents.
    """

    def __init__(
        self,
        channels: int = 1,
        latent_dim: int = 10,
        outputs: int = 1,
        size: tuple[int, int] = (64, 64),
        numbers: int | None = None,
    ) -> None:
        super().__init__(channels, latent_dim, outputs, size, numbers)
        pixels = self.pixels
        self.encoder = nn.Sequential(
            nn.Flatten(), *dense([pixels, 1200, 1200, self.numbers], nn.ReLU, -1)
        )
        self.decoder = nn.Sequential(
            *dense([latent_dim, 1200, 1200, 1200, outputs * pixels], nn.Tanh, 0),
            nn.Unflatten(1, (outputs * channels, *self.size)),
        )
        initialise_glorot(self)
