# SPDX-License-Identifier: Apache-2.0
"""The interventional robustness score: does a latent stay put while other factors change?"""

from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor

from disent.metrics.arrays import takes_arrays
from disent.metrics.information import check_codes_and_factors, equal_width
from disent.metrics.samples import varying

SMALLEST_VARIANCE = 1e-12


class Robustness(NamedTuple):
    """What `irs` is made of.

    Attributes:
        matrix: Float64[d, k], robustness of each latent that varies if factor k is held.
        weights: Float64[d], the largest deviation of each of these latents from its mean.
        latents: Int[d], which latents these are.
    """

    matrix: Float[Tensor, "d k"]
    weights: Float[Tensor, "d"]
    latents: Int[Tensor, "d"]


@takes_arrays
def irs(
    codes: Float[Tensor, "n d"],
    factors: Int[Tensor, "n k"],
    *,
    quantile: float = 0.99,
    merge: int = 20,
) -> Float[Tensor, ""]:
    """Interventional robustness, averaged over latents; 1 is best; random codes score about 0.3.

    Hold factor k at a value, and let the others change: the post-interventional disagreement is the
    0.99-quantile of |z_j - E[z_j | v_k]|, averaged over the values. A latent's robustness is 1 -
    disagreement / max |z_j - E z_j| for the factor that suits it best; the score is their mean,
    weighted by max |z_j - E z_j|. Constant latents are left out; if all are, the score is 0.

    As in the reference, factors of more than `merge` values are first cut into that many equally
    wide groups of values. Suter et al. take the maximum, which is quantile=1. The floor is high,
    and higher for a lower quantile: compare with chance.

    Args:
        codes: One latent vector per image, usually posterior means.
        factors: The same images' ground-truth factor values, counted from 0.
        quantile: Of the deviations, in (0, 1].
        merge: Groups of values of a factor, at most.
    Returns:
        float64 scalar on the device of `codes`.
    Raises:
        ValueError: No factor varies, or the quantile is outside (0, 1].
    References:
        Suter et al. (2019), "Robustly Disentangled Causal Mechanisms", definition 3 and eq. 10,
        https://arxiv.org/abs/1811.00007.
    Example:
        >>> factors = torch.cartesian_prod(torch.arange(4), torch.arange(3))
        >>> irs(factors.float(), factors)
        tensor(1., dtype=torch.float64)
    """
    found = robustness(codes, factors, quantile=quantile, merge=merge)
    if not len(found.latents):
        return torch.zeros((), dtype=torch.float64, device=codes.device)
    best = found.matrix.amax(1)
    return (best * found.weights).sum() / found.weights.sum()


def robustness(
    codes: Float[Tensor, "n d"],
    factors: Int[Tensor, "n k"],
    *,
    quantile: float = 0.99,
    merge: int = 20,
) -> Robustness:
    """The robustness of every latent that varies, for every factor that varies."""
    check_codes_and_factors(codes, factors)
    if not 0 < quantile <= 1 or merge < 1:
        raise ValueError(
            f"got quantile={quantile}, merge={merge}. The quantile must lie in (0, 1], and merge "
            "be at least 1; the field's are 0.99 and 20."
        )
    chosen = varying(factors)
    latents = (codes.double().var(0, correction=0) > SMALLEST_VARIANCE).nonzero().flatten()
    z = codes[:, latents].T.double().contiguous()
    weights = (z - z.mean(1, keepdim=True)).abs().amax(1)
    disagreement = z.new_empty(len(chosen), len(latents))
    for row, k in enumerate(chosen.tolist()):
        groups = _groups(factors[:, k], merge).to(z.device)
        count = int(groups.max()) + 1
        order = groups.argsort(stable=True)
        parts = z[:, order].split(groups.bincount(minlength=count).tolist(), dim=1)
        each = [_disagreement(part, quantile) for part in parts if part.shape[1]]
        disagreement[row] = torch.stack(each).mean(0)
    return Robustness((1 - disagreement / weights).T, weights, latents)


def _groups(values: Int[Tensor, "n"], merge: int) -> Int[Tensor, "n"]:
    """Numbers of the groups, 0, 1 ...; each value is its own where there are few enough."""
    groups = values if int(values.max() - values.min()) < merge else equal_width(values, merge)
    return groups.unique(return_inverse=True)[1]


def _disagreement(z: Float[Tensor, "d n"], quantile: float) -> Float[Tensor, "d"]:
    """The quantile of |z - mean| of each row, between order statistics as NumPy interpolates."""
    deviation = (z - z.mean(1, keepdim=True)).abs()
    position = quantile * (z.shape[1] - 1)
    below = int(position)
    top = z.shape[1] - below  # so many values are at or above the lower order statistic
    largest = deviation.topk(top, dim=1, sorted=True).values
    low, high = largest[:, top - 1], largest[:, max(top - 2, 0)]
    return low + (position - below) * (high - low)
