# SPDX-License-Identifier: Apache-2.0
"""Posteriors of two pictures: which latents are alike, their average and their product."""

import math

import torch
from jaxtyping import Bool
from torch import Tensor

from disent.gaussian import DiagonalGaussian


def alike(
    one: DiagonalGaussian, other: DiagonalGaussian, changed: int | None = None
) -> Bool[Tensor, "b d"]:
    """Which latents of two pictures are taken to be the same, by KL(one || other) of each.

    Args:
        one: Posteriors of the first pictures.
        other: Of the second ones.
        changed: All but so many, those farthest apart; None: those not above the middle between
            the least and the greatest divergence of the pair, which are all where none differs.
    Example:
        >>> mean, logvar = torch.tensor([[0.0, 1.0, 3.0]]), torch.zeros(1, 3)
        >>> q, p = DiagonalGaussian(mean, logvar), DiagonalGaussian(logvar, logvar)
        >>> alike(q, p).tolist()  # divergences 0, 0.5, 4.5: the middle is 2.25
        [[True, True, False]]
    """
    apart = one.divergence(other)
    if changed is not None:
        return apart.argsort(1).argsort(1) < apart.shape[1] - changed
    return apart <= (apart.amax(1, keepdim=True) + apart.amin(1, keepdim=True)) / 2


def average(one: DiagonalGaussian, other: DiagonalGaussian) -> DiagonalGaussian:
    """The mean of the means, and of the variances."""
    logvar = torch.logaddexp(one.logvar, other.logvar) - math.log(2)
    return DiagonalGaussian((one.mean + other.mean) / 2, logvar)


def product(one: DiagonalGaussian, other: DiagonalGaussian) -> DiagonalGaussian:
    """The product of both densities, as a density: precisions add, and weigh the means."""
    weight = (other.logvar - one.logvar).sigmoid()  # of the first
    mean = weight * one.mean + (1 - weight) * other.mean
    return DiagonalGaussian(mean, -torch.logaddexp(-one.logvar, -other.logvar))
