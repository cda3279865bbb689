# SPDX-License-Identifier: Apache-2.0
"""JEMMIG: the mutual information gap, less what the best latent says beside the factor."""

import math

import torch
from jaxtyping import Float, Int
from torch import Tensor

from disent.metrics.arrays import takes_arrays
from disent.metrics.information import entropy, equal_width, factor_entropy, mutual_information
from disent.metrics.samples import varying

SAME_INFORMATION = 1e-9  # nats; informations nearer than this are one, summed in another order


@takes_arrays
def jemmig(
    codes: Float[Tensor, "n d"], factors: Int[Tensor, "n k"], *, bins: int = 20
) -> Float[Tensor, ""]:
    """Joint entropy minus information gap, made a score; averaged over factors; 0 worst, 1 best.

    For each factor k, whose most informative latent is z* and whose second is z°,

        loss_k = H(z*, v_k) - I(z*; v_k) + I(z°; v_k),   score_k = 1 - loss_k / (H(v_k) + ln bins),

    with the information of equal-width bins as in `mig`. The loss is 0 where one latent is the
    factor and nothing else, and no other latent knows of it: `mig` does not see what else z* holds,
    this score does. It falls as bins fill up, hence with noise in a latent and with the number of
    bins: compare numbers of the same bins only. A latent that is constant holds nothing else: where
    no latent knows the factor, it is taken for z*, and the score is ln bins / (H(v_k) + ln bins),
    not 0.

    Do & Tran report the loss itself, in nats, where lower is better, and spread each posterior over
    its bins where here the codes are counted. The normalised score, 1 - loss over its largest
    value, is that of Carbonneau et al., with 10 bins; their suite may also cut factors into bins,
    which merges values where there are more. Of latents that know equally much, z* is the one of
    the smallest joint entropy (theirs is the last one), so that their order does not matter.

    A factor that has one value in `factors` is left out of the mean (theirs counts it). With a
    single latent, the second-best information is 0.

    Args:
        codes: One latent vector per image, usually posterior means.
        factors: The same images' ground-truth factor values, counted from 0.
        bins: Bins of each latent, at least 2.
    Returns:
        float64 scalar on the device of `codes`.
    Raises:
        ValueError: Codes or factors that are no tables of the same finite rows, no factor that
            varies, or fewer than two bins.
    References:
        Do & Tran (2020), "Theory and Evaluation Metrics for Learning Disentangled
        Representations", section 4.3, https://arxiv.org/abs/1908.09961.
        Carbonneau et al. (2022), "Measuring Disentanglement: A Review of Metrics",
        https://arxiv.org/abs/2012.09276.
    Example:
        >>> factors = torch.cartesian_prod(torch.arange(4), torch.arange(3))
        >>> jemmig(factors.float(), factors)
        tensor(1., dtype=torch.float64)
    """
    if bins < 2:
        raise ValueError(f"bins must be at least 2, got {bins}. The field's are 10 and 20.")
    information = mutual_information(codes, factors, bins)
    chosen = varying(factors).to(information.device)
    of_factors = factor_entropy(factors).to(information.device)[chosen]
    of_codes = torch.stack([entropy(equal_width(code, bins).bincount()) for code in codes.T])
    loss = jemmig_losses(information[chosen], of_factors, of_codes)
    return (1 - loss / (of_factors + math.log(bins))).mean()


def jemmig_losses(
    information: Float[Tensor, "k d"],
    factor_entropies: Float[Tensor, "k"],
    code_entropies: Float[Tensor, "d"],
) -> Float[Tensor, "k"]:
    """H(z*, v_k) - I(z*; v_k) + I(z°; v_k) of each factor, all in nats; lower is better.

    Example:
        >>> information, of_codes = torch.tensor([[0.6, 0.1]]), torch.tensor([0.9, 2.0])
        >>> jemmig_losses(information, torch.tensor([0.7]), of_codes).round(decimals=4)
        tensor([0.5000])
    """
    # a column of zeros stands for the second latent where there is only one
    padded = torch.cat([information, torch.zeros_like(information[:, :1])], dim=1)
    best, second = padded.topk(2, dim=1).values.T
    joint = factor_entropies[:, None] + code_entropies - information
    known = information >= best[:, None] - SAME_INFORMATION
    return joint.where(known, torch.inf).amin(1) - best + second
