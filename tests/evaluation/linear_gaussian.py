# SPDX-License-Identifier: Apache-2.0
"""A linear-Gaussian VAE whose log p(x) is known, and pictures that it might have drawn."""

from typing import Any

import torch
from jaxtyping import Int, UInt8
from torch import Tensor
from torch.distributions import MultivariateNormal

from disent.data.base import PictureDataset
from disent.likelihoods import FixedGaussian
from disent.models import VAE
from disent.networks import Linear

SIZE, D, SIGMA = (4, 5), 3, 0.05
PIXELS = SIZE[0] * SIZE[1]
# columns that are no multiples of each other, nor orthogonal
W = 0.15 * torch.randn(PIXELS, D, generator=torch.Generator().manual_seed(1)).double()
MEAN = torch.linspace(0.4, 0.6, PIXELS).double()
EXACT = MultivariateNormal(MEAN, W @ W.T + SIGMA**2 * torch.eye(PIXELS).double())
# the true posterior: N(A (x - mean), S) with S = (I + W^T W / sigma^2)^-1 and A = S W^T / sigma^2
S = torch.linalg.inv(torch.eye(D).double() + W.T @ W / SIGMA**2)
A = S @ W.T / SIGMA**2


class Drawn(PictureDataset):
    """48 pictures that the model might have drawn, to the nearest of 256 grey levels."""

    channels, size = 1, SIZE

    def __init__(self) -> None:
        generator = torch.Generator().manual_seed(2)
        z, noise = (torch.randn(48, n, generator=generator).double() for n in (D, PIXELS))
        pictures = (MEAN + z @ W.T + SIGMA * noise).clamp(0, 1)
        self.pictures = (255 * pictures).round().to(torch.uint8).view(48, 1, *SIZE)

    @property
    def fingerprint(self) -> str:
        return "drawn-of-the-tests"

    def __len__(self) -> int:
        return 48

    def images(self, index: Int[Tensor, "b"]) -> UInt8[Tensor, "b c h w"]:
        return self.pictures[index]


DATA, ROWS = Drawn(), torch.arange(48)
TRUTH = EXACT.log_prob(DATA.batch(ROWS).flatten(1).double())


def linear(
    covariance: Tensor = S, *, posterior: Any = "full", shift: float = 0.0, seed: int = 0
) -> VAE:
    """The model of W, whose posterior is N(A (x - mean) + shift, covariance), or its diagonal."""
    model = VAE(
        network=Linear, likelihood=FixedGaussian(SIGMA), latent_dim=D, size=SIZE,
        posterior=posterior, seed=seed,
    )  # fmt: skip
    lower = torch.linalg.cholesky(covariance)
    numbers = [lower.diagonal().log(), lower[1, :1], lower[2, :2]]
    if posterior == "diagonal":
        numbers = [covariance.diagonal().log()]
    spread = torch.cat(numbers)
    values = {
        "decoder.0.weight": W,
        "decoder.0.bias": MEAN,
        "encoder.1.weight": torch.cat([A, torch.zeros(len(spread), PIXELS).double()]),
        "encoder.1.bias": torch.cat([shift - A @ MEAN, spread]),
    }
    model.load_state_dict({f"network.{name}": value for name, value in values.items()})
    return model
