# SPDX-License-Identifier: Apache-2.0
"""One linear layer each way: the probabilistic PCA among the networks."""

from torch import nn

from disent.networks.base import Linear32, Network, initialise_glorot


class Linear(Network):
    """Linear encoder and decoder, without hidden layers.

    With a `FixedGaussian` likelihood its optimum spans the principal components (Lucas et al.,
    2019, "Don't blame the ELBO!", arXiv:1911.02469). Glorot-uniform weights, zero biases.
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
        self.encoder = nn.Sequential(nn.Flatten(), Linear32(pixels, self.numbers))
        self.decoder = nn.Sequential(
            Linear32(latent_dim, outputs * pixels),
            nn.Unflatten(1, (outputs * channels, *self.size)),
        )
        initialise_glorot(self)
