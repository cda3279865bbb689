# SPDX-License-Identifier: Apache-2.0
"""Logistic regression, softmax or one-vs-rest, solved to its optimum: inside some scores.

Our own solver, so that a score does not move with the defaults of another package's release.
"""

from typing import NamedTuple, Protocol

import torch
from jaxtyping import Float, Int
from torch import Tensor

from disent.metrics.solvers.convergence import NotConverged


class LinearClassifier(NamedTuple):
    """Scores of c classes, linear in the features.

    Attributes:
        weights: Float64[p, c].
        intercepts: Float64[c].
    """

    weights: Float[Tensor, "p c"]
    intercepts: Float[Tensor, "c"]

    def predict(self, features: Float[Tensor, "n p"]) -> Int[Tensor, "n"]:
        """The class of the highest score; the lowest class on ties."""
        return (features.to(self.weights.dtype) @ self.weights + self.intercepts).argmax(-1)

    def accuracy(self, features: Float[Tensor, "n p"], labels: Int[Tensor, "n"]) -> Tensor:
        """Share of rows classified as `labels`, float64 in [0, 1]."""
        return (self.predict(features) == labels).double().mean()


def fit_softmax(
    features: Float[Tensor, "n p"],
    labels: Int[Tensor, "n"],
    classes: int,
    *,
    penalty: float = 1.0,
    tolerance: float = 1e-9,
    max_steps: int = 200,
    start: LinearClassifier | None = None,
) -> LinearClassifier:
    """Minimises sum of cross-entropies (nats) + penalty / 2 * |weights|^2, by Newton's method.

    scikit-learn's LogisticRegression(C=1/penalty) has the same optimum. Features are not scaled
    and intercepts not penalised. Intercepts are unique up to a shift of all; theirs sum to 0. A
    class without a row in `labels` is never predicted: its intercept is -inf.

    Args:
        features: float64 arithmetic, whatever the dtype.
        labels: Classes from 0 to `classes` - 1.
        classes: How many classes there are.
        penalty: > 0, so that the optimum exists also for separable classes.
        tolerance: Stop when no component of the gradient of the mean loss exceeds this, times the
            largest absolute feature where that is above 1.
        max_steps: NotConverged if that many Newton steps do not suffice.
        start: Where to begin, such as the optimum of another penalty on the same rows: fewer steps
            to the same end. None: at 0.
    References:
        Hastie et al. (2009), "The Elements of Statistical Learning", section 4.4.1.
    Example:
        >>> model = fit_softmax(torch.tensor([[0.0], [1.0]]), torch.tensor([0, 1]), classes=2)
        >>> model.predict(torch.tensor([[0.2], [0.7]]))
        tensor([0, 1])
    """
    if penalty <= 0:
        raise ValueError(f"penalty must be > 0, got {penalty}. The field's usual value is 1.")
    x, present, target = _prepared(features, labels)
    # x holds a column of ones, so this is at least one per row.
    limit = tolerance * len(x) * float(x.abs().max())
    begin = None
    if start is not None:
        begin = torch.cat([start.weights[:, present], start.intercepts[None, present]])
    theta = _newton(_Softmax(x, target, penalty), limit, max_steps, begin)
    theta[-1] -= theta[-1].mean()
    return _classifier(theta, present, classes)


def fit_one_vs_rest(
    features: Float[Tensor, "n p"],
    labels: Int[Tensor, "n"],
    classes: int,
    *,
    penalty: float = 1.0,
    tolerance: float = 1e-9,
    max_steps: int = 200,
) -> LinearClassifier:
    """For each class, two-class logistic regression against all others, by Newton's method.

    Each minimises sum of cross-entropies (nats) + penalty / 2 * (|weights|^2 + intercept^2): the
    intercept is penalised too, unlike in `fit_softmax`. liblinear has the same optimum, so
    scikit-learn's LogisticRegression(C=1/penalty) had it before release 0.22, where
    solver="liblinear" and one-vs-rest were the defaults. The score of a class is its log-odds
    against the rest. A class without a row in `labels` is never predicted: its intercept is -inf.

    Args, tolerance and errors are those of `fit_softmax`.

    References:
        Fan et al. (2008), "LIBLINEAR: A Library for Large Linear Classification", section 2,
        https://www.jmlr.org/papers/v9/fan08a.html.
    Example:
        >>> features, labels = torch.tensor([[-2.0], [2.0]]), torch.tensor([0, 1])
        >>> fit_one_vs_rest(features, labels, classes=2).predict(torch.tensor([[-1.0], [0.5]]))
        tensor([0, 1])
    """
    if penalty <= 0:
        raise ValueError(f"penalty must be > 0, got {penalty}. The field's usual value is 1.")
    x, present, target = _prepared(features, labels)
    limit = tolerance * len(x) * float(x.abs().max())
    theta = _newton(_OneVsRest(x, target, penalty), limit, max_steps)
    return _classifier(theta, present, classes)


def _prepared(features: Tensor, labels: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Features with a column of ones, the classes that have rows, and each row's class, one-hot."""
    present, target = labels.unique(return_inverse=True)
    x = torch.cat([features.double(), features.new_ones(len(features), 1).double()], dim=1)
    return x, present, torch.nn.functional.one_hot(target).double()


def _classifier(theta: Tensor, present: Tensor, classes: int) -> LinearClassifier:
    """Parameters of the classes that have rows, put where they belong among all."""
    weights = theta.new_zeros(len(theta) - 1, classes)
    intercepts = theta.new_full((classes,), -torch.inf)
    weights[:, present], intercepts[present] = theta[:-1], theta[-1]
    return LinearClassifier(weights, intercepts)


class _Problem(Protocol):
    """A convex loss of parameters theta [p + 1, c], intercepts in the last row."""

    @property
    def x(self) -> Float[Tensor, "n p1"]: ...

    @property
    def target(self) -> Float[Tensor, "n c"]: ...

    def loss(self, theta: Float[Tensor, "p1 c"]) -> Float[Tensor, ""]: ...

    def gradient(self, theta: Float[Tensor, "p1 c"]) -> Float[Tensor, "p1 c"]: ...

    def direction(
        self, theta: Float[Tensor, "p1 c"], gradient: Float[Tensor, "p1 c"]
    ) -> Float[Tensor, "p1 c"]:
        """Inverse Hessian times gradient."""
        ...


class _OneVsRest(NamedTuple):
    """The sum over classes of their penalised losses, each of its own column of theta."""

    x: Float[Tensor, "n p1"]
    target: Float[Tensor, "n c"]
    penalty: float

    def loss(self, theta: Float[Tensor, "p1 c"]) -> Float[Tensor, ""]:
        logits = self.x @ theta
        fit = torch.nn.functional.softplus(logits * (1 - 2 * self.target)).sum()
        return fit + self.penalty / 2 * theta.square().sum()

    def gradient(self, theta: Float[Tensor, "p1 c"]) -> Float[Tensor, "p1 c"]:
        return self.x.T @ ((self.x @ theta).sigmoid() - self.target) + self.penalty * theta

    def direction(
        self, theta: Float[Tensor, "p1 c"], gradient: Float[Tensor, "p1 c"]
    ) -> Float[Tensor, "p1 c"]:
        p = (self.x @ theta).sigmoid()
        hessians = _weighted_squares(self.x, p * (1 - p))
        hessians.diagonal(dim1=1, dim2=2).add_(self.penalty)
        return torch.linalg.solve(hessians, gradient.T[..., None])[..., 0].T


class _Softmax(NamedTuple):
    """The penalised loss of parameters theta [p + 1, c], intercepts in the last row."""

    x: Float[Tensor, "n p1"]
    target: Float[Tensor, "n c"]
    penalty: float

    def loss(self, theta: Float[Tensor, "p1 c"]) -> Float[Tensor, ""]:
        logits = self.x @ theta
        fit = logits.logsumexp(-1).sum() - (logits * self.target).sum()
        return fit + self.penalty / 2 * theta[:-1].square().sum()

    def gradient(self, theta: Float[Tensor, "p1 c"]) -> Float[Tensor, "p1 c"]:
        gradient = self.x.T @ ((self.x @ theta).softmax(-1) - self.target)
        gradient[:-1] += self.penalty * theta[:-1]
        return gradient

    def hessian(self, theta: Float[Tensor, "p1 c"]) -> Float[Tensor, "p1c p1c"]:
        """Second derivatives, made regular: the loss is flat along a shift of all intercepts."""
        p = (self.x @ theta).softmax(-1)
        rows, classes = theta.shape
        # sum over images of x x' (diag(p) - p p'): the second part first, as one product
        weighted = (self.x[:, :, None] * p[:, None, :]).flatten(1)
        hessian = -(weighted.T @ weighted).view(rows, classes, rows, classes)
        hessian.diagonal(dim1=1, dim2=3).add_(_weighted_squares(self.x, p).permute(1, 2, 0))
        ridge = theta.new_full((rows,), self.penalty)
        # The intercepts' own curvature vanishes as classes separate; rounding must not win then.
        ridge[-1] = 1e-10 * len(self.x)
        hessian = hessian.reshape(rows * classes, -1)
        hessian.diagonal().add_(ridge.repeat_interleave(classes))
        return hessian

    def direction(
        self, theta: Float[Tensor, "p1 c"], gradient: Float[Tensor, "p1 c"]
    ) -> Float[Tensor, "p1 c"]:
        return torch.linalg.solve(self.hessian(theta), gradient.flatten()).view_as(theta)


def _weighted_squares(
    x: Float[Tensor, "n p1"], weights: Float[Tensor, "n c"]
) -> Float[Tensor, "c p1 p1"]:
    """For each class, the sum over images of weight x x'."""
    return torch.stack([(x * weight[:, None]).T @ x for weight in weights.T])


def _newton(
    problem: _Problem, tolerance: float, max_steps: int, begin: Float[Tensor, "p1 c"] | None = None
) -> Float[Tensor, "p1 c"]:
    """Damped Newton from 0 or elsewhere; the loss is convex, so the end is the same."""
    theta = problem.x.new_zeros(problem.x.shape[1], problem.target.shape[1])
    theta = theta if begin is None else begin
    loss = problem.loss(theta)
    rounding = 1e-12 * loss
    for _ in range(max_steps):
        gradient = problem.gradient(theta)
        if gradient.abs().max() <= tolerance:
            return theta
        direction = problem.direction(theta, gradient)
        slope = (gradient * direction).sum()
        size = 1.0
        # A step that changes the loss by no more than its rounding is near the end: take it whole.
        while slope > rounding and problem.loss(theta - size * direction) > (
            loss - 0.25 * size * slope
        ):
            size /= 2
        theta = theta - size * direction
        loss = problem.loss(theta)
    raise NotConverged(
        f"the logistic regression did not converge in {max_steps} steps: the largest gradient is "
        f"{float(problem.gradient(theta).abs().max()):.2g}, wanted {tolerance:.2g}. Codes of "
        "extreme scale can cause this: look at their standard deviations, and rescale them."
    )
