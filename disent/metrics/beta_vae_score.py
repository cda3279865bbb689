# SPDX-License-Identifier: Apache-2.0
"""The beta-VAE score: can a linear classifier tell which factor a batch of pairs shares?"""

from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor

from disent.checks import check_finite, check_whole_grid
from disent.grid import FactorGrid
from disent.metrics.solvers.classifier import fit_softmax

# Batches whose codes are gathered at once: 512 x 64 pairs stay in the processor's cache.
BATCHES_AT_ONCE = 512


class Accuracies(NamedTuple):
    """Share of batches classified rightly, float64 scalars in [0, 1]."""

    train: Float[Tensor, ""]
    test: Float[Tensor, ""]


def beta_vae_score(
    codes: Float[Tensor, "n d"],
    grid: FactorGrid,
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

    Args:
        codes: One latent vector per point of the grid, by flat index, usually posterior means.
        grid: The factors and their values.
        seed: Of the draws, >= 0.
        batch: Pairs averaged in a data point.
        train: Data points the classifier learns from.
        test: Data points of the score.
    Returns:
        float64 scalar on the device of `codes`.
    Raises:
        ValueError: Codes that are not of the whole grid or not finite, fewer than two factors that
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
    """
    return beta_vae_accuracies(codes, grid, seed=seed, batch=batch, train=train, test=test).test


def beta_vae_accuracies(
    codes: Float[Tensor, "n d"],
    grid: FactorGrid,
    *,
    seed: int = 0,
    batch: int = 64,
    train: int = 10_000,
    test: int = 5_000,
) -> Accuracies:
    """Both accuracies of `beta_vae_score`; a gap between them tells of too few train points."""
    check_whole_grid(codes, len(grid))
    check_finite(codes)
    varying = torch.tensor([k for k, size in enumerate(grid.sizes) if size > 1])
    if len(varying) < 2:
        raise ValueError(
            f"the grid has sizes {grid.sizes}, so {len(varying)} factors vary. To tell which "
            "factor is shared takes two that do: choose another score for this dataset."
        )
    if min(batch, train, test) < 1 or seed < 0:
        raise ValueError(
            f"got seed={seed}, batch={batch}, train={train}, test={test}. The seed must be at "
            "least 0, the others at least 1; the field's are 64, 10000 and 5000."
        )
    generator = torch.Generator().manual_seed(seed)
    draws = []
    for points in (train, test):
        label = torch.randint(len(varying), (points,), generator=generator)
        pairs = grid.sample_pairs(varying[label], batch, generator=generator)
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
