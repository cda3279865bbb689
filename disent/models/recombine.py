# SPDX-License-Identifier: Apache-2.0
"""Networks that recombine concepts: from the posteriors of two symbols that of a third."""

import torch
from torch import nn

from disent.gaussian import DiagonalGaussian
from disent.models.symbols import OPERATORS, Operator
from disent.networks.base import dense

NUMBERS = 4  # of a latent: mean and log-variance in both posteriors


class Operators(nn.Module):
    """AND, IN COMMON and IGNORE, each a small network that all latents share.

    Higgins et al. (2018), section 3, https://arxiv.org/abs/1707.03389, whose operators are
    convolutions over the latents of two posteriors, too: what is said of one latent tells how any
    is to be recombined.

    Args:
        width: Of the two hidden layers.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.networks = nn.ModuleDict({
            name: nn.Sequential(*dense([NUMBERS, width, width, 2], nn.ReLU, -1))
            for name in OPERATORS
        })  # fmt: skip

    def forward(
        self, operator: Operator, first: DiagonalGaussian, second: DiagonalGaussian
    ) -> DiagonalGaussian:
        """The recombined posterior, in float32."""
        numbers = torch.stack([*first, *second], -1)
        mean, logvar = self.networks[operator](numbers).float().unbind(-1)
        return DiagonalGaussian(mean, logvar)
