# SPDX-License-Identifier: Apache-2.0
"""VAEs by the name of their objective. Every term is in nats per image."""

from typing import Any, Literal

from disent.discrepancy import KernelName
from disent.models.vae import VAE
from disent.objectives.beta import BetaELBO
from disent.objectives.capacity import CapacityELBO
from disent.objectives.covariance import CovarianceELBO
from disent.objectives.discrepancy import DiscrepancyELBO
from disent.objectives.scheduled import ScheduledELBO
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


class DIPVAE(VAE):
    """The DIP-VAE: distortion + rate + lambda_od sum_(i != j) C_ij^2 + lambda_d sum_i (C_ii - 1)^2.

    C is the covariance of the posterior means (kind "i") or of the samples (kind "ii"). Kumar et
    al. (2018), "Variational Inference of Disentangled Latent Concepts from Unlabeled Observations",
    eqs. 6 and 7, https://arxiv.org/abs/1711.00848.

    Args:
        kind: i or ii.
        lambda_od: Weight of the covariances of different latents.
        lambda_d: Weight of the variances' distance from 1; None: 10 lambda_od for kind i, lambda_od
            for kind ii, as Locatello et al. (2019) take it.
        **vae: Network, likelihood and the rest, as `VAE` takes them.
    """

    strength = ("lambda_od", "lambda_od")
    named_by = ("kind", "lambda_od")

    def __init__(
        self,
        kind: Literal["i", "ii"] = "i",
        lambda_od: float = 10.0,
        lambda_d: float | None = None,
        **vae: Any,
    ) -> None:
        super().__init__(CovarianceELBO(kind, lambda_od, lambda_d), **vae)


class InfoVAE(VAE):
    """The InfoVAE: distortion + (1 - alpha) * rate + (alpha + lambda - 1) * MMD(q(z), N(0, I)).

    Zhao et al. (2017), "InfoVAE: Information Maximizing Variational Autoencoders",
    https://arxiv.org/abs/1706.02262. The maximum mean discrepancy is an unbiased estimate of the
    batch, which may be negative; see `disent.objectives.DiscrepancyELBO`.

    Args:
        alpha: 1 less the weight of the rate; at most 1.
        lambda_mmd: lambda of the paper, at least 1 - alpha.
        kernel: rbf: exp(-s / C); or imq: C / (C + s), of the squared distance s of two codes.
        bandwidth: b, C = 2 b^2 D.
        **vae: Network, likelihood and the rest, as `VAE` takes them.
    """

    strength = ("lambda_mmd", "lambda")
    named_by = ("alpha", "lambda_mmd")

    def __init__(
        self,
        alpha: float = 0.0,
        lambda_mmd: float = 1000.0,
        kernel: KernelName = "rbf",
        bandwidth: float = 1.0,
        **vae: Any,
    ) -> None:
        super().__init__(DiscrepancyELBO(alpha, lambda_mmd, kernel, bandwidth), **vae)


class ScheduledVAE(VAE):
    """The beta-VAE whose beta rises from 0 with the step, once or in cycles.

    Sonderby et al. (2016), "Ladder variational autoencoders", https://arxiv.org/abs/1602.02282, and
    Fu et al. (2019), "Cyclical Annealing Schedule", https://arxiv.org/abs/1903.10145. Any other
    objective is scheduled by `--model VAE --model.objective ScheduledELBO`.

    Args:
        beta: Weight of the rate that it rises to.
        over: Steps of the warm-up, or of a whole cycle.
        shape: linear: it rises once; or cyclic: over the first half of each cycle.
        **vae: Network, likelihood and the rest, as `VAE` takes them.
    """

    strength = ("beta", "beta")

    def __init__(
        self,
        beta: float = 4.0,
        over: int = 10_000,
        shape: Literal["linear", "cyclic"] = "linear",
        **vae: Any,
    ) -> None:
        super().__init__(ScheduledELBO(BetaELBO(beta), over, shape), **vae)
