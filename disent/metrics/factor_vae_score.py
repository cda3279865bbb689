# SPDX-License-Identifier: Apache-2.0
"""The FactorVAE score: does the latent that varies least tell which factor a batch shares?"""

from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from disent.grid import FactorGrid
from disent.metrics.arrays import takes_arrays
from disent.metrics.sharing import SharingRows, drawn_from

BATCHES_AT_ONCE = 512


class Votes(NamedTuple):
    """What `factor_vae_score` is made of.

    Attributes:
        train: Int[k, d], how often each latent varied least while each factor was held.
        test: Int[k, d], the same of new batches.
        active: Bool[d], the latents that took part.
    """

    train: Int[Tensor, "k d"]
    test: Int[Tensor, "k d"]
    active: Bool[Tensor, "d"]


@takes_arrays
def factor_vae_score(
    codes: Float[Tensor, "n d"],
    factors: Int[Tensor, "n k"] | FactorGrid,
    *,
    seed: int = 0,
    batch: int = 64,
    train: int = 10_000,
    test: int = 5_000,
    variance_points: int = 10_000,
    prune: float = 0.05,
    relative: bool = False,
) -> Float[Tensor, ""]:
    """Test accuracy of a majority vote for the factor that is held; 1 is best, chance is worst.

    A vote: draw a factor K, then `batch` images that share its value and are otherwise random; the
    latent whose variance over them, relative to its variance over the dataset, is smallest. Each
    latent stands for the factor that it was voted for most often in `train` votes; the score is the
    share of `test` new votes whose latent stands for the factor held. Chance is one over the number
    of factors.

    Latents whose standard deviation over the dataset is below `prune` take no part; without any
    that do, the score is 0. The threshold is absolute, as in the reference's study, so that the
    score depends on the scale of the codes; relative=True takes it as a share of the largest
    standard deviation. In the reference, the function's own default prunes nothing, and a constant
    latent then wins every vote as 0/0; here a constant latent never takes part.

    Draws are with replacement, and come from the seed alone. A factor of size 1 is shared by every
    batch and left out of the draw (the reference counts it as one more class).

    Where `factors` are a whole grid by flat index, each combination once, images are drawn from the
    grid: the value of K and every other factor uniformly. Of any other table, whose combinations
    may be missing or unequally frequent, images are rows: the value of K is that of any row, as
    likely as the others, and the batch is of the rows that have it. A value that one row alone has
    lets no latent vary: it is never held, and a factor all of whose values are such is no class.

    Args:
        codes: One latent vector per image, usually posterior means.
        factors: The same images' ground-truth factor values, counted from 0; or a FactorGrid, and
            `codes` of all its points by flat index.
        seed: Of the draws, >= 0.
        batch: Images of a vote.
        train: Votes that decide what each latent stands for.
        test: Votes of the score.
        variance_points: Images drawn for the variances over the dataset.
        prune: Standard deviation below which a latent is left out.
        relative: Whether `prune` is a share of the largest standard deviation.
    Returns:
        float64 scalar on the device of `codes`.
    Raises:
        ValueError: Codes that are not of the same rows or not finite, fewer than two factors that
            vary, or numbers that cannot be.
    References:
        Kim & Mnih (2018), "Disentangling by Factorising", section 4,
        https://arxiv.org/abs/1802.05983.
        Locatello et al. (2019), appendix C, https://arxiv.org/abs/1811.12359.
    Example:
        >>> grid = FactorGrid(names=("shape", "scale"), sizes=(3, 6))
        >>> factor_vae_score(grid.all_factors().float(), grid, train=200, test=100)
        tensor(1., dtype=torch.float64)
    """
    source, columns = drawn_from(codes, factors)
    _check(seed, (batch, train, test, variance_points), prune)
    generator = torch.Generator().manual_seed(seed)
    rows = source.sample((variance_points,), generator=generator)
    variance = codes[rows.to(codes.device)].double().var(0)
    deviation = variance.sqrt()
    threshold = prune * float(deviation.max()) if relative else prune
    active = (deviation >= threshold) & (variance > 0)
    counts = [
        _vote(codes, source, columns, variance, active, batch, points, generator)
        for points in (train, test)
    ]
    return accuracies(Votes(counts[0], counts[1], active))[1]


def accuracies(votes: Votes) -> tuple[Float[Tensor, ""], Float[Tensor, ""]]:
    """Shares of train and test votes that name the factor held; 0 without an active latent.

    Each latent stands for the factor with most of its train votes; the first one on ties.
    """
    meaning = votes.train.argmax(0)
    latents = torch.arange(votes.train.shape[1], device=votes.train.device)
    shares = [
        count[meaning, latents].sum().double() / count.sum().clamp(min=1)
        for count in (votes.train, votes.test)
    ]
    return shares[0], shares[1]


def _vote(
    codes: Float[Tensor, "n d"],
    source: FactorGrid | SharingRows,
    varying: list[int],
    variance: Float[Tensor, "d"],
    active: Bool[Tensor, "d"],
    batch: int,
    points: int,
    generator: torch.Generator,
) -> Int[Tensor, "k d"]:
    """Counts of votes, by factor held and latent that varied least."""
    d = codes.shape[1]
    held = torch.randint(len(varying), (points,), generator=generator)
    drawn = source.sample_sharing(torch.tensor(varying)[held], batch, generator=generator)
    if not active.any():
        return torch.zeros(len(varying), d, dtype=torch.int64, device=codes.device)
    scale = torch.where(active, variance, torch.nan)
    least = []
    for rows in drawn.split(BATCHES_AT_ONCE):
        local = codes[rows.to(codes.device)].double().var(1)
        least.append((local / scale).nan_to_num(torch.inf).argmin(1))
    cell = held.to(codes.device) * d + torch.cat(least)
    return cell.bincount(minlength=len(varying) * d).view(len(varying), d)


def _check(seed: int, counts: tuple[int, ...], prune: float) -> None:
    if seed < 0 or prune < 0 or counts[0] < 2 or counts[3] < 2 or min(counts) < 1:
        raise ValueError(
            f"got seed={seed}, prune={prune}, and batch, train, test, variance_points={counts}. "
            "Seed and prune must be at least 0, batch and variance_points at least 2, train and "
            "test at least 1; the field's are 64, 10000, 5000 and 10000."
        )
