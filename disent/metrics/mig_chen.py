# SPDX-License-Identifier: Apache-2.0
"""The mutual information gap as Chen et al. define it: of the posteriors, without bins."""

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from disent.checks import check_finite, check_whole_grid
from disent.grid import FactorGrid
from disent.metrics.aggregate import entropies, log_density
from disent.metrics.arrays import takes_arrays

ROWS_AT_ONCE = 256


class ChenInformation(NamedTuple):
    """Entropies behind `mig_chen`, in nats.

    Attributes:
        marginal: Float64[d], H(z_j).
        conditional: Float64[k, d], H(z_j | v_k), averaged over the values of v_k.
    """

    marginal: Float[Tensor, "d"]
    conditional: Float[Tensor, "k d"]

    @property
    def information(self) -> Float[Tensor, "k d"]:
        """I(z_j; v_k), in nats."""
        return self.marginal - self.conditional


@takes_arrays
def mig_chen(
    means: Float[Tensor, "n d"],
    logvars: Float[Tensor, "n d"],
    grid: FactorGrid,
    *,
    exclude: str = "",
) -> Float[Tensor, ""]:
    """Mutual information gap of Chen et al., averaged over factors; 0 is worst, 1 is best.

    For each factor the gap between the two largest I(z_j; v_k) = H(z_j) - H(z_j | v_k), over
    ln(number of values). z_j is a sample of q(z_j|x), x drawn uniformly from the grid, so that
    q(z_j) and q(z_j|v_k) are mixtures over all pictures, and over those of one value. Nothing is
    binned: a latent whose posterior is the prior carries no information, whatever its mean betrays;
    this is the difference to `mig`, whose numbers are not comparable.

    Chen et al. estimate the entropies from 10,000 samples of z and sums over the whole grid, which
    takes hours. Here the same entropies are integrated numerically, to better than 1e-3 nats (see
    `disent.metrics.aggregate`): the value is that of infinitely many samples, without a seed.

    The published number for dSprites leaves the factor shape out: exclude="shape". A factor of size
    1 is left out of the mean. A gap below 0 counts as 0.

    Args:
        means: Posterior means of every point of the grid, by flat index.
        logvars: Natural logarithm of the posterior variances.
        grid: The factors.
        exclude: Name of a factor to leave out; "": none.
    Returns:
        float64 scalar on the device of `means`.
    Raises:
        ValueError: Tables that are not of the whole grid or not finite; no factor is left.
    References:
        Chen et al. (2018), "Isolating Sources of Disentanglement in Variational Autoencoders",
        eq. 6 and appendix C, https://arxiv.org/abs/1802.04942.
    Example:
        >>> grid = FactorGrid(names=("shape", "scale"), sizes=(3, 6))
        >>> means = 10.0 * grid.all_factors()
        >>> mig_chen(means, torch.zeros_like(means), grid).round(decimals=3)
        tensor(1., dtype=torch.float64)
    """
    chosen = _factors(grid, exclude)
    found = chen_information(means, logvars, grid)
    return gap_of_information(found.information, grid)[chosen].mean()


def chen_information(
    means: Float[Tensor, "n d"], logvars: Float[Tensor, "n d"], grid: FactorGrid
) -> ChenInformation:
    """The entropies of `mig_chen`, integrated numerically."""
    _check(means, logvars, grid)
    factors = grid.all_factors().to(means.device)
    marginal = means.new_empty(means.shape[1], dtype=torch.float64)
    conditional = means.new_empty(len(grid.sizes), means.shape[1], dtype=torch.float64)
    for j in range(means.shape[1]):
        for k, size in enumerate(grid.sizes):
            # equal for every factor, but for rounding
            marginal[j], each = entropies(means[:, j], logvars[:, j], factors[:, k], size)
            conditional[k, j] = each.mean()
    return ChenInformation(marginal, conditional)


def sampled_information(
    samples: Float[Tensor, "n d"],
    means: Float[Tensor, "n d"],
    logvars: Float[Tensor, "n d"],
    grid: FactorGrid,
) -> ChenInformation:
    """The same from one given sample of each posterior, by direct sums over n * n pairs.

    Chen et al.'s own estimate, for tables of some thousand rows.
    """
    _check(means, logvars, grid)
    factors = grid.all_factors().to(means.device)
    marginal = -_log_densities(samples, means, logvars).mean(0)
    conditional = []
    for k, size in enumerate(grid.sizes):
        slices = [(factors[:, k] == value).nonzero().flatten() for value in range(size)]
        each = [-_log_densities(samples[s], means[s], logvars[s]).mean(0) for s in slices]
        conditional.append(torch.stack(each).mean(0))
    return ChenInformation(marginal, torch.stack(conditional))


def gap_of_information(information: Float[Tensor, "k d"], grid: FactorGrid) -> Float[Tensor, "k"]:
    """The gap of each factor over ln(number of values), at least 0; nan for a factor of size 1."""
    # with a single latent, the second-best information is 0
    information = torch.cat([information, torch.zeros_like(information[:, :1])], dim=1)
    best, second = information.topk(2, dim=1).values.T
    sizes = torch.tensor(grid.sizes, device=information.device).double()
    return torch.where(sizes > 1, (best - second).clamp(min=0) / sizes.log(), torch.nan)


def _log_densities(z: Tensor, means: Tensor, logvars: Tensor) -> Float[Tensor, "s d"]:
    return torch.cat([log_density(part, means, logvars) for part in z.split(ROWS_AT_ONCE)])


def _factors(grid: FactorGrid, exclude: str) -> list[int]:
    if exclude and exclude not in grid.names:
        raise ValueError(f"exclude names {exclude!r}, but the factors are {', '.join(grid.names)}.")
    chosen = [
        k
        for k, (name, size) in enumerate(zip(grid.names, grid.sizes, strict=True))
        if size > 1 and name != exclude
    ]
    if not chosen:
        raise ValueError(
            f"no factor is left of {', '.join(grid.names)} with sizes {grid.sizes}. A gap needs a "
            "factor that varies."
        )
    return chosen


def _check(means: Tensor, logvars: Tensor, grid: FactorGrid) -> None:
    for name, table in (("means", means), ("logvars", logvars)):
        check_whole_grid(table, len(grid), name)
        check_finite(table, name)
    if means.shape != logvars.shape or not means.shape[1]:
        raise ValueError(
            f"means has shape {list(means.shape)} and logvars {list(logvars.shape)}, but equal "
            "tables of at least one latent are wanted."
        )
