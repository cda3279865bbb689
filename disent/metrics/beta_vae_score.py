# SPDX-License-Identifier: Apache-2.0
"""The beta-VAE score: can a linear classifier tell which factor a batch of pairs shares?"""

from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor

from disent.grid import FactorGrid
from disent.metrics.arrays import takes_arrays
from disent.metrics.sharing import drawn_from
from disent.metrics.solvers.classifier import fit_softmax

# Batches whose codes are gathered at once: 512 x 64 pairs stay in the processor's cache.
BATCHES_AT_ONCE = 512


class Accuracies(NamedTuple):
    """Share of batches classified rightly, float64 scalars in [0, 1]."""

    train: Float[Tensor, ""]
    test: Float[Tensor, ""]


@takes_arrays
def beta_vae_score(
    codes: Float[Tensor, "n d"],
    factors: Int[Tensor, "n k"] | FactorGrid,
    *,
    seed: int = 0,
    batch: int = 64,
    train: int = 10_000,
    test: int = 5_000,
) -> Float[Tensor, ""]:
    """Test accuracy of telling the shared factor; chance is worst, 1 is best, and easily reached.

    A data point: draw a factor K, then `batch` pairs of images that share the value of K and are
    otherwise random; its features are the mean of |z1 - z2| over the pairs, its label is K. A
    multinomial logistic regression (L2 penalty 1 on the weights of the unscaled features) learns
    K from `train` points; the score is its accuracy on `test` new ones. Chance is one over the
    number of factors.

    Draws are with replacement, and come from the seed alone: the same on every device. Higgins et
    al. use simulated generators and a linear classifier of their own; Locatello et al. use
    scikit-learn's default LogisticRegression, which was one-vs-rest before release 0.22 and is
    softmax since, the variant here. The penalty acts on unscaled features, so that the score
    changes with the scale of the codes. On latents of very different scales the reference stops
    before its optimum and scores lower than this solver, which does not. A factor of size 1 is
    shared by every pair and left out of the draw (the reference counts it as one more class).

    Where `factors` are a whole grid by flat index, each combination once, pairs are drawn from the
    grid: the value of K and every other factor uniformly. Of any other table, whose combinations
    may be missing or unequally frequent, pairs are rows: the first is any row, as likely as the
    others, and the second another one with its value of K. A value that one row alone has makes no
    pair of different pictures: this row takes no part in the pairs of K, and a factor all of whose
    values are such is no class.

    Args:
        codes: One latent vector per image, usually posterior means.
        factors: The same images' ground-truth factor values, counted from 0; or a FactorGrid, and
            `codes` of all its points by flat index.
        seed: Of the draws, >= 0.
        batch: Pairs averaged in a data point.
        train: Data points the classifier learns from.
        test: Data points of the score.
    Returns:
        float64 scalar on the device of `codes`.
    Raises:
        ValueError: Codes that are not of the same rows or not finite, fewer than two factors that
            vary, or numbers that cannot be.
    References:
        Higgins et al. (2017), "beta-VAE: Learning Basic Visual Concepts with a Constrained
        Variational Framework", section 3, https://openreview.net/forum?id=Sy2fzU9gl.
        Locatello et al. (2019), "Challenging Common Assumptions in the Unsupervised Learning of
        Disentangled Representations", appendix C, https://arxiv.org/abs/1811.12359.
    Example:
        >>> grid = FactorGrid(names=("shape", "scale"), sizes=(3, 6))
        >>> beta_vae_score(grid.all_factors().float(), grid, train=200, test=100)
        tensor(1., dtype=torch.float64)
        >>> some = grid.all_factors()[torch.arange(18) % 5 > 0]  # a table with gaps
        >>> beta_vae_score(some.float(), some, train=200, test=100)
        tensor(1., dtype=torch.float64)
    """
    return beta_vae_accuracies(codes, factors, seed=seed, batch=batch, train=train, test=test).test


def beta_vae_accuracies(
    codes: Float[Tensor, "n d"],
    factors: Int[Tensor, "n k"] | FactorGrid,
    *,
    seed: int = 0,
    batch: int = 64,
    train: int = 10_000,
    test: int = 5_000,
) -> Accuracies:
    """Both accuracies of `beta_vae_score`; a gap between them tells of too few train points."""
    source, columns = drawn_from(codes, factors)
    varying = torch.tensor(columns)
    if min(batch, train, test) < 1 or seed < 0:
        raise ValueError(
            f"got seed={seed}, batch={batch}, train={train}, test={test}. The seed must be at "
            "least 0, the others at least 1; the field's are 64, 10000 and 5000."
        )
    generator = torch.Generator().manual_seed(seed)
    draws = []
    for points in (train, test):
        label = torch.randint(len(varying), (points,), generator=generator)
        pairs = source.sample_pairs(varying[label], batch, generator=generator)
        draws.append((_mean_differences(codes, pairs), label.to(codes.device)))
    classifier = fit_softmax(*draws[0], classes=len(varying))
    return Accuracies(*(classifier.accuracy(features, label) for features, label in draws))


def _mean_differences(
    codes: Float[Tensor, "n d"], pairs: Int[Tensor, "points batch 2"]
) -> Float[Tensor, "points d"]:
    """Mean over each batch of pairs of |z1 - z2|, in float64."""
    features = []
    for chunk in pairs.split(BATCHES_AT_ONCE):
        z = codes[chunk.to(codes.device)].double()
        features.append((z[:, :, 0] - z[:, :, 1]).abs().mean(1))
    return torch.cat(features)
