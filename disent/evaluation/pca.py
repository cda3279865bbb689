# SPDX-License-Identifier: Apache-2.0
"""Probabilistic PCA of the pixels: the linear baseline beside every score of an encoder."""

import math
from dataclasses import dataclass
from typing import Self

import torch
from jaxtyping import Float
from torch import Tensor

from disent.data.base import PictureDataset
from disent.gaussian import DiagonalGaussian

BATCH, SPARE, PASSES = 512, 10, 8  # pictures at once; extra directions; passes over the pictures


@dataclass(frozen=True)
class PixelPCA:
    """The posterior of probabilistic PCA, whose latents have the prior N(0, 1) as a VAE's have.

    With the d largest eigenvalues l_j of the pixels' covariance, their directions u_j and s the
    mean of the other eigenvalues: mean_j = sqrt(l_j - s) / l_j * u_j . (x - m), variance s / l_j
    (Tipping & Bishop, 1999, "Probabilistic principal component analysis", section 3.2; the
    posterior is diagonal in these axes). The means are the principal components, rescaled. A
    direction of no variance has mean 0 and variance 1.

    Attributes:
        centre: float32 [p], the mean picture, with the p values of a picture in a row.
        projection: float32 [p, d].
        logvar: float32 [d].
        eigenvalues: float64 [d], falling.
    """

    centre: Float[Tensor, "p"]
    projection: Float[Tensor, "p d"]
    logvar: Float[Tensor, "d"]
    eigenvalues: Float[Tensor, "d"]

    @classmethod
    def fit(cls, dataset: PictureDataset, components: int) -> Self:
        """Fits to every picture of `dataset`, by subspace iteration; memory does not grow with it.

        Args:
            dataset: The pictures; 50,000 of 64 x 64 take about 3 seconds on two cores.
            components: How many directions d.
        Raises:
            ValueError: There are fewer than two pictures, or more directions than values.
        References:
            Halko et al. (2011), "Finding structure with randomness", section 4.5,
            https://arxiv.org/abs/0909.4061.
        """
        values = dataset.batch(torch.arange(1)).numel()
        if len(dataset) < 2 or not 1 <= components <= values:
            raise ValueError(
                f"got {components} components and {len(dataset)} pictures of {values} values. "
                "At least two pictures, and 1 to as many components as values, are wanted."
            )
        centre, total = _moments(dataset, values)
        generator = torch.Generator().manual_seed(0)
        width = min(components + SPARE, values)
        basis = torch.randn(values, width, generator=generator)
        for _ in range(PASSES):
            basis = torch.linalg.qr(_covariance_times(dataset, centre, basis))[0].float()
        small = basis.double().T @ _covariance_times(dataset, centre, basis)
        eigenvalues, rotation = torch.linalg.eigh((small + small.T) / 2)
        eigenvalues = eigenvalues.flip(0)[:components].clamp(min=0)
        directions = basis.double() @ rotation.flip(1)[:, :components]
        rest = max(values - components, 1)
        noise = float((total - eigenvalues.sum()).clamp(min=0)) / rest
        noise = max(noise, 1e-9 * float(eigenvalues[0]), 1e-12)
        eigenvalues = eigenvalues.clamp(min=noise)
        scale = (eigenvalues - noise).sqrt() / eigenvalues
        logvar = (noise / eigenvalues).log().float()
        return cls(centre.float(), (directions * scale).float(), logvar, eigenvalues)

    def encode(self, x: Float[Tensor, "b c h w"], /) -> DiagonalGaussian:
        """The posterior of pictures in [0, 1]."""
        mean = (x.flatten(1) - self.centre.to(x.device)) @ self.projection.to(x.device)
        return DiagonalGaussian(mean, self.logvar.to(x.device).expand_as(mean))

    def log_prob(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b"]:
        """The exact log-density of pictures in [0, 1], float64; nats per image.

        That of N(x; m, sum_j (l_j - s) u_j u_j^T + s I), by the eigenvalues of its covariance.
        """
        values, d = len(self.centre), len(self.eigenvalues)
        mean, logvar = (part.double() for part in self.encode(x))
        noise = float(self.eigenvalues[-1] * logvar[0, -1].exp())
        away = (x.flatten(1) - self.centre.to(x.device)).double().square().sum(1) / noise
        away -= (mean.square() * (-logvar).exp()).sum(1)
        scale = float(self.eigenvalues.log().sum()) + (values - d) * math.log(noise)
        return -0.5 * (away + scale + values * math.log(2 * math.pi))


def _moments(dataset: PictureDataset, values: int) -> tuple[Float[Tensor, "p"], Float[Tensor, ""]]:
    """The mean picture, and the summed variance of its values; float64."""
    sums, squares = torch.zeros(values).double(), torch.zeros(()).double()
    for index in torch.arange(len(dataset)).split(BATCH):
        x = dataset.batch(index).flatten(1)
        sums += x.sum(0)
        squares += x.square().sum()
    centre = sums / len(dataset)
    return centre, squares / len(dataset) - centre.square().sum()


def _covariance_times(
    dataset: PictureDataset, centre: Float[Tensor, "p"], basis: Float[Tensor, "p w"]
) -> Float[Tensor, "p w"]:
    """The pixels' covariance times `basis`, in float64, without forming the covariance."""
    product, shift = torch.zeros(basis.shape).double(), centre.float()
    for index in torch.arange(len(dataset)).split(BATCH):
        x = dataset.batch(index).flatten(1) - shift
        product += x.T @ (x @ basis)
    return product / len(dataset)
