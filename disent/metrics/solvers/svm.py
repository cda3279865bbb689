# SPDX-License-Identifier: Apache-2.0
"""Linear support vector machines on one feature, many at once, solved to their optimum.

Our own solver, so that a score does not move with the defaults of another package's release. A
machine on one feature has two parameters, and the images inside its margin are those beyond a
threshold: with the feature sorted and summed once, a Newton step costs a bisection.
"""

from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from disent.metrics.solvers.convergence import NotConverged

MAX_STEPS = 200
STEP_SIZES = 0.5 ** torch.arange(30, dtype=torch.float64)


class ScalarMachines(NamedTuple):
    """For each of d features alone, scores of c classes.

    Attributes:
        mean, scale: Float64[d], of the features trained on; the weights are of (x - mean) / scale.
        weights, intercepts: Float64[d, c].
    """

    mean: Float[Tensor, "d"]
    scale: Float[Tensor, "d"]
    weights: Float[Tensor, "d c"]
    intercepts: Float[Tensor, "d c"]

    def predict(self, features: Float[Tensor, "n d"]) -> Int[Tensor, "n d"]:
        """Per feature, the class of the highest score; the lowest class on ties."""
        z = (features.double() - self.mean) / self.scale
        machines = zip(z.T, self.weights, self.intercepts, strict=True)
        return torch.stack([(x[:, None] * w + b).argmax(1) for x, w, b in machines], dim=1)

    def accuracy(self, features: Float[Tensor, "n d"], labels: Int[Tensor, "n"]) -> Tensor:
        """Per feature, the share of rows classified as `labels`, float64[d] in [0, 1]."""
        return (self.predict(features) == labels[:, None]).double().mean(0)


def fit_scalar_machines(
    features: Float[Tensor, "n d"], labels: Int[Tensor, "n"], classes: int, *, cost: float = 0.01
) -> ScalarMachines:
    """One-vs-rest machines of every feature alone, f(x) = w x + b, by Newton's method.

    Each minimises (w^2 + b^2) / 2 + cost * sum over images of c max(0, 1 - y f)^2, y = 1 in the
    class and -1 in the rest. c is n / (number of classes * size of the class) in the class, and 1
    in the rest; with two classes, which mirror each other, the rest has the weight of its class.
    scikit-learn's LinearSVC(C=cost, class_weight="balanced") has the same optimum: features are
    not scaled, and the intercept is penalised. A class without a row in `labels` is never
    predicted: its intercept is -inf.

    Args:
        features: float64 arithmetic, whatever the dtype.
        labels: Classes from 0 to `classes` - 1.
        classes: How many classes there are.
        cost: > 0.
    References:
        Fan et al. (2008), "LIBLINEAR: A Library for Large Linear Classification", section 2,
        https://www.jmlr.org/papers/v9/fan08a.html.
        Keerthi & DeCoste (2005), "A Modified Finite Newton Method for Fast Solution of Large Scale
        Linear SVMs", https://www.jmlr.org/papers/v6/keerthi05a.html.
    Example:
        >>> machines = fit_scalar_machines(torch.tensor([[-9.0], [9.0]]), torch.tensor([0, 1]), 2)
        >>> machines.predict(torch.tensor([[-2.0], [3.0]])).flatten()
        tensor([0, 1])
    """
    if cost <= 0:
        raise ValueError(f"cost must be > 0, got {cost}. The field's usual value is 0.01.")
    x = features.double()
    mean, scale = x.mean(0), x.std(0, correction=0)
    scale = torch.where(scale > 0, scale, 1.0)
    present, target = labels.unique(return_inverse=True)
    problem = _problem((x - mean) / scale, target, cost, mean / scale, 1 / scale)
    weights = x.new_zeros(x.shape[1], classes)
    intercepts = x.new_full((x.shape[1], classes), -torch.inf)
    weights[:, present], intercepts[:, present] = _newton(problem)
    return ScalarMachines(mean, scale, weights, intercepts)


class _Moments(NamedTuple):
    """Sorted numbers, and the count, sum and sum of squares of the first 0, 1, 2 ... of them."""

    values: Float[Tensor, "*b n"]
    sums: Float[Tensor, "*b n1 3"]

    @classmethod
    def of(cls, values: Float[Tensor, "*b n"]) -> "_Moments":
        """Of numbers that rise along the last axis; inf stands for no number."""
        z = torch.where(values.isinf(), 0.0, values)
        powers = torch.stack([values.isfinite().double(), z, z.square()], dim=-1)
        return cls(values, torch.nn.functional.pad(powers.cumsum(-2), (0, 0, 1, 0)))

    def beyond(
        self, threshold: Float[Tensor, "*b t"], below: Bool[Tensor, "*b t"]
    ) -> Float[Tensor, "*b t 3"]:
        """Of the numbers below each threshold, or else of those above."""
        rank = torch.searchsorted(self.values, threshold)
        sums = self.sums.gather(-2, rank[..., None].expand(*rank.shape, 3))
        return torch.where(below[..., None], sums, self.sums[..., -1:, :] - sums)


class _Value(NamedTuple):
    """Loss, its gradient and its Hessian in (u, v), of shape [d, c, t] each."""

    loss: Tensor
    gradient: tuple[Tensor, Tensor]
    hessian: tuple[Tensor, Tensor, Tensor]
    determinant: Tensor


class _Problem(NamedTuple):
    """The losses of f = u z + v, for d standardised features z = (x - mean) / scale, c classes.

    `offset` is mean / scale and `slope` 1 / scale: w = slope u and b = v - offset u.
    """

    own: _Moments
    all: _Moments
    cost: Float[Tensor, "c 1"]
    cost_of_rest: Float[Tensor, "c 1"]
    offset: Float[Tensor, "d 1 1"]
    slope: Float[Tensor, "d 1 1"]

    def inside(
        self, u: Float[Tensor, "d c t"], v: Float[Tensor, "d c t"]
    ) -> tuple[Float[Tensor, "d c t 3"], Float[Tensor, "d c t 3"]]:
        """Moments of the images inside the margin, f < 1 in the class and f > -1 in the rest."""
        rising = u >= 0
        own = self.own.beyond((1 - v) / u, rising)
        threshold = (-1 - v) / u
        every = self.all.beyond(threshold.flatten(1), ~rising.flatten(1)).view_as(own)
        return own, every - self.own.beyond(threshold, ~rising)

    def at(self, u: Float[Tensor, "d c t"], v: Float[Tensor, "d c t"]) -> _Value:
        own, rest = self.inside(u, v)
        n, z, zz = (2 * self.cost[..., None] * own).unbind(-1)
        rest_n, rest_z, rest_zz = (2 * self.cost_of_rest[..., None] * rest).unbind(-1)
        # Inside the margin the loss is cost (1 - f)^2 or cost (1 + f)^2.
        loss = n * (1 - v) ** 2 - 2 * (1 - v) * u * z + u**2 * zz
        loss = loss + rest_n * (1 + v) ** 2 + 2 * (1 + v) * u * rest_z + u**2 * rest_zz
        w, b = self.slope * u, v - self.offset * u
        d_u = rest_z - z + v * (z + rest_z) + u * (zz + rest_zz) + self.slope * w - self.offset * b
        d_v = rest_n - n + v * (n + rest_n) + u * (z + rest_z) + b
        n, z, zz = n + rest_n, z + rest_z, zz + rest_zz
        penalty = self.slope**2 + self.offset**2
        # In parts that are not negative: their sum as a whole would cancel for an offset far off 0.
        determinant = (n * zz - z**2).clamp(min=0) + self.slope**2
        determinant += (penalty * n + 2 * self.offset * z + zz).clamp(min=0)
        hessian = (zz + penalty, z - self.offset, n + 1)
        return _Value((loss + w**2 + b**2) / 2, (d_u, d_v), hessian, determinant)


def _problem(z: Tensor, target: Tensor, cost: float, offset: Tensor, slope: Tensor) -> _Problem:
    """Sorts z [n, d] as a whole and class by class."""
    rows, counts = z.T.contiguous(), target.bincount()
    values, order = rows.sort(dim=1)
    label = target[order]
    place = label.argsort(dim=1, stable=True)
    starts = counts.cumsum(0) - counts
    grouped = rows.new_full((len(rows), len(counts), int(counts.max())), torch.inf)
    # After the stable sort, classes come one after another, each of them rising.
    label, values_by_class = label.gather(1, place), values.gather(1, place)
    rank = torch.arange(len(target), device=z.device) - starts[label[0]]
    grouped[:, label[0], rank] = values_by_class
    weight = cost * len(target) / (len(counts) * counts.double())
    rest = weight.flip(0) if len(counts) == 2 else torch.full_like(weight, cost)
    return _Problem(
        _Moments.of(grouped),
        _Moments.of(values),
        weight[:, None],
        rest[:, None],
        offset[:, None, None],
        slope[:, None, None],
    )


def _newton(problem: _Problem) -> tuple[Float[Tensor, "d c"], Float[Tensor, "d c"]]:
    """Damped Newton from 0, for all machines at once; a loss made of parabolas has a finite way."""
    u = v = problem.offset.new_zeros(len(problem.offset), len(problem.cost), 1)
    sizes = STEP_SIZES.to(u.device)
    rounding = 1e-12 * problem.at(u, v).loss
    for _ in range(MAX_STEPS):
        here = problem.at(u, v)
        (d_u, d_v), (uu, uv, vv) = here.gradient, here.hessian
        step_u = (vv * d_u - uv * d_v) / here.determinant
        step_v = (uu * d_v - uv * d_u) / here.determinant
        gain = d_u * step_u + d_v * step_v
        ahead = problem.at(u - sizes * step_u, v - sizes * step_v)
        # A step that changes the loss by no more than its rounding is the last: take it whole.
        enough = (ahead.loss <= here.loss - 0.25 * sizes * gain) | (gain <= rounding)
        size = sizes[enough.int().argmax(-1, keepdim=True)]
        u, v = u - size * step_u, v - size * step_v
        if bool((gain <= rounding).all()):
            return u[..., 0], v[..., 0]
    raise NotConverged(
        f"the support vector machines did not converge in {MAX_STEPS} steps. Codes of extreme "
        "scale can cause this: look at their means and standard deviations, and rescale them."
    )
