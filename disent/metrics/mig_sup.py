# SPDX-License-Identifier: Apache-2.0
"""MIG-sup: the gap of the mutual information gap, the other way round."""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from disent.metrics.arrays import takes_arrays
from disent.metrics.information import entropy, equal_width, factor_entropy, mutual_information
from disent.metrics.samples import varying


@takes_arrays
def mig_sup(
    codes: Float[Tensor, "n d"],
    factors: Int[Tensor, "n k"],
    *,
    bins: int = 20,
    normalise: str = "factor",
) -> Float[Tensor, ""]:
    """Gap between each latent's two best factors, averaged over latents; 0 is worst, 1 is best.

    I(v_k; z_j) / H(v_k) is the share of a factor that a latent knows; the score of a latent is the
    gap between its two largest shares. Where `mig` punishes a factor that is spread over latents,
    this punishes a latent that mixes factors. Information and entropies are those of `mig`. A
    duplicated code scores 1, a dead latent 0, and the mean is over all latents: it falls with
    every latent that is not needed.

    normalise="code" divides the gap by the entropy of the binned latent instead, as another suite
    does: that number is smaller, since most of a continuous latent's entropy is of no factor.

    A factor that has one value in `factors` is left out; with a single factor left, the second
    share is 0.

    Args:
        codes: One latent vector per image, usually posterior means.
        factors: The same images' ground-truth factor values, counted from 0.
        bins: Bins of each latent.
        normalise: "factor": shares of the factors' entropies; "code": of the latent's.
    Returns:
        float64 scalar on the device of `codes`.
    Raises:
        ValueError: No factor varies, or `normalise` is neither.
    References:
        Li et al. (2020), "Progressive Learning and Disentanglement of Hierarchical
        Representations", section 5.1, https://arxiv.org/abs/2002.10549.
    Example:
        >>> factors = torch.cartesian_prod(torch.arange(4), torch.arange(3))
        >>> mig_sup(factors.float().repeat(1, 2), factors)
        tensor(1., dtype=torch.float64)
    """
    if normalise not in ("factor", "code"):
        raise ValueError(f"normalise must be 'factor' or 'code', got {normalise!r}.")
    information = mutual_information(codes, factors, bins)
    chosen = varying(factors).to(information.device)
    information = information[chosen]
    if normalise == "factor":
        information = information / factor_entropy(factors).to(information.device)[chosen, None]
    else:
        binned = torch.stack([entropy(equal_width(c, bins).bincount()) for c in codes.T])
        # a constant latent has no entropy, and no information either
        information = information / binned.masked_fill(binned == 0, 1.0)
    padded = torch.cat([information, torch.zeros_like(information[:1])])
    best, second = padded.topk(2, dim=0).values
    return (best - second).mean()
