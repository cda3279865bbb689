# SPDX-License-Identifier: Apache-2.0
"""Latents that take the values of a codebook of scalars: the nearest one, or one at random."""

import math
from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor

from disent.priors.base import uniform

SMALLEST = 1e-7  # uniform numbers keep this far from 0 and 1: their logarithms are finite


class Categorical(NamedTuple):
    """A batch of independent categorical distributions over the values of a codebook.

    Attributes:
        codebook: Float[D, V], or Float[1, V] where all latents share it.
        logits: Float[B, D, V].
    """

    codebook: Float[Tensor, "c v"]
    logits: Float[Tensor, "b d v"]

    @property
    def mean(self) -> Float[Tensor, "b d"]:
        """The likeliest values, which stand for the picture; not the expectation."""
        return chosen(self.codebook, self.logits.argmax(-1))

    @property
    def logvar(self) -> None:
        """None: it is no Gaussian."""
        return

    def sample(self, noise: Float[Tensor, "b d"]) -> Float[Tensor, "b d"]:
        """One value of each latent, drawn by its number from N(0, 1)."""
        below = self.logits.softmax(-1).cumsum(-1)[..., :-1]
        return chosen(self.codebook, (uniform(noise)[..., None] > below).sum(-1))

    def kl(self) -> Float[Tensor, "b d"]:
        """KL(q(z_j|x) || uniform over the codebook) of each latent, in nats."""
        logs = self.logits.log_softmax(-1)
        return (logs.exp() * logs).sum(-1) + math.log(self.logits.shape[-1])

    def relaxed(
        self, noise: Float[Tensor, "b dv"], temperature: float | Tensor
    ) -> Float[Tensor, "b d v"]:
        """Gumbel-softmax weights of the values, which sum to 1 for each latent.

        Jang et al. (2017), "Categorical Reparameterization with Gumbel-Softmax", eq. 2,
        https://arxiv.org/abs/1611.01144.

        Args:
            noise: From N(0, 1), a number for each value of each latent.
            temperature: Towards 0 one weight takes all, and that of each value as often as it is
                likely.
        """
        u = uniform(noise).clamp(SMALLEST, 1 - SMALLEST).view_as(self.logits)
        return ((self.logits - (-u.log()).log()) / temperature).softmax(-1)


def nearest(codebook: Float[Tensor, "c v"], z: Float[Tensor, "b d"]) -> Float[Tensor, "b d"]:
    """The values nearest to z, those of each latent from its own row or from the only one.

    Example:
        >>> nearest(torch.tensor([[-1.0, 0.0, 1.0]]), torch.tensor([[0.4, -3.0]]))
        tensor([[ 0., -1.]])
    """
    return chosen(codebook, (z[..., None] - codebook).abs().argmin(-1))


def chosen(codebook: Float[Tensor, "c v"], index: Int[Tensor, "b d"]) -> Float[Tensor, "b d"]:
    """The values at an index, by a sum that gives the same gradient on every device."""
    places = torch.arange(codebook.shape[-1], device=codebook.device)
    return (codebook * (places == index[..., None])).sum(-1)


def check_settings(values: int, **weights: float) -> None:
    """Raises ValueError unless there are values to choose from, and weights are finite, >= 0."""
    if values < 2:
        raise ValueError(
            f"values is {values}, but at least 2 for each latent are wanted: one tells nothing of "
            "a picture. 10 to 64 are usual."
        )
    for name, weight in weights.items():
        if not 0 <= weight < float("inf"):
            raise ValueError(f"{name} must be >= 0, got {weight}. Leave it out for the paper's.")
