# SPDX-License-Identifier: Apache-2.0
"""A VAE that sees exactly: its code is the factors of a square, and it draws what a code says."""

import torch
from torch import Tensor

from disent.gaussian import DiagonalGaussian
from disent.models import VAE
from disent.networks import Linear
from tests.tiny import Squares

SQUARES = Squares()
CENTRE = torch.tensor([0.5, 3.5, 3.5])
SCALE = torch.tensor([1 / 2, (63 / 12) ** 0.5, (63 / 12) ** 0.5])  # standard deviations
SURE = 0.05  # standard deviation of the posterior in the latents that are used


class Exact(VAE):
    """Latents 0 to 2 are the factors at mean 0 and variance 1; latent 3 is the prior."""

    def __init__(self) -> None:
        super().__init__(network=Linear, latent_dim=4)

    def encode(self, x: Tensor) -> DiagonalGaussian:
        lit = x[:, 0, ::2, ::2] > 0.5  # a side has 8 or 16 pixels, and corners are 6 apart
        side = lit.any(1).sum(1)
        column, row = lit.any(1).int().argmax(1), lit.any(2).int().argmax(1)
        factors = torch.stack([side / 4 - 1, column / 3, row / 3], 1)
        mean = torch.cat([(factors - CENTRE) / SCALE, torch.zeros(len(x), 1)], 1)
        logvar = 2 * torch.tensor([SURE, SURE, SURE, 1.0]).log()
        return DiagonalGaussian(mean, logvar.expand_as(mean))

    def picture(self, z: Tensor) -> Tensor:
        largest = torch.tensor(SQUARES.grid.sizes) - 1
        factors = (z[:, :3] * SCALE + CENTRE).round().clamp(min=0).minimum(largest)
        return SQUARES.batch(SQUARES.grid.index(factors.long()))
