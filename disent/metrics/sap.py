# SPDX-License-Identifier: Apache-2.0
"""Separated attribute predictability, by classifiers or by squared correlation."""

import warnings
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from disent.metrics.arrays import takes_arrays
from disent.metrics.linear import single_r2
from disent.metrics.samples import Sample, draw, varying
from disent.metrics.solvers.convergence import NotConverged

LARGEST = torch.finfo(torch.float32).max  # LIBLINEAR never returns once squared codes overflow


@takes_arrays
def sap(
    codes: Float[Tensor, "n d"],
    factors: Int[Tensor, "n k"],
    *,
    seed: int = 0,
    train: int = 10_000,
    test: int = 5_000,
) -> Float[Tensor, ""]:
    """How much better the best latent predicts a factor than the second best; 0 is worst.

    For each factor and each latent alone, a linear support vector machine (one against the rest,
    C = 0.01, balanced classes) learns the factor's value from `train` rows; S[k, j] is its accuracy
    on `test` new ones. The score is the mean over factors k of max_j S[k, j] minus the second
    largest S[k, j]. The machine is scikit-learn's LinearSVC, as in the reference of Locatello et
    al.; it computes on the CPU.

    The scale is not what the range 0 to 1 suggests: **a perfect code scores only 0.23 to 0.35** (on
    dSprites' factors 0.23; more where factors have two or three values), since a linear machine on
    one number tells only the ends of its range from the rest. This is the variant of Locatello et
    al., and the one of most tables. The variant by squared correlation is `sap_r2`, where a perfect
    code of ordered factors scores near 1: never mix the two. The machines see raw codes under a
    penalty, so that the score changes with their scale.

    Draws are with replacement and come from the seed alone. A factor with one value in the train
    rows is left out (the reference raises). A constant latent predicts the same value always, and a
    single latent is compared with a constant one.

    Args:
        codes: One latent vector per image, usually posterior means.
        factors: The same images' ground-truth factor values, counted from 0.
        seed: Of the draws, >= 0.
        train: Rows the machines learn from.
        test: Rows of the score.
    Returns:
        float64 scalar on the device of `codes`, in [0, 1]; a difference of accuracies, no unit.
    Raises:
        ValueError: Tables that do not match, values that are not finite, a number of rows below 1,
            no factor that varies, codes beyond the range of float32, or machines that do not
            converge (NotConverged).
    References:
        Kumar et al. (2018), "Variational Inference of Disentangled Latent Concepts from Unlabeled
        Observations", section 3, https://arxiv.org/abs/1711.00848.
        Locatello et al. (2019), "Challenging Common Assumptions in the Unsupervised Learning of
        Disentangled Representations", appendix C, https://arxiv.org/abs/1811.12359.
    Example:
        >>> factors = torch.cartesian_prod(torch.arange(2), torch.arange(2))
        >>> sap(40.0 * factors, factors, train=500, test=100_000).round(decimals=1)
        tensor(0.5000, dtype=torch.float64)
    """
    learned, judged = draw(codes, factors, train, test, seed=seed)
    varying(factors)
    return sap_of_matrix(sap_matrix(_with_second(learned), _with_second(judged)))


def sap_matrix(train: Sample, test: Sample) -> Float[Tensor, "k d"]:
    """S of `sap`: test accuracy of every factor's value from every latent alone, in [0, 1].

    nan in the row of a factor with one value in the train rows. A value that no train row has is
    never predicted.

    Example:
        >>> rows = Sample(torch.tensor([[-9.0, 0.0], [9.0, 0.0]]), torch.tensor([[0], [1]]))
        >>> sap_matrix(rows, rows)
        tensor([[1.0000, 0.5000]], dtype=torch.float64)
    """
    (x, y), (test_x, test_y) = ((s.codes.double().cpu(), s.factors.cpu()) for s in (train, test))
    largest = max(float(x.abs().max()), float(test_x.abs().max()))
    if largest > LARGEST:
        raise ValueError(
            f"codes go up to {largest:.3g}, but at most {LARGEST:.3g}, the largest float32, is "
            "wanted: the machines square them. Look at what the encoder returns."
        )
    matrix = torch.full((y.shape[1], x.shape[1]), torch.nan, dtype=torch.float64)
    for k, labels in enumerate(y.T):
        if bool((labels != labels[0]).any()):
            for j in range(x.shape[1]):
                machine = _machine(x[:, j : j + 1], labels)
                predicted = torch.from_numpy(machine.predict(test_x[:, j : j + 1].numpy()))
                matrix[k, j] = (predicted == test_y[:, k]).double().mean()
    return matrix.to(train.codes.device)


def _machine(code: Float[Tensor, "n 1"], labels: Int[Tensor, "n"]) -> Any:
    """A LinearSVC that tells the labels by one latent, by the primal solver: nothing is drawn.

    The rows are put in an order of their own: where a code speaks for two values alike, rounding
    decides, and it must not do so by how the rows came.

    Tolerance and steps are scikit-learn's defaults, which the reference leaves as they are; they
    stand here so that a score does not move with them.
    """
    from sklearn.exceptions import ConvergenceWarning  # loading it takes a second
    from sklearn.svm import LinearSVC

    machine = LinearSVC(
        C=0.01,
        class_weight="balanced",
        dual=False,  # pyright: ignore[reportArgumentType]
        tol=1e-4,
        max_iter=1000,
    )
    order = np.lexsort((labels.numpy(), code[:, 0].numpy()))
    with warnings.catch_warnings():
        warnings.simplefilter("error", ConvergenceWarning)
        try:
            return machine.fit(code.numpy()[order], labels.numpy()[order])
        except ConvergenceWarning as error:
            raise NotConverged(
                f"a support vector machine did not converge in {machine.max_iter} steps. Codes of "
                "extreme scale can cause this: look at their means and standard deviations, and "
                "rescale them."
            ) from error


@takes_arrays
def sap_r2(codes: Float[Tensor, "n d"], factors: Int[Tensor, "n k"]) -> Float[Tensor, ""]:
    """How much better the best latent fits a factor by a line than the second; 0 worst, 1 best.

    S[k, j] = cov(z_j, v_k)^2 / (var z_j var v_k), the squared Pearson correlation of latent j with
    the value index of factor k, over the rows given. The score is the mean over factors k of
    max_j S[k, j] minus the second largest S[k, j]. Nothing is drawn: give the whole grid.

    This is Kumar et al.'s score for regression. It is not on the scale of `sap`, the variant by
    classifiers, where a perfect code scores about 0.3: never mix the two. Cyclic and unordered
    factors (orientation, shape) are treated as the numbers of their values, so that a latent that
    codes them in another order scores less.

    A factor with one value is left out (the reference returns nan). S is 0 for a latent of a
    variance of 1e-12 or less, and for the second latent where there is only one.

    Args:
        codes: One latent vector per image, usually posterior means.
        factors: The same images' ground-truth factor values, counted from 0.
    Returns:
        float64 scalar on the device of `codes`; a share of variance, no unit.
    Raises:
        ValueError: Tables that do not match, values that are not finite, or no factor that varies.
    References:
        Kumar et al. (2018), "Variational Inference of Disentangled Latent Concepts from Unlabeled
        Observations", section 3, https://arxiv.org/abs/1711.00848.
    Example:
        >>> factors = torch.cartesian_prod(torch.arange(4), torch.arange(3))
        >>> sap_r2(-7.0 * factors, factors)
        tensor(1., dtype=torch.float64)
    """
    correlations = single_r2(codes, factors)[varying(factors).to(codes.device)]
    # A column of zeros stands for the second latent where there is only one.
    return sap_of_matrix(torch.cat([correlations, torch.zeros_like(correlations[:, :1])], dim=1))


def sap_of_matrix(matrix: Float[Tensor, "k d"]) -> Float[Tensor, ""]:
    """Mean over factors of the largest minus the second largest entry of each row.

    Args:
        matrix: How well every latent alone predicts every factor. Rows of nan are left out.
    Raises:
        ValueError: Fewer than two latents, or no row without nan.
    Example:
        >>> sap_of_matrix(torch.tensor([[0.9, 0.2, 0.4], [0.5, 0.5, 0.1]]))
        tensor(0.2500, dtype=torch.float64)
    """
    if matrix.ndim != 2 or matrix.shape[1] < 2:
        raise ValueError(
            f"the matrix has shape {list(matrix.shape)}, but one row per factor and two or more "
            "latents are wanted: a gap is between two. Add a constant latent to a single one."
        )
    known = matrix.double()[~matrix.isnan().any(1)]
    if not len(known):
        raise ValueError(
            f"none of the {len(matrix)} factors has two values in the rows drawn. "
            "A score needs a factor that varies: draw more rows."
        )
    best, second = known.topk(2, dim=1).values.T
    return (best - second).mean()


def _with_second(sample: Sample) -> Sample:
    """The same, with a constant latent beside a single one."""
    if sample.codes.shape[1] > 1:
        return sample
    return sample._replace(codes=torch.cat([sample.codes, torch.zeros_like(sample.codes)], dim=1))
