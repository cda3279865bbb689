# SPDX-License-Identifier: Apache-2.0
"""Fully connected networks, mirrored; by default that of the EEML lecture."""

from collections.abc import Sequence

from torch import nn

from disent.networks.base import Network, dense, initialise_glorot


class MLP(Network):
    """Fully connected encoder with ReLUs, and a decoder with the same widths in reverse.

    The default, 2000-1600-512, is the network of the generative-models practical of the Eastern
    European Machine Learning summer school (2021). Glorot-uniform weights, zero biases.

    Args:
        channels: Colour channels of a picture, 1 or 3.
        latent_dim: Number of latents D.
        outputs: Numbers that the decoder gives per pixel and channel.
        hidden: Widths of the encoder's hidden layers, from the picture on.
        size: Height and width of a picture.
        numbers: That the encoder gives of a picture; None: 2 D, means then log-variances.
    """

    def __init__(
        self,
        channels: int = 1,
        latent_dim: int = 10,
        outputs: int = 1,
        hidden: Sequence[int] = (2000, 1600, 512),
        size: tuple[int, int] = (64, 64),
        numbers: int | None = None,
    ) -> None:
        super().__init__(channels, latent_dim, outputs, size, numbers)
        if not hidden or min(hidden) < 1:
            raise ValueError(
                f"hidden must name at least one width >= 1, got {list(hidden)}. "
                "For a network without hidden layers take Linear."
            )
        pixels, widths = self.pixels, list(hidden)
        self.encoder = nn.Sequential(
            nn.Flatten(), *dense([pixels, *widths, self.numbers], nn.ReLU, -1)
        )
        self.decoder = nn.Sequential(
            *dense([latent_dim, *reversed(widths), outputs * pixels], nn.ReLU, 0),
            nn.Unflatten(1, (outputs * channels, *self.size)),
        )
        initialise_glorot(self)
