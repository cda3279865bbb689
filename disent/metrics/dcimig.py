# SPDX-License-Identifier: Apache-2.0
"""DCIMIG, also 3CharM: the share of the factors that latents of one factor each hold."""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from disent.metrics.arrays import takes_arrays
from disent.metrics.information import factor_entropy, mutual_information
from disent.metrics.samples import varying


@takes_arrays
def dcimig(
    codes: Float[Tensor, "n d"], factors: Int[Tensor, "n k"], *, bins: int = 20
) -> Float[Tensor, ""]:
    """How much of the factors is held by latents that hold one each; 0 is worst, 1 is best.

    Latent j is given to the factor that it knows most of, k(j), and counts by its gap to the factor
    that it knows second most of; a factor counts by its best latent:

        gap_j = I(z_j; v_k(j)) - max over other factors of I(z_j; v),
        score = sum_k max over the latents given to k of gap_j / sum_k H(v_k),

    with information and entropies of equal-width bins as in `mig`. The gap is that of `mig_sup`, in
    nats; but a latent that no factor needs costs nothing here, and a factor without a latent of its
    own does. Factors weigh by their entropy. A duplicated code scores 1.

    The definition leaves open how information is estimated. Carbonneau et al. use 10 bins; their
    suite may also cut factors into bins, which merges values where there are more. Others estimate
    by nearest neighbours: such numbers are not comparable.

    A factor that has one value in `factors` counts nothing, on either side; with a single factor
    that varies, the second information is 0.

    Args:
        codes: One latent vector per image, usually posterior means.
        factors: The same images' ground-truth factor values, counted from 0.
        bins: Bins of each latent.
    Returns:
        float64 scalar on the device of `codes`.
    Raises:
        ValueError: Codes or factors that are no tables of the same finite rows; no factor varies.
    References:
        Sepliarskaia et al. (2019), "How to Not Measure Disentanglement",
        https://arxiv.org/abs/1910.05587.
        Carbonneau et al. (2022), "Measuring Disentanglement: A Review of Metrics",
        https://arxiv.org/abs/2012.09276.
    Example:
        >>> factors = torch.cartesian_prod(torch.arange(4), torch.arange(3))
        >>> dcimig(factors.float().repeat(1, 2), factors)
        tensor(1., dtype=torch.float64)
    """
    information = mutual_information(codes, factors, bins)
    chosen = varying(factors).to(information.device)
    gaps = own_gaps(information[chosen])
    return gaps.sum() / factor_entropy(factors).to(gaps.device)[chosen].sum()


def own_gaps(information: Float[Tensor, "k d"]) -> Float[Tensor, "k"]:
    """The largest gap among the latents given to each factor, in nats; 0 for one without any.

    Example:
        >>> own_gaps(torch.tensor([[0.9, 0.4, 0.1], [0.1, 0.1, 0.3]]))
        tensor([0.8000, 0.2000])
    """
    padded = torch.cat([information, torch.zeros_like(information[:1])])
    (best, second), (factor, _) = padded.topk(2, dim=0)
    # where two factors tie for a latent the gap is 0, whichever it is given to
    gaps = torch.zeros_like(padded).scatter(0, factor[None], (best - second)[None])
    return gaps[:-1].amax(1)
