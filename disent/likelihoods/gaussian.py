# SPDX-License-Identifier: Apache-2.0
"""Independent Gaussian pixels, with a fixed or a learned standard deviation."""

import math
from typing import Literal

from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import softplus

from disent.likelihoods.base import Likelihood

LOG_2_PI = math.log(2 * math.pi)


class FixedGaussian(Likelihood):
    """log N(x; mean, sigma^2), with its 1/2 and its constant; the decoder gives the mean.

    A sum of squares without the 1/2, as some implementations use, is sigma = 1/sqrt(2).

    Args:
        sigma: Standard deviation of a pixel; pixels lie in [0, 1].
    """

    def __init__(self, sigma: float = 0.1) -> None:
        super().__init__()
        if not sigma > 0:
            raise ValueError(f"sigma must be > 0, got {sigma}. Pixels lie in [0, 1]: 0.1 is usual.")
        self.sigma = sigma

    def log_prob(
        self, x: Float[Tensor, "b c h w"], parameters: Float[Tensor, "b o h w"]
    ) -> Float[Tensor, "b"]:
        constant = 0.5 * LOG_2_PI + math.log(self.sigma)
        return -(0.5 * ((x - parameters) / self.sigma).square() + constant).sum((1, 2, 3))

    def mean(self, parameters: Float[Tensor, "b o h w"]) -> Float[Tensor, "b c h w"]:
        return parameters.clamp(0, 1)


class LearnedGaussian(Likelihood):
    """log N(x; mean, sigma^2), where the decoder gives mean and sigma.

    sigma = floor + softplus(raw), so a density can never exceed 1 / (floor * sqrt(2 pi)) per pixel
    and the log-likelihood cannot run away to infinity on pixels that never change.

    Args:
        per: "pixel": one sigma per pixel and channel. "image": one per image, from the average of
            the raw values (cf. Rybkin et al., 2021, "Simple and effective VAE training with
            calibrated decoders", section 3).
        floor: The smallest standard deviation; half a grey level is 1/512.
    """

    outputs = 2

    def __init__(self, per: Literal["image", "pixel"] = "image", floor: float = 0.01) -> None:
        super().__init__()
        if per not in ("image", "pixel"):
            raise ValueError(f"per must be 'image' or 'pixel', got {per!r}.")
        if not floor > 0:
            raise ValueError(
                f"floor must be > 0, got {floor}. Without it the density of a constant pixel "
                "grows without bound; 0.01 is usual."
            )
        self.per, self.floor = per, floor

    def sigma(self, raw: Float[Tensor, "b c h w"]) -> Float[Tensor, "b *s"]:
        """Standard deviations from the second half of the decoder's output."""
        if self.per == "image":
            raw = raw.mean((1, 2, 3), keepdim=True)
        return self.floor + softplus(raw)

    def log_prob(
        self, x: Float[Tensor, "b c h w"], parameters: Float[Tensor, "b o h w"]
    ) -> Float[Tensor, "b"]:
        mean, raw = parameters.chunk(2, dim=1)
        sigma = self.sigma(raw)
        density = 0.5 * ((x - mean) / sigma).square() + sigma.log() + 0.5 * LOG_2_PI
        return -density.sum((1, 2, 3))

    def mean(self, parameters: Float[Tensor, "b o h w"]) -> Float[Tensor, "b c h w"]:
        return parameters.chunk(2, dim=1)[0].clamp(0, 1)
