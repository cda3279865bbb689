# SPDX-License-Identifier: Apache-2.0
"""The mutual information gap, in the binned definition of the field's large studies."""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from disent.metrics.arrays import takes_arrays
from disent.metrics.information import factor_entropy, mutual_information


@takes_arrays
def mig(
    codes: Float[Tensor, "n d"], factors: Int[Tensor, "n k"], *, bins: int = 20
) -> Float[Tensor, ""]:
    """Mutual information gap, averaged over factors; 0 is worst, 1 is best.

    For each factor: the gap between the two most informative latents, over the factor's entropy,
    all estimated in nats from the given rows by counting, with each latent cut into `bins`
    equal-width bins between its own minimum and maximum, as Locatello et al. do. This differs from
    other scores of the same name: Chen et al. estimate entropies from samples of q(z|x), without
    bins, divide by ln(number of values) and leave out dSprites' shape; some suites use 10 bins, or
    divide by the entropy of the code. The number depends on `bins` and, through the bias of
    counting, on the number of rows.

    A factor that has one value in `factors` has no entropy and is left out of the mean (the
    reference returns nan). With a single latent, the second-best information is 0. Rescaling a
    latent changes nothing, hence a collapsed latent still counts by what its mean betrays.

    Args:
        codes: One latent vector per image, usually posterior means.
        factors: The same images' ground-truth factor values, counted from 0.
        bins: Bins of each latent.
    Returns:
        float64 scalar on the device of `codes`.
    Raises:
        ValueError: Codes or factors that are no tables of the same finite rows; no factor varies.
    References:
        Chen et al. (2018), "Isolating Sources of Disentanglement in Variational Autoencoders",
        eq. 6, https://arxiv.org/abs/1802.04942.
        Locatello et al. (2019), "Challenging Common Assumptions in the Unsupervised Learning of
        Disentangled Representations", appendix C, https://arxiv.org/abs/1811.12359.
    Example:
        >>> factors = torch.cartesian_prod(torch.arange(4), torch.arange(3))
        >>> mig(factors.float(), factors)
        tensor(1., dtype=torch.float64)
    """
    gaps = mig_per_factor(codes, factors, bins=bins)
    if bool(gaps.isnan().all()):
        raise ValueError(
            f"each of the {len(gaps)} factors has only one value in the {len(factors)} rows given. "
            "A gap needs a factor that varies: give more images."
        )
    return gaps.nanmean()


def mig_per_factor(
    codes: Float[Tensor, "n d"], factors: Int[Tensor, "n k"], *, bins: int = 20
) -> Float[Tensor, "k"]:
    """The gap of each factor, as in `mig`, in [0, 1]; nan for a factor with one value.

    Example:
        >>> mig_per_factor(torch.tensor([[0.0], [1.0]]), torch.tensor([[0, 7], [1, 7]]))
        tensor([1., nan], dtype=torch.float64)
    """
    information = mutual_information(codes, factors, bins)
    # A column of zeros stands for the second latent where there is only one.
    information = torch.cat([information, torch.zeros_like(information[:, :1])], dim=1)
    best, second = information.topk(2, dim=1).values.T
    entropies = factor_entropy(factors).to(best.device)
    # A factor with one value has no information either: 0 / 0, which is nan.
    return (best - second) / entropies
