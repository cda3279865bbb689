# SPDX-License-Identifier: Apache-2.0
"""The conditional VAE: encoder and decoder are told factors, so that the code holds the rest."""

from collections.abc import Callable, Sequence
from typing import Any, cast

import torch
from jaxtyping import Float, Int
from torch import Tensor

from disent.data.base import Batch
from disent.gaussian import DiagonalGaussian, FullGaussian, Posterior
from disent.models.base import Noise, Told, Update
from disent.models.conditions import Given, columns_of, one_hot
from disent.models.vae import VAE
from disent.networks.base import Network, make_network
from disent.networks.locatello import Locatello2019
from disent.objectives.base import Objective


class ConditionalVAE(VAE):
    """distortion + rate, of p(x|z, y) and q(z|x, y), for pictures whose factors y are known.

    Sohn et al. (2015), "Learning structured output representation using deep conditional
    generative models", eq. 4, https://papers.nips.cc/paper/5775; with the prior N(0, 1) whatever
    the condition, as in Kingma et al. (2014), https://arxiv.org/abs/1406.5298. The encoder sees
    the condition as constant planes beside the colours, the decoder beside the latents, one-hot
    each; a factor that is not known (-1) is all zeros.

    Args:
        conditions: Names of factors or labels, commas between them; None: all of the dataset's.
        objective: What a step minimises; None: the ELBO.
        network: Encoder and decoder, by the name of their paper.
        factor_names: Of all factors; on the command line, those of the dataset.
        factor_sizes: How many values each takes; on the command line, those of the dataset.
        **vae: Likelihood and the rest, as `VAE` takes them.
    """

    updates = (Update("step_loss"),)
    labels = True

    def __init__(
        self,
        conditions: list[str] | str | None = None,
        objective: Objective | None = None,
        network: Callable[[int, int, int], Network] = Locatello2019,
        factor_names: Sequence[str] = (),
        factor_sizes: Sequence[int] = (),
        **vae: Any,
    ) -> None:
        super().__init__(objective, network, **vae)
        self.conditions = columns_of(conditions, factor_names)
        self.factor_names, self.factor_sizes = tuple(factor_names), tuple(factor_sizes)
        told = sum(factor_sizes[k] for k in self.conditions)
        d, outputs = self.latent_dim, self.likelihood.outputs
        numbers = FullGaussian.numbers(d) if self.posterior == "full" else 2 * d
        with self.seeded("conditional"):
            encodes = make_network(network, self.channels + told, d, outputs, self.size, numbers)
            decodes = make_network(network, self.channels, d + told, outputs, self.size)
        self.network.encoder, self.network.decoder = encodes.encoder, decodes.decoder

    def given(self, factors: Int[Tensor, "b k"] | None) -> Given:
        return Given(self, factors)

    def step_loss(
        self, batch: Batch, noise: Noise, step: int | Tensor
    ) -> tuple[Float[Tensor, ""], Told]:
        """The objective of a batch, each picture with its own factors, and its terms."""
        given = cast(Any, self.given(batch.factors))
        terms = VAE.terms(given, batch.x, noise["posterior"])
        return self.objective(terms, step), self.told(terms)

    def told_of(self, factors: Int[Tensor, "b k"] | None, rows: int) -> Float[Tensor, "b n"]:
        """The condition as encoder and decoder see it."""
        return one_hot(factors, self.conditions, self.factor_sizes, rows).to(self.device)

    def encode(
        self, x: Float[Tensor, "b c h w"], factors: Int[Tensor, "b k"] | None = None
    ) -> Posterior:
        """The posterior q(z|x, y), in float32, of pictures in [0, 1]."""
        planes = self.told_of(factors, x.shape[0])[:, :, None, None]
        planes = planes.expand(-1, -1, *x.shape[2:]).to(x.dtype)
        numbers = self.network.encoder(torch.cat([x, planes], 1)).float()
        if self.posterior == "full":
            return FullGaussian.of(numbers, self.latent_dim)
        return DiagonalGaussian(*numbers.chunk(2, -1))

    def decode(
        self, z: Float[Tensor, "b d"], factors: Int[Tensor, "b k"] | None = None
    ) -> Float[Tensor, "b o h w"]:
        """The likelihood's parameters for latents z and factors."""
        told = self.told_of(factors, z.shape[0]).to(z.dtype)
        return self.network.decode(torch.cat([z, told], 1))
