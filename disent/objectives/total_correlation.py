# SPDX-License-Identifier: Apache-2.0
"""The ELBO with a weight on the total correlation of the code."""

import math

import torch
from jaxtyping import Float
from torch import Tensor

from disent.gaussian import DiagonalGaussian
from disent.objectives.base import Objective, Terms


class TotalCorrelationELBO(Objective):
    """distortion + rate + (beta - 1) * TC(z), in nats: the beta-TCVAE with alpha = gamma = 1.

    TC(z) = KL(q(z) || prod_j q(z_j)), with q(z) estimated from the batch by minibatch weighted
    sampling. Chen et al. (2018), "Isolating Sources of Disentanglement in Variational
    Autoencoders", eqs. 4 and S6, https://arxiv.org/abs/1802.04942. The constant (D - 1) ln(M N),
    which Locatello et al. (2019) leave out, is kept here: it moves no gradient, but a code of
    independent latents gives about (D - 1) ln N, not 0 (121.6 nats for 10 latents on dSprites).
    An estimate of M pictures is biased.

    Args:
        beta: Weight of the total correlation. 1 gives the ELBO.
        pictures: Of the dataset, N; on the command line, those of the dataset.
    """

    strength = ("beta", "beta")
    beta: Tensor

    def __init__(self, beta: float = 6.0, pictures: int = 737_280) -> None:
        super().__init__()
        if not 0 <= beta < float("inf"):
            raise ValueError(f"beta must be >= 0, got {beta}. 1 gives the ELBO, 6 is usual.")
        if pictures < 1:
            raise ValueError(f"pictures must be >= 1, got {pictures}: how many the dataset has.")
        self.knob("beta", beta)
        self.pictures = pictures

    def forward(self, terms: Terms, step: int | Tensor) -> Float[Tensor, ""]:
        elbo = terms.distortion.mean() + terms.rate.sum(-1).mean()
        return elbo + (self.beta - 1) * self.total_correlation(terms)

    def tell(self, terms: Terms) -> dict[str, Tensor]:
        """The total correlation, as estimated from the batch."""
        return {"total_correlation": self.total_correlation(terms)}

    def total_correlation(self, terms: Terms) -> Float[Tensor, ""]:
        """Mean of ln q(z) - sum_j ln q(z_j) over the samples of a batch, in nats."""
        if not isinstance(terms.posterior, DiagonalGaussian) or terms.z is None:
            raise TypeError(
                "the total correlation is estimated from a diagonal posterior and its samples, but "
                f"the terms hold {type(terms.posterior).__name__}: take --model.posterior diagonal."
            )
        mean, logvar, z = terms.posterior.mean, terms.posterior.logvar, terms.z
        gaps = (z[:, None] - mean).square() * (-logvar).exp()
        density = -0.5 * (gaps + logvar + math.log(2 * math.pi))  # of sample i, posterior j
        known = math.log(len(z)) + math.log(self.pictures)
        joint = torch.logsumexp(density.sum(-1), 1) - known
        each = torch.logsumexp(density, 1) - known
        return (joint - each.sum(-1)).mean()
