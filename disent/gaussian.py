# SPDX-License-Identifier: Apache-2.0
"""Posteriors q(z|x): a diagonal Gaussian, one with all its covariances, and a point."""

import math
from typing import NamedTuple, Protocol, Self, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor

LOG_2_PI = math.log(2 * math.pi)
ACTIVE = 0.01  # nats: a latent of a higher rate counts as active (Duan et al., 2020, the UDR paper)


@runtime_checkable
class Posterior(Protocol):
    """What an encoder gives of a batch of pictures.

    One that has a density gives it as `log_prob(z)`, as the Gaussians below do.

    Attributes:
        mean: Float[B, D].
        logvar: Float[B, D], natural logarithm of the variances; None where these alone do not make
            the distribution.
    """

    @property
    def mean(self) -> Float[Tensor, "b d"]: ...
    @property
    def logvar(self) -> Float[Tensor, "b d"] | None: ...
    def sample(self, noise: Float[Tensor, "b d"]) -> Float[Tensor, "b d"]:
        """One draw of each, from `noise` that the caller draws from N(0, 1)."""
        ...

    def kl(self) -> Float[Tensor, "b d"] | None:
        """KL divergence from the prior in nats, a part for each latent; None where there is none.

        The prior is N(0, 1); of latents that take the values of a codebook, uniform over these.
        """
        ...


class DiagonalGaussian(NamedTuple):
    """A batch of diagonal Gaussians over D latents.

    Attributes:
        mean: Float[B, D].
        logvar: Float[B, D], natural logarithm of the variance.
    """

    mean: Float[Tensor, "b d"]
    logvar: Float[Tensor, "b d"]

    def sample(self, noise: Float[Tensor, "b d"]) -> Float[Tensor, "b d"]:
        """z = mean + std * noise, with `noise` drawn by the caller from N(0, 1)."""
        return self.mean + (0.5 * self.logvar).exp() * noise

    def kl(self) -> Float[Tensor, "b d"]:
        """KL(q(z_j|x) || N(0, 1)) of each latent, in nats (Kingma & Welling, 2014, appendix B)."""
        return 0.5 * (self.mean.square() + self.logvar.exp() - 1 - self.logvar)

    def divergence(self, other: Self) -> Float[Tensor, "b d"]:
        """KL(self || other) of each latent, in nats; of equal ones exactly 0."""
        away = (self.mean - other.mean).square() * (-other.logvar).exp()
        ratio = self.logvar - other.logvar  # of the variances, as a logarithm
        return 0.5 * (away + ratio.expm1() - ratio)

    def log_prob(self, z: Float[Tensor, "*k b d"]) -> Float[Tensor, "*k b"]:
        """log q(z|x) in nats, of one z for each of the batch, or of k; in the precision of z."""
        away = (z - self.mean).square() * (-self.logvar).exp()
        return -0.5 * (away + self.logvar + LOG_2_PI).sum(-1)


class FullGaussian(NamedTuple):
    """A batch of Gaussians over D latents with all their covariances: N(mean, L L^T).

    Attributes:
        mean: Float[B, D].
        cholesky: Float[B, D, D], L: lower triangular, its diagonal positive.
    """

    mean: Float[Tensor, "b d"]
    cholesky: Float[Tensor, "b d d"]

    @classmethod
    def numbers(cls, d: int) -> int:
        """How many numbers describe one of D latents: mean, logarithms of L's diagonal, the rest.

        Example:
            >>> FullGaussian.numbers(10)
            65
        """
        return d + d * (d + 1) // 2

    @classmethod
    def of(cls, numbers: Float[Tensor, "b n"], d: int) -> Self:
        """From what an encoder gives: D means, D logarithms of L's diagonal, L below it by rows."""
        mean, diagonal, below = numbers.split([d, d, d * (d - 1) // 2], -1)
        row, column = torch.tril_indices(d, d, -1, device=numbers.device)
        place = torch.zeros(len(row), d * d, dtype=numbers.dtype, device=numbers.device)
        place[torch.arange(len(row), device=numbers.device), row * d + column] = 1
        with torch.autocast(numbers.device.type, enabled=False):  # a posterior is float32
            lower = (below @ place).unflatten(-1, (d, d))  # a product: stacked and captured as such
        return cls(mean, lower + torch.diag_embed(diagonal.exp()))

    @property
    def logvar(self) -> None:
        """None: variances alone do not make this distribution."""
        return

    def sample(self, noise: Float[Tensor, "b d"]) -> Float[Tensor, "b d"]:
        """z = mean + L noise, with `noise` drawn by the caller from N(0, 1)."""
        return self.mean + (self.cholesky * noise[..., None, :]).sum(-1)

    def kl(self) -> Float[Tensor, "b d"]:
        """Parts of KL(q(z|x) || N(0, 1)) = (tr S + |m|^2 - D - ln det S) / 2, S = L L^T, in nats.

        Part j is the mean of KL(q(z_j | z_1 .. z_(j-1), x) || N(0, 1)), the chain rule's term: no
        part is negative, together they are the whole, and without covariances they are the rates of
        the diagonal Gaussian.
        """
        variance = self.cholesky.square().sum(-1)
        left = self.cholesky.diagonal(dim1=-2, dim2=-1)  # of z_j when those before it are known
        return 0.5 * (self.mean.square() + variance - 1 - 2 * left.log())

    def log_prob(self, z: Float[Tensor, "*k b d"]) -> Float[Tensor, "*k b"]:
        """log q(z|x) in nats, of one z for each of the batch, or of k; in the precision of z."""
        away, lower = (z - self.mean)[..., None], self.cholesky.to(z.dtype)
        noise = torch.linalg.solve_triangular(lower, away, upper=False)[..., 0]
        scale = lower.diagonal(dim1=-2, dim2=-1).log().sum(-1)
        return -0.5 * (noise.square() + LOG_2_PI).sum(-1) - scale


class PointMass(NamedTuple):
    """A batch of points: the code of an encoder that does not say how sure it is.

    Attributes:
        mean: Float[B, D].
    """

    mean: Float[Tensor, "b d"]

    @property
    def logvar(self) -> None:
        """None: a point has no variance."""
        return

    def sample(self, noise: Float[Tensor, "b d"]) -> Float[Tensor, "b d"]:
        """The point itself, whatever the noise."""
        return self.mean

    def kl(self) -> None:
        """None: the rate of a point is infinite."""
        return
