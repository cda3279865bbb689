# SPDX-License-Identifier: Apache-2.0
"""The ELBO with a weight on how far the covariance of the code is from that of its prior."""

from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from disent.gaussian import DiagonalGaussian, FullGaussian
from disent.objectives.base import Objective, Terms

RATIO = {"i": 10.0, "ii": 1.0}  # lambda_d of each lambda_od, as Locatello et al. (2019) take it


class CovarianceELBO(Objective):
    """distortion + rate in nats, + lambda_od sum_(i != j) C_ij^2 + lambda_d sum_i (C_ii - 1)^2.

    The DIP-VAE, whose C is the covariance of the posterior means over the batch (kind "i"), or of
    the samples: that of the means and the mean covariance of the posteriors (kind "ii"). Kumar et
    al. (2018), "Variational Inference of Disentangled Latent Concepts from Unlabeled Observations",
    eqs. 6 and 7, https://arxiv.org/abs/1711.00848. Covariances are divided by the number of
    pictures, not by one less.

    Args:
        kind: i or ii.
        lambda_od: Weight of the covariances of different latents.
        lambda_d: Weight of the variances' distance from 1; None: 10 lambda_od for kind i, lambda_od
            for kind ii, as Locatello et al. (2019) take it, https://arxiv.org/abs/1811.12359.
    """

    strength = ("lambda_od", "lambda_od")
    lambda_od: Tensor
    lambda_d: Tensor

    def __init__(
        self,
        kind: Literal["i", "ii"] = "i",
        lambda_od: float = 10.0,
        lambda_d: float | None = None,
    ) -> None:
        super().__init__()
        if kind not in RATIO:
            raise ValueError(f"kind must be 'i' or 'ii', got {kind!r}.")
        lambda_d = RATIO[kind] * lambda_od if lambda_d is None else lambda_d
        for name, value in (("lambda_od", lambda_od), ("lambda_d", lambda_d)):
            if not 0 <= value < float("inf"):
                raise ValueError(f"{name} must be >= 0, got {value}. 0 leaves the term out.")
        self.kind = kind
        self.knob("lambda_od", lambda_od)
        self.knob("lambda_d", lambda_d)

    def forward(self, terms: Terms, step: int | Tensor) -> Float[Tensor, ""]:
        off, diagonal = self._away(terms)
        elbo = terms.distortion.mean() + terms.rate.sum(-1).mean()
        return elbo + self.lambda_od * off + self.lambda_d * diagonal

    def tell(self, terms: Terms) -> dict[str, Tensor]:
        """Both sums of squares, without their weights."""
        off, diagonal = self._away(terms)
        return {"covariance_off_diagonal": off, "covariance_diagonal": diagonal}

    def _away(self, terms: Terms) -> tuple[Float[Tensor, ""], Float[Tensor, ""]]:
        """Sums of squares of C - I: off the diagonal, and on it."""
        covariance = self.covariance(terms)
        one = torch.eye(len(covariance), dtype=covariance.dtype, device=covariance.device)
        away = (covariance - one).square()
        return (away * (1 - one)).sum(), (away * one).sum()

    def covariance(self, terms: Terms) -> Float[Tensor, "d d"]:
        """C, of the batch."""
        q = terms.posterior
        if q is None:
            raise TypeError(
                "the covariance of the code is that of posteriors, but the terms hold none: give "
                "Terms(distortion, rate, posterior)."
            )
        away = q.mean - q.mean.mean(0)
        # sums of products: float32 under autocast, where a matrix product is not
        of_means = (away[:, :, None] * away[:, None]).mean(0)
        if self.kind == "i":
            return of_means
        if isinstance(q, DiagonalGaussian):
            return of_means + torch.diag_embed(q.logvar.exp().mean(0))
        if isinstance(q, FullGaussian):
            rows = q.cholesky
            return of_means + (rows[:, :, None] * rows[:, None]).sum(-1).mean(0)
        raise TypeError(
            f"the covariance of samples wants a Gaussian posterior, but {type(q).__name__} came: "
            "take kind i, which is of the means alone."
        )
