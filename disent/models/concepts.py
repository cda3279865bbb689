# SPDX-License-Identifier: Apache-2.0
"""Concepts: the networks from symbols to distributions over latents, and back."""

from collections.abc import Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from disent.gaussian import DiagonalGaussian
from disent.models.conditions import one_hot
from disent.models.symbols import coarse, coarse_sizes
from disent.networks.base import dense


class Concepts(nn.Module):
    """q(z|y), a diagonal Gaussian, and p(y|z), a categorical distribution for each factor.

    Args:
        names: Of K factors or labels.
        factor_sizes: How many values each takes in pictures.
        coarseness: Values of a factor in symbols, at most; None: all.
        latent_dim: Number of latents D.
        width: Of the two hidden layers of either network.
    Attributes:
        sizes: How many values each factor has in symbols.
    """

    def __init__(
        self,
        names: Sequence[str],
        factor_sizes: Sequence[int],
        coarseness: int | None,
        latent_dim: int,
        width: int,
    ) -> None:
        super().__init__()
        self.names, self.factor_sizes = tuple(names), tuple(factor_sizes)
        self.sizes = coarse_sizes(factor_sizes, coarseness)
        n, d = sum(self.sizes), latent_dim
        self.encoder = nn.Sequential(*dense([n, width, width, 2 * d], nn.ReLU, -1))
        self.decoder = nn.Sequential(*dense([d, width, width, n], nn.ReLU, 0))

    def forward(self, symbols: Int[Tensor, "b k"]) -> DiagonalGaussian:
        """q(z|y) of symbols, in float32."""
        said = one_hot(symbols, range(len(self.sizes)), self.sizes, len(symbols))
        return DiagonalGaussian(*self.encoder(said).float().chunk(2, -1))

    def symbols(self, factors: Int[Tensor, "b k"] | None) -> Int[Tensor, "b k"]:
        """All that can be said of pictures: factor values, made coarse; -1 for an unknown one."""
        if factors is None:
            raise ValueError(
                "symbols want the factors or labels of the pictures, but a batch came without: "
                "take a dataset that has some, or give (pictures, labels)."
            )
        return coarse(factors, self.factor_sizes, self.sizes)

    def symbol(self, **said: int) -> Int[Tensor, "1 k"]:
        """The symbol that says the named values, such as symbol(scale=3), and nothing else."""
        sizes = dict(zip(self.names, self.sizes, strict=True))
        for name, value in said.items():
            if name not in sizes or not 0 <= value < sizes[name]:
                raise ValueError(
                    f"no symbol says {name} {value}: the factors, with how many values each has in "
                    f"symbols, are {sizes}."
                )
        device = next(self.parameters()).device
        return torch.tensor([[said.get(name, -1) for name in self.names]], device=device)

    def probabilities(self, z: Float[Tensor, "b d"]) -> list[Float[Tensor, "b n"]]:
        """p(y_k|z) of every factor k."""
        return [logits.softmax(-1) for logits in self._logits(z)]

    def distortion(
        self, symbols: Int[Tensor, "b k"], z: Float[Tensor, "b d"]
    ) -> Float[Tensor, "b"]:
        """-log p(y|z) in nats, summed over the factors that a symbol says."""
        missed = [
            cross_entropy(logits, symbols[:, k], ignore_index=-1, reduction="none")
            for k, logits in enumerate(self._logits(z))
        ]
        return torch.stack(missed).sum(0)

    def likeliest(self, z: Float[Tensor, "b d"]) -> Int[Tensor, "b k"]:
        """The likeliest value of every factor at latents z."""
        return torch.stack([logits.argmax(-1) for logits in self._logits(z)], 1)

    def read(self, concept: DiagonalGaussian, noise: Float[Tensor, "s b d"]) -> Int[Tensor, "b k"]:
        """What distributions over latents say: the likeliest values; -1 where none is likely.

        Likely is, for a factor of n values, a probability above (1 + 1/n) / 2, halfway from
        chance to certainty, on average over draws of z.

        Args:
            concept: Such as q(z|y), or what an operator makes of two of them.
            noise: From N(0, 1), of s draws.
        """
        drawn = concept.sample(noise).flatten(0, 1)
        said = []
        for probabilities in self.probabilities(drawn):
            likely, value = probabilities.unflatten(0, noise.shape[:2]).mean(0).max(-1)
            halfway = (1 + 1 / probabilities.shape[-1]) / 2
            said.append(torch.where(likely > halfway, value, -1))
        return torch.stack(said, 1)

    def _logits(self, z: Float[Tensor, "b d"]) -> tuple[Float[Tensor, "b n"], ...]:
        return self.decoder(z).float().split(self.sizes, -1)
