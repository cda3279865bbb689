# SPDX-License-Identifier: Apache-2.0
"""Parts of a prior, one for each class: a petal of a flower, a stretch of a rolled-up band."""

from collections.abc import Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor

from disent.priors.base import Prior, uniform
from disent.priors.mixture import GaussianMixture
from disent.priors.swiss_roll import SwissRoll

EDGE = 1e-5  # share of a part at either end that no sample lies in, for the sake of float32


def of_part(
    noise: Float[Tensor, "b w"], part: Int[Tensor, "b"], parts: int
) -> Float[Tensor, "b w"]:
    """Noise whose samples lie on one of equally probable parts of a prior.

    Of GaussianMixture and SwissRoll the first number says where a sample lies, petal after petal or
    from the inside out: it comes to lie in one of as many stretches of equal probability.

    Args:
        noise: From N(0, 1), as the prior takes it.
        part: Of each sample, counted from 0; -1: the whole prior, the noise is left as it is.
        parts: How many there are.
    """
    share = uniform(noise[:, 0]).clamp(EDGE, 1 - EDGE)
    first = torch.special.ndtri((part.clamp(min=0) + share) / parts)
    return torch.cat([torch.where(part < 0, noise[:, 0], first)[:, None], noise[:, 1:]], 1)


def check_dimension(prior: Prior, latent_dim: int) -> None:
    """Raises ValueError unless a prior has as many latents as the code."""
    if prior.latent_dim != latent_dim:
        raise ValueError(
            f"the prior {type(prior).__name__} has {prior.latent_dim} latents, but the code has "
            f"{latent_dim}: take latent_dim {prior.latent_dim}, or a prior of {latent_dim}."
        )


def check_parts(prior: Prior, sizes: Sequence[int]) -> None:
    """Raises ValueError unless a prior has a part for every class of one label.

    Args:
        prior: To be shared out.
        sizes: Number of classes, of each label that is to choose a part.
    """
    if len(sizes) != 1:
        raise ValueError(
            f"the discriminator takes one label, but {len(sizes)} came: name one by conditions."
        )
    if not isinstance(prior, GaussianMixture | SwissRoll):
        raise ValueError(
            "labels to the discriminator give each class a part of the prior, but "
            f"{type(prior).__name__} has none: take GaussianMixture or SwissRoll."
        )
    if isinstance(prior, GaussianMixture) and prior.components % sizes[0]:
        raise ValueError(
            f"{prior.components} petals cannot be shared out evenly among {sizes[0]} classes: take "
            f"a GaussianMixture of {sizes[0]} components."
        )
