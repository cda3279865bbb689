# SPDX-License-Identifier: Apache-2.0
"""Minimality and sufficiency: scores that keep their meaning where factors depend on each other."""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from disent.metrics.arrays import takes_arrays
from disent.metrics.information import entropy, equal_width, factor_entropy, mutual_information
from disent.metrics.samples import varying


@takes_arrays
def minimality(
    codes: Float[Tensor, "n d"], factors: Int[Tensor, "n k"], *, bins: int = 15
) -> Float[Tensor, ""]:
    """How much of what a latent holds is of one factor, averaged over latents; 0 worst, 1 best.

    The share of latent j is max_k I(z_j; v_k) / H(z_j): 1 where the factor decides the latent,
    less where it holds other factors, or noise. Read it beside `sufficiency`, since a latent may
    hold one factor only and little of it.

    Neither compares a best with a second best. Where factors depend on each other, a perfect code
    knows the second factor through the first, and gaps such as `mig` punish that; these two still
    give it 1. Read them on correlated splits.

    Information and entropies are of `bins` equal-width bins, as in `mig`, and depend on their
    number: a continuous latent, or one of more values than the factor, fills more bins the more
    there are. In the paper the share is I(z_j; v_k) / I(z_j; x); with a code that the picture
    decides, I(z_j; x) is H(z_j). The authors' own implementation is this one, with 15 bins and the
    largest share of each latent, from 2,000 rows drawn. Noise counts as what is not of the factor:
    a dead latent whose mean trembles scores about 0. One that is constant holds nothing and is left
    out (theirs gives nan); if all are, the score is 0.

    Args:
        codes: One latent vector per image, usually posterior means.
        factors: The same images' ground-truth factor values, counted from 0.
        bins: Bins of each latent.
    Returns:
        float64 scalar on the device of `codes`.
    Raises:
        ValueError: Codes or factors that are no tables of the same finite rows; no factor varies.
    References:
        Almudévar & Ortega (2024), "Rethinking Disentanglement under Dependent Factors of
        Variation", https://arxiv.org/abs/2408.07016.
    Example:
        >>> factors = torch.tensor([[0, 0], [1, 1], [2, 1]])  # the first decides the second
        >>> minimality(factors.float(), factors)
        tensor(1., dtype=torch.float64)
    """
    information = mutual_information(codes, factors, bins)
    varying(factors)
    held = torch.stack([entropy(equal_width(code, bins).bincount()) for code in codes.T])
    alive = held > 0
    if not bool(alive.any()):
        return torch.zeros((), dtype=torch.float64, device=codes.device)
    return (information.amax(0)[alive] / held[alive]).mean()


@takes_arrays
def sufficiency(
    codes: Float[Tensor, "n d"], factors: Int[Tensor, "n k"], *, bins: int = 15
) -> Float[Tensor, ""]:
    """How much of each factor one latent holds, averaged over factors; 0 is worst, 1 is best.

    The share of factor k is max_j I(z_j; v_k) / H(v_k), what the gap of `mig` is taken from. Read
    it beside `minimality`: one latent that names the picture is sufficient for every factor. Bins,
    and what dependent factors do to it, are said there.

    A factor that has one value in `factors` is left out (the authors' implementation gives nan).

    Args:
        codes: One latent vector per image, usually posterior means.
        factors: The same images' ground-truth factor values, counted from 0.
        bins: Bins of each latent.
    Returns:
        float64 scalar on the device of `codes`.
    Raises:
        ValueError: Codes or factors that are no tables of the same finite rows; no factor varies.
    References:
        Almudévar & Ortega (2024), "Rethinking Disentanglement under Dependent Factors of
        Variation", https://arxiv.org/abs/2408.07016.
    Example:
        >>> factors = torch.cartesian_prod(torch.arange(4), torch.arange(2))
        >>> sufficiency(factors[:, :1].float(), factors)  # all of the first, nothing of the other
        tensor(0.5000, dtype=torch.float64)
    """
    information = mutual_information(codes, factors, bins)
    chosen = varying(factors).to(information.device)
    entropies = factor_entropy(factors).to(information.device)
    return (information.amax(1) / entropies)[chosen].mean()
