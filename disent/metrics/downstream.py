# SPDX-License-Identifier: Apache-2.0
"""How well, and from how few examples, the factors are learnt from the code."""

from collections.abc import Callable
from typing import Literal, NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor

from disent.metrics.arrays import takes_arrays
from disent.metrics.samples import Sample, draw, varying
from disent.metrics.solvers.boosting import boost
from disent.metrics.solvers.cross_validation import fit_cross_validated

FEWER = (10, 100, 1000)

# of train and test codes and the train rows' factors, what the test rows' factors are taken for
Predictor = Callable[[Sample, Float[Tensor, "m d"]], Int[Tensor, "m k"]]


class Downstream(NamedTuple):
    """Test accuracies, averaged over factors, and their ratios; float64 scalars.

    Attributes:
        accuracy: Having learnt from all `train` rows, 10,000 if not said otherwise.
        accuracy_1000: From 1,000.
        accuracy_100: From 100.
        accuracy_10: From 10.
        efficiency_1000: accuracy_1000 / accuracy, the share that fewer examples reach.
        efficiency_100: accuracy_100 / accuracy.
    """

    accuracy: Float[Tensor, ""]
    accuracy_1000: Float[Tensor, ""]
    accuracy_100: Float[Tensor, ""]
    accuracy_10: Float[Tensor, ""]
    efficiency_1000: Float[Tensor, ""]
    efficiency_100: Float[Tensor, ""]


@takes_arrays
def downstream(
    codes: Float[Tensor, "n d"],
    factors: Int[Tensor, "n k"],
    *,
    model: Literal["logistic", "trees"] = "logistic",
    seed: int = 0,
    train: int = 10_000,
    test: int = 5_000,
) -> Downstream:
    """Accuracy and sample efficiency of learning the factors from the code; 1 is best.

    For each factor, a classifier learns its value from 10, 100, 1,000 and `train` rows; its
    accuracy on `test` other rows is averaged over factors; chance is worst. Efficiencies may exceed
    1 where more examples did not help: read them beside the accuracies, since a code that tells
    nothing is learnt from few examples.

    "logistic": softmax regression with an L2 penalty, chosen out of ten by five-fold
    cross-validation. Locatello et al. take scikit-learn's LogisticRegressionCV, which was
    one-vs-rest before release 0.22, and choose the penalty on all rows (here on 2,000 at most, see
    `disent.metrics.solvers.cross_validation`). The penalty acts on unscaled codes. "trees": 100
    stages of boosted trees of depth 3, those of scikit-learn's GradientBoostingClassifier but for
    codes of more than 64 values, which are cut into 64 bins of equal shares, as in `dci`, where the
    two agree in accuracy to 0.015 from 10,000 rows; `accuracy` then is the informativeness of
    `dci`, but for the draws. Theirs are new test rows for each number of train rows, here the same
    judge all.

    Draws are with replacement and come from the seed alone. Factors that have one value in
    `factors` are left out; values that the train rows lack are never predicted. Ten latents and
    the six factors of 3D Shapes take 10 seconds of one core, and 20 by trees.

    Args:
        codes: One latent vector per image, usually posterior means.
        factors: The same images' ground-truth factor values, counted from 0.
        model: What learns.
        seed: Of the draws, >= 0.
        train: The most rows to learn from, at least 1,000.
        test: Rows of the accuracy.
    Returns:
        float64 scalars on the device of `codes`.
    Raises:
        ValueError: Tables that do not match, values that are not finite, no factor that varies,
            numbers of rows out of range, or a regression that does not converge (NotConverged).
    References:
        Locatello et al. (2019), "Challenging Common Assumptions in the Unsupervised Learning of
        Disentangled Representations", section 5.5, https://arxiv.org/abs/1811.12359.
    Example:
        >>> factors = torch.cartesian_prod(torch.arange(2), torch.arange(2))
        >>> downstream(9.0 * factors, factors, train=1000, test=100).accuracy_100
        tensor(1., dtype=torch.float64)
    """
    if model not in PREDICTORS:
        raise ValueError(f"model must be 'logistic' or 'trees', got {model!r}.")
    if train < FEWER[-1]:
        raise ValueError(
            f"train is {train}, but at least {FEWER[-1]} rows are wanted: fewer are learnt from in "
            "any case. The field's number is 10,000."
        )
    *learnt, judged = draw(codes, factors, *FEWER, train, test, seed=seed)
    chosen = varying(factors).to(codes.device)
    kept = [Sample(s.codes.double(), s.factors[:, chosen]) for s in (*learnt, judged)]
    ten, hundred, thousand, most = (
        accuracies(s, kept[-1], PREDICTORS[model]).mean() for s in kept[:-1]
    )
    return Downstream(most, thousand, hundred, ten, thousand / most, hundred / most)


def accuracies(train: Sample, test: Sample, predict: Predictor) -> Float[Tensor, "k"]:
    """Share of the test rows whose value of each factor is predicted rightly; float64.

    Example:
        >>> sample = Sample(torch.tensor([[0.0], [1.0]]), torch.tensor([[0, 1], [1, 1]]))
        >>> accuracies(sample, sample, lambda train, codes: torch.ones(2, 2))
        tensor([0.5000, 1.0000], dtype=torch.float64)
    """
    return (predict(train, test.codes) == test.factors).double().mean(0)


def _logistic(train: Sample, codes: Float[Tensor, "m d"]) -> Int[Tensor, "m k"]:
    columns = []
    for labels in train.factors.T:
        model = fit_cross_validated(train.codes, labels, int(labels.max()) + 1)
        columns.append(model.predict(codes))
    return torch.stack(columns, 1)


def _trees(train: Sample, codes: Float[Tensor, "m d"]) -> Int[Tensor, "m k"]:
    return boost(train.codes, train.factors, codes).test


PREDICTORS: dict[str, Predictor] = {"logistic": _logistic, "trees": _trees}
