# SPDX-License-Identifier: Apache-2.0
"""Modularity: does each latent carry information of one factor only?"""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from disent.metrics.arrays import takes_arrays
from disent.metrics.information import mutual_information
from disent.metrics.samples import varying


@takes_arrays
def modularity(
    codes: Float[Tensor, "n d"], factors: Int[Tensor, "n k"], *, bins: int = 20
) -> Float[Tensor, ""]:
    """Modularity, averaged over latents; 0 is worst, 1 is best, and easily reached.

    For each latent: 1 - sum over all factors but its best of I^2 / (I_best^2 (K - 1)), with
    the information I(v_k; z_j) of equal-width bins as in `mig`. The mean is over all latents, dead
    ones too, unweighted: noise scores about 0.5, since it is equally uninformative of all, and a
    duplicated code scores 1. A latent without any information scores 0; in older releases of the
    reference rounding made it score about 1. Other suites use 10 bins.

    A factor that has one value in `factors` is left out of K.

    Args:
        codes: One latent vector per image, usually posterior means.
        factors: The same images' ground-truth factor values, counted from 0.
        bins: Bins of each latent.
    Returns:
        float64 scalar on the device of `codes`.
    Raises:
        ValueError: Fewer than two factors vary.
    References:
        Ridgeway & Mozer (2018), "Learning Deep Disentangled Embeddings with the F-Statistic Loss",
        section 3, https://arxiv.org/abs/1802.05312.
        Locatello et al. (2019), appendix C, https://arxiv.org/abs/1811.12359.
    Example:
        >>> factors = torch.cartesian_prod(torch.arange(4), torch.arange(3))
        >>> modularity(factors.float(), factors)
        tensor(1., dtype=torch.float64)
    """
    information = mutual_information(codes, factors, bins)
    return modularity_of_information(information[varying(factors).to(information.device)]).mean()


def modularity_of_information(information: Float[Tensor, "k d"]) -> Float[Tensor, "d"]:
    """The modularity of each latent, from I(v_k; z_j) in nats.

    Example:
        >>> modularity_of_information(torch.tensor([[1.0, 1.0, 0.0], [0.0, 1.0, 0.0]]))
        tensor([1., 0., 0.])
    """
    if len(information) < 2:
        raise ValueError(
            f"{len(information)} factor varies, but modularity compares at least two. Choose "
            "another score for this dataset."
        )
    squares = information.square()
    best = squares.amax(0)
    rest = (squares.sum(0) - best) / (best * (len(information) - 1))
    return torch.where(best > 0, 1 - rest, 0.0)
