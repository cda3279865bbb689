# SPDX-License-Identifier: Apache-2.0
"""The ELBO with weights on the rate and on how far the codes are from the prior, taken together."""

from jaxtyping import Float
from torch import Tensor

from disent.discrepancy import KernelName, discrepancy_from_normal
from disent.objectives.base import Objective, Terms


class DiscrepancyELBO(Objective):
    """distortion + (1 - alpha) * rate + (alpha + lambda - 1) * MMD(q(z), N(0, I)): the InfoVAE.

    Distortion and rate in nats. Zhao et al. (2017), "InfoVAE: Information Maximizing Variational
    Autoencoders", https://arxiv.org/abs/1706.02262. alpha = 0 with lambda = 1 is the
    ELBO; alpha = 1 leaves the rate out, and the pictures may say as much as they can (MMD-VAE).
    The MMD is the squared maximum mean discrepancy of the batch's samples z from the prior, whose
    expectations are integrals, see `disent.discrepancy`: no sample of the prior is drawn, and the
    estimate is unbiased over batches of independent pictures. It may be negative, and so may its
    part of the loss.

    Args:
        alpha: 1 less the weight of the rate; at most 1.
        lambda_mmd: lambda of the paper, at least 1 - alpha.
        kernel: rbf: exp(-s / C); or imq: C / (C + s), with heavier tails, of the squared distance s
            of two codes.
        bandwidth: b, C = 2 b^2 D. 1 makes C the mean squared distance of two samples of the prior,
            as Tolstikhin et al. (2018) take it for imq. The code published with the paper takes
            rbf with C = D^2, which is b = 2.2 for 10 latents, and the biased estimate.
    """

    strength = ("lambda_mmd", "lambda")
    alpha: Tensor
    lambda_mmd: Tensor
    bandwidth: Tensor

    def __init__(
        self,
        alpha: float = 0.0,
        lambda_mmd: float = 1000.0,
        kernel: KernelName = "rbf",
        bandwidth: float = 1.0,
    ) -> None:
        super().__init__()
        if not -float("inf") < alpha <= 1:
            raise ValueError(f"alpha must be <= 1, got {alpha}: 1 - alpha weighs the rate.")
        if not 1 - alpha <= lambda_mmd < float("inf"):
            raise ValueError(
                f"lambda_mmd must be >= 1 - alpha = {1 - alpha:g}, got {lambda_mmd}: the "
                "discrepancy is weighed by alpha + lambda - 1."
            )
        if kernel not in ("rbf", "imq"):
            raise ValueError(f"kernel must be 'rbf' or 'imq', got {kernel!r}.")
        if not 0 < bandwidth < float("inf"):
            raise ValueError(f"bandwidth must be > 0, got {bandwidth}. 1 is usual.")
        self.kernel: KernelName = kernel
        self.knob("alpha", alpha)
        self.knob("lambda_mmd", lambda_mmd)
        self.knob("bandwidth", bandwidth)

    def forward(self, terms: Terms, step: int | Tensor) -> Float[Tensor, ""]:
        elbo = terms.distortion.mean() + (1 - self.alpha) * terms.rate.sum(-1).mean()
        return elbo + (self.alpha + self.lambda_mmd - 1) * self.discrepancy(terms)

    def tell(self, terms: Terms) -> dict[str, Tensor]:
        """The discrepancy, without its weight."""
        return {"discrepancy": self.discrepancy(terms)}

    def discrepancy(self, terms: Terms) -> Float[Tensor, ""]:
        """MMD of the batch's samples from the prior, squared; no unit."""
        if terms.z is None:
            raise TypeError(
                "the discrepancy is that of samples, but the terms hold none: give "
                "Terms(distortion, rate, posterior, z)."
            )
        scale = terms.z.shape[1] ** 0.5
        return discrepancy_from_normal(terms.z, self.kernel, bandwidth=self.bandwidth * scale)
