# SPDX-License-Identifier: Apache-2.0
"""Encoder and decoder of a model as two functions of tensors."""

import copy
from typing import Any

from jaxtyping import Float, Int
from torch import Tensor, nn

from disent.gaussian import FullGaussian, Posterior
from disent.networks.base import Linear32
from disent.networks.deconvolution import Deconvolution

ORDINARY = {Linear32: nn.Linear, Deconvolution: nn.ConvTranspose2d}  # the same weights and values


class Encoder(nn.Module):
    """From pictures [B, C, H, W] in [0, 1] to the numbers of their posteriors, see `codes_of`.

    Args:
        model: Whose encoder it is; one with conditions is told factors [B, K], -1 where one is not
            known.
    """

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model = model

    def forward(
        self, x: Float[Tensor, "b c h w"], factors: Int[Tensor, "b k"] | None = None
    ) -> tuple[Tensor, ...]:
        return tuple(codes_of(self.model.given(factors).encode(x)).values())


class Decoder(nn.Module):
    """From latents [B, D] to the likelihood's parameters, and to pictures [B, C, H, W] in [0, 1].

    Args:
        model: Whose decoder it is; one with conditions is told factors, too.
    """

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model = model

    def forward(
        self, z: Float[Tensor, "b d"], factors: Int[Tensor, "b k"] | None = None
    ) -> tuple[Tensor, Tensor]:
        given = self.model.given(factors)
        parameters = given.decode(z)
        likelihood = getattr(self.model, "likelihood", None)
        return parameters, given.picture(z) if likelihood is None else likelihood.mean(parameters)


def ordinary(module: nn.Module) -> nn.Module:
    """A copy whose layers are all the library's own, which programs have operators for."""
    found = copy.deepcopy(module)
    for part in found.modules():
        part.__class__ = ORDINARY.get(type(part), type(part))
    return found


def codes_of(q: Posterior) -> dict[str, Tensor]:
    """What a posterior is made of, by name: `mean`, and `logvar` or `cholesky` where it has one.

    Example:
        >>> import torch
        >>> from disent.gaussian import PointMass
        >>> list(codes_of(PointMass(torch.zeros(1, 2))))
        ['mean']
    """
    found = {"mean": q.mean}
    if q.logvar is not None:
        found["logvar"] = q.logvar
    if isinstance(q, FullGaussian):
        found["cholesky"] = q.cholesky
    return found
