# SPDX-License-Identifier: Apache-2.0
"""How well a linear classifier on the whole code recovers each factor's value."""

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from disent.metrics.arrays import takes_arrays
from disent.metrics.samples import Sample, draw, varying
from disent.metrics.solvers.classifier import LinearClassifier, fit_one_vs_rest, fit_softmax

CLASSIFIERS = {"softmax": fit_softmax, "one_vs_rest": fit_one_vs_rest}


@takes_arrays
def explicitness(
    codes: Float[Tensor, "n d"],
    factors: Int[Tensor, "n k"],
    *,
    seed: int = 0,
    train: int = 10_000,
    test: int = 5_000,
    classifier: str = "softmax",
) -> Float[Tensor, ""]:
    """Area under the ROC curve of telling each factor's values, linearly; 0.5 is chance, 1 best.

    For each factor a logistic regression (L2 penalty 1) learns the value from `train` rows of the
    code, each latent standardised by their mean and standard deviation. On `test` new rows, every
    value v has an area under its curve: the probability that a row with v is given a higher
    probability of v than a row without, ties counted half. The score is the mean over values, then
    over factors. It says whether the code holds the factors in a linear form, not whether it
    separates them: a perfect code and its rotations score alike. Chance can put it below 0.5.

    The classifier matters. "softmax" fits all values together and is what scikit-learn does since
    release 0.22, as here `fit_softmax`. "one_vs_rest" fits each value against the others, with
    penalised intercepts, as scikit-learn did when Locatello et al. published, `fit_one_vs_rest`:
    a line between a middle value and all others is a poor one. On a perfect code of dSprites they
    give 0.98 and 0.92, and with fewer values 1.00 and 0.96: never mix the two. Some suites score
    the train rows themselves, or report 2 AUC - 1.

    Draws are with replacement and come from the seed alone. A factor with one value in the train
    or in the test rows is left out, as is a value with no test rows (the reference raises). A value
    without train rows is given the same probability everywhere: 0.5. Latents that are constant in
    the train rows are dropped (the reference raises); with none left, the score is 0.5.

    Args:
        codes: One latent vector per image, usually posterior means.
        factors: The same images' ground-truth factor values, counted from 0.
        seed: Of the draws, >= 0.
        train: Rows the classifier learns from.
        test: Rows of the score.
        classifier: "softmax" or "one_vs_rest".
    Returns:
        float64 scalar on the device of `codes`, in [0, 1]; a probability, no unit.
    Raises:
        ValueError: Tables that do not match, values that are not finite, a number of rows below 1,
            another classifier, or no factor that varies.
    References:
        Ridgeway & Mozer (2018), "Learning Deep Disentangled Embeddings With the F-Statistic Loss",
        section 3, https://arxiv.org/abs/1802.05312.
        Locatello et al. (2019), "Challenging Common Assumptions in the Unsupervised Learning of
        Disentangled Representations", appendix C, https://arxiv.org/abs/1811.12359.
    Example:
        >>> factors = torch.cartesian_prod(torch.arange(4), torch.arange(3))
        >>> explicitness(factors.float(), factors, train=500, test=500)
        tensor(1., dtype=torch.float64)
    """
    samples = draw(codes, factors, train, test, seed=seed)
    varying(factors)
    areas = explicitness_per_factor(*samples, classifier=classifier)
    if bool(areas.isnan().all()):
        raise ValueError(
            f"none of the {len(areas)} factors has two values both in the {train} train rows and "
            f"in the {test} test rows drawn. Draw more rows of each."
        )
    return areas.nanmean()


def explicitness_per_factor(
    train: Sample, test: Sample, *, classifier: str = "softmax"
) -> Float[Tensor, "k"]:
    """The mean area under the curve of each factor, as in `explicitness`, of given rows.

    nan for a factor with one value in either sample.

    Example:
        >>> rows = Sample(torch.tensor([[0.0], [1.0], [2.0]]), torch.tensor([[1], [1], [0]]))
        >>> explicitness_per_factor(rows, rows)
        tensor([1.], dtype=torch.float64)
    """
    if classifier not in CLASSIFIERS:
        raise ValueError(
            f"classifier is {classifier!r}, but one of {', '.join(map(repr, CLASSIFIERS))} is "
            "wanted. 'softmax' is the default; 'one_vs_rest' is that of the first publications."
        )
    features, judged = _standardised(train.codes, test.codes)
    areas = features.new_full((train.factors.shape[1],), torch.nan)
    for k in range(len(areas)):
        labels, truth = train.factors[:, k], test.factors[:, k]
        if bool((labels != labels[0]).any()) and bool((truth != truth[0]).any()):
            values = int(torch.maximum(labels.max(), truth.max())) + 1
            model = CLASSIFIERS[classifier](features, labels, values)
            present, target = truth.unique(return_inverse=True)
            scores = _log_probabilities(model, judged, classifier)[:, present]
            areas[k] = roc_auc(scores, torch.nn.functional.one_hot(target).bool()).mean()
    return areas


def roc_auc(scores: Float[Tensor, "n c"], truth: Bool[Tensor, "n c"]) -> Float[Tensor, "c"]:
    """Area under the ROC curve of each column, by ranks; ties count half.

    nan for a column of `truth` that is all true or all false.

    References:
        Hanley & McNeil (1982), "The Meaning and Use of the Area under a Receiver Operating
        Characteristic (ROC) Curve", https://doi.org/10.1148/radiology.143.1.7063747.
    Example:
        >>> scores = torch.tensor([[0.1], [0.4], [0.4], [0.8]])
        >>> roc_auc(scores, torch.tensor([[False], [True], [False], [True]]))
        tensor([0.8750], dtype=torch.float64)
    """
    columns = scores.T.contiguous()
    ordered = columns.sort(dim=1).values
    # The mean rank of equal scores, counted from 1.
    below = torch.searchsorted(ordered, columns)
    rank = (below + torch.searchsorted(ordered, columns, right=True) + 1).double() / 2
    positive = truth.sum(0).double()
    pairs = positive * (len(truth) - positive)
    return ((rank * truth.T).sum(1) - positive * (positive + 1) / 2) / pairs


def _standardised(train: Tensor, test: Tensor) -> tuple[Tensor, Tensor]:
    """Columns by mean and standard deviation of the train rows; without those constant there."""
    x = train.double()
    mean, scale = x.mean(0), x.std(0, correction=0)
    kept = scale > 0
    return ((x - mean) / scale)[:, kept], ((test.double() - mean) / scale)[:, kept]


def _log_probabilities(
    model: LinearClassifier, features: Float[Tensor, "n p"], classifier: str
) -> Float[Tensor, "n c"]:
    """Of every class; those of one-vs-rest are scaled to sum to 1, as liblinear does."""
    logits = features @ model.weights + model.intercepts
    if classifier == "one_vs_rest":
        logits = torch.nn.functional.logsigmoid(logits)
    return logits.log_softmax(-1)
