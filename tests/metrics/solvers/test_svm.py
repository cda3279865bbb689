# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.svm import LinearSVC

from disent.metrics.solvers import svm
from disent.metrics.solvers.convergence import NotConverged
from disent.metrics.solvers.svm import _newton, _Value, fit_scalar_machines


def problem(classes: int, n: int = 500, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    """Three features of different use and offset, and labels of uneven frequency."""
    generator = torch.Generator().manual_seed(seed)
    labels = (torch.rand(n, generator=generator) ** 2 * classes).long()
    noise = torch.randn(n, 3, generator=generator).double()
    useful = torch.tensor([1.0, -0.3, 0.0]).double()
    return labels[:, None] * useful + noise + torch.tensor([0.0, 5.0, -2.0]), labels


def in_codes(machines) -> tuple[torch.Tensor, torch.Tensor]:
    """w and b of f = w x + b, for the feature as it came."""
    w = machines.weights / machines.scale[:, None]
    return w, machines.intercepts - w * machines.mean[:, None]


def gradient(features, labels, machines, classes: int, cost: float) -> torch.Tensor:
    """Of the loss in the docstring, by autograd over all images, relative to its first size."""
    w, b = (parameter.clone().requires_grad_() for parameter in in_codes(machines))
    y = torch.nn.functional.one_hot(labels, classes) * 2.0 - 1
    counts = labels.bincount(minlength=classes)
    weight = len(labels) / (classes * counts.double())
    rest = weight.flip(0) if classes == 2 else torch.ones(classes)
    f = features[:, :, None] * w + b
    hinge = (1 - y[:, None] * f).clamp(min=0).square()
    loss = (
        cost * (torch.where(y > 0, weight, rest)[:, None] * hinge).sum() + (w**2 + b**2).sum() / 2
    )
    by_w, by_b = torch.autograd.grad(loss, (w, b))
    size = cost * len(labels)
    return torch.stack([by_w / features.abs().amax(0).clamp(min=1)[:, None], by_b]).abs() / size


@pytest.mark.parametrize("cost", [0.01, 10.0])
@pytest.mark.parametrize("classes", [2, 3, 7])
def test_optimum_is_that_of_scikit_learn(classes, cost):
    features, labels = problem(classes)
    w, b = in_codes(fit_scalar_machines(features, labels, classes, cost=cost))
    for j in range(3):
        theirs = LinearSVC(C=cost, class_weight="balanced", tol=1e-10, max_iter=10_000)
        theirs.fit(features[:, j : j + 1].numpy(), labels.numpy())
        ours = (w[j], b[j]) if classes > 2 else (w[j, 1:], b[j, 1:])
        np.testing.assert_allclose(ours[0], theirs.coef_[:, 0], rtol=1e-5, atol=1e-7)
        np.testing.assert_allclose(ours[1], theirs.intercept_, rtol=1e-5, atol=1e-7)


def test_two_machines_by_hand():
    # Two images at -a and a, each inside the margin: b = 0, and w (1 + 4 C a^2) = 4 C a.
    a, cost = 2.0, 0.01
    features, labels = torch.tensor([[-a], [a]]), torch.tensor([0, 1])
    w, b = in_codes(fit_scalar_machines(features, labels, 2, cost=cost))
    expected = 4 * cost * a / (1 + 4 * cost * a**2)
    torch.testing.assert_close(w, torch.tensor([[-expected, expected]]).double())
    torch.testing.assert_close(b, torch.zeros(1, 2).double())


EXTREME = {
    "huge": lambda x: x * 1e9,
    "tiny": lambda x: x * 1e-9,
    "far from 0": lambda x: x + 1e5,
    "heavy tails": lambda x: x**9,
    "one value far off": lambda x: torch.cat([x[:-1], x[-1:] + 1e4]),
    "ties": lambda x: x.round(),
    "constant": lambda x: torch.full_like(x, 0.1),
}


@pytest.mark.parametrize("cost", [0.01, 100.0])
@pytest.mark.parametrize("classes", [2, 5])
@pytest.mark.parametrize("name", EXTREME)
def test_gradient_of_the_stated_loss_vanishes_on_extreme_features(name, classes, cost):
    features, labels = problem(classes)
    features = EXTREME[name](features)
    machines = fit_scalar_machines(features, labels, classes, cost=cost)
    assert gradient(features, labels, machines, classes, cost).max() < 1e-8


@settings(deadline=None, max_examples=80, derandomize=True)
@given(
    st.lists(st.tuples(st.integers(-5, 5), st.integers(0, 2)), min_size=1, max_size=12),
    st.sampled_from([1e-3, 1.0, 1e3]),
)
def test_gradient_vanishes_on_few_images_with_ties(images, scale):
    features = torch.tensor([[float(x)] for x, _ in images]).double() * scale
    labels = torch.tensor([c for _, c in images]).unique(return_inverse=True)[1]
    classes = int(labels.max()) + 1
    machines = fit_scalar_machines(features, labels, classes, cost=1.0)
    assert gradient(features, labels, machines, classes, 1.0).max() < 1e-8


class Bowl:
    """A loss that grows like a line, least at u = 3, v = 0: from 0, full Newton steps run away."""

    offset, cost = torch.zeros(1, 1, 1).double(), torch.zeros(1, 1).double()

    def at(self, u, v):
        root = (1 + (u - 3) ** 2).sqrt()
        curvature, one = root**-3, torch.ones_like(v)
        return _Value(root + v**2 / 2, ((u - 3) / root, v), (curvature, 0 * one, one), curvature)


def test_steps_that_would_run_away_are_shortened():
    u, v = _newton(Bowl())  # type: ignore[arg-type]
    assert (u.item(), v.item()) == (pytest.approx(3, abs=1e-6), 0)


def test_differences_too_small_to_square_are_none():
    features, labels = problem(3)
    tiny = fit_scalar_machines(features[:, :1] * 1e-200, labels, 3)
    none = fit_scalar_machines(torch.zeros(len(labels), 1), labels, 3)
    assert torch.equal(tiny.predict(features[:, :1] * 1e-200), none.predict(features[:, :1] * 0))


def test_classes_without_rows_are_never_predicted():
    features, labels = problem(4)
    with_gap = torch.where(labels >= 2, labels + 1, labels)
    ours = fit_scalar_machines(features, with_gap, 6).predict(features)
    without = fit_scalar_machines(features, labels, 4).predict(features)
    assert torch.equal(ours, torch.tensor([0, 1, 3, 4])[without])


def test_a_single_class_is_always_predicted():
    machines = fit_scalar_machines(torch.randn(5, 2), torch.full((5,), 1), 3)
    assert (machines.predict(torch.randn(7, 2)) == 1).all()


def test_constant_feature_predicts_the_most_frequent_class():
    labels = torch.tensor([0, 1, 1, 2, 2, 2])
    machines = fit_scalar_machines(torch.full((6, 1), 0.3), labels, 3)
    assert machines.predict(torch.full((2, 1), 0.3)).flatten().tolist() == [2, 2]
    assert machines.accuracy(torch.full((6, 1), 0.3), labels).tolist() == [0.5]


def test_features_do_not_see_each_other():
    features, labels = problem(3)
    together = fit_scalar_machines(features, labels, 3)
    for j in range(3):
        alone = fit_scalar_machines(features[:, j : j + 1], labels, 3)
        torch.testing.assert_close(alone.weights[0], together.weights[j], atol=1e-12, rtol=1e-9)


def test_cost_must_be_positive():
    with pytest.raises(ValueError, match="cost must be > 0, got 0"):
        fit_scalar_machines(*problem(3), 3, cost=0)


def test_machines_that_do_not_converge_say_so(monkeypatch):
    monkeypatch.setattr(svm, "MAX_STEPS", 1)
    with pytest.raises(NotConverged, match="did not converge in 1 steps"):
        fit_scalar_machines(*problem(3), 3)
