# SPDX-License-Identifier: Apache-2.0
"""The ELBO with a weight on the rate."""

from jaxtyping import Float
from torch import Tensor

from disent.objectives.base import Objective, Terms


class BetaELBO(Objective):
    """distortion + beta * rate, in nats.

    Higgins et al. (2017), "beta-VAE", eq. 4, https://openreview.net/forum?id=Sy2fzU9gl.

    Args:
        beta: Weight of the rate. 1 gives the ELBO. Not normalised by image or latent size.
    """

    strength = ("beta", "beta")
    beta: Tensor

    def __init__(self, beta: float = 1.0) -> None:
        super().__init__()
        if not 0 <= beta < float("inf"):
            raise ValueError(f"beta must be >= 0, got {beta}. Use beta=0 for a plain autoencoder.")
        self.knob("beta", beta)

    def forward(self, terms: Terms, step: int | Tensor) -> Float[Tensor, ""]:
        return terms.distortion.mean() + self.beta * terms.rate.sum(-1).mean()
