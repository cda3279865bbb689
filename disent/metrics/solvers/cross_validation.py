# SPDX-License-Identifier: Apache-2.0
"""Logistic regression whose penalty is chosen by how well it predicts rows held back."""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from disent.metrics.solvers.classifier import LinearClassifier, fit_softmax

# The inverse penalties that scikit-learn tries by default: ten from 1e-4 to 1e4.
INVERSE_PENALTIES = [10 ** (-4 + 8 * i / 9) for i in range(10)]
# The penalty is chosen on so many rows at most; the gradient of a fit for that may be so large.
MOST_ROWS, TOLERANCE = 2000, 1e-6


def fit_cross_validated(
    features: Float[Tensor, "n p"], labels: Int[Tensor, "n"], classes: int, *, folds: int = 5
) -> LinearClassifier:
    """Softmax regression of all rows, with the penalty that predicts held-back rows best.

    The rows are cut, in their order, into equal folds; each is predicted by a fit to the others,
    and the penalty of the highest mean accuracy is taken, the strongest of equal ones. This is
    scikit-learn's LogisticRegressionCV(Cs=10, cv=KFold(5)), except that it chooses on the first
    2,000 rows at most, and solves to the optimum. With fewer rows than folds, or folds that cannot
    be told apart, the strongest penalty is taken.

    Args:
        features: Not scaled.
        labels: Classes from 0 to `classes` - 1.
        classes: How many classes there are.
        folds: At least 2.
    Raises:
        NotConverged: A fit did not reach its optimum.
    References:
        Hastie et al. (2009), "The Elements of Statistical Learning", section 7.10.
    Example:
        >>> model = fit_cross_validated(torch.tensor([[0.0], [1.0]] * 5), torch.arange(10) % 2, 2)
        >>> model.predict(torch.tensor([[0.2], [0.9]]))
        tensor([0, 1])
    """
    accuracies = torch.zeros(len(INVERSE_PENALTIES), dtype=torch.float64)
    x, y = features[:MOST_ROWS], labels[:MOST_ROWS]
    parts = torch.arange(len(x), device=x.device).tensor_split(folds) if len(x) >= folds else ()
    for held_back in parts:
        kept = torch.ones(len(x), dtype=torch.bool, device=x.device)
        kept[held_back] = False
        model = None
        for i, inverse in enumerate(INVERSE_PENALTIES):
            model = fit_softmax(
                x[kept], y[kept], classes, penalty=1 / inverse, tolerance=TOLERANCE, start=model
            )
            accuracies[i] += model.accuracy(x[held_back], y[held_back]).cpu()
    best = INVERSE_PENALTIES[int(accuracies.argmax())]
    return fit_softmax(features, labels, classes, penalty=1 / best)
