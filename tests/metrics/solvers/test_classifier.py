# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression
from torch import Tensor

from disent.metrics.solvers.classifier import fit_one_vs_rest, fit_softmax
from disent.metrics.solvers.convergence import NotConverged
from tests.metrics.goldens import FOLDER, VALUES


def clusters(classes: int, scale: Tensor, spread: float, n: int = 600) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    labels = torch.randint(classes, (n,), generator=generator)
    centres = torch.randn(classes, len(scale), generator=generator).double()
    noise = torch.randn(n, len(scale), generator=generator).double()
    return (centres[labels] + spread * noise) * scale, labels


PROBLEMS = {
    "overlapping": clusters(5, torch.ones(10), spread=1.5),
    "separable": clusters(4, torch.ones(8), spread=0.01),
    "two classes": clusters(2, torch.ones(3), spread=1.0),
    "unscaled": clusters(5, torch.tensor([0.01, 0.1, 1.0, 10.0, 100.0]), spread=1.0),
}


@pytest.mark.parametrize("penalty", [1.0, 0.1])
@pytest.mark.parametrize("name", PROBLEMS)
def test_optimum_is_that_of_scikit_learn(name, penalty):
    features, labels = PROBLEMS[name]
    ours = fit_softmax(features, labels, classes=int(labels.max()) + 1, penalty=penalty)
    # newton-cg reaches a tight tolerance where lbfgs crawls; scikit-learn's two-class loss is
    # that of one logit, where a softmax has the same optimum at half the penalty
    c = 1 / penalty if len(ours.intercepts) > 2 else 2 / penalty
    theirs = LogisticRegression(C=c, solver="newton-cg", tol=1e-12, max_iter=10_000)
    theirs.fit(features.numpy(), labels.numpy())
    logits = features @ ours.weights + ours.intercepts
    expected = torch.from_numpy(theirs.predict_proba(features.numpy()))
    torch.testing.assert_close(logits.softmax(-1), expected, atol=1e-6, rtol=0)


def heavy_tailed(seed: int, penalty: float) -> tuple[Tensor, Tensor, float]:
    """Few rows, features up to thousands: a full Newton step overshoots here."""
    generator = torch.Generator().manual_seed(seed)
    features = torch.randn(12, 3, generator=generator).double() ** 7 * 10
    return features, torch.randint(3, (12,), generator=generator), penalty


EXTREME = {
    **{f"heavy tails, seed {seed}": heavy_tailed(seed, 1e-5) for seed in (4, 6, 9, 23, 25)},
    "huge": (PROBLEMS["overlapping"][0] * 1e9, PROBLEMS["overlapping"][1], 1.0),
    "tiny": (PROBLEMS["overlapping"][0] * 1e-9, PROBLEMS["overlapping"][1], 1.0),
}


@pytest.mark.parametrize("name", EXTREME)
def test_gradient_of_the_stated_loss_vanishes_on_extreme_features(name):
    features, labels, penalty = EXTREME[name]
    model = fit_softmax(features, labels, classes=int(labels.max()) + 1, penalty=penalty)
    weights, intercepts = (parameter.clone().requires_grad_() for parameter in model)
    logits = features @ weights + intercepts
    loss = torch.nn.functional.cross_entropy(logits, labels, reduction="sum")
    (loss + penalty / 2 * weights.square().sum()).backward()
    assert weights.grad is not None
    assert intercepts.grad is not None
    scale = len(labels) * max(1.0, features.abs().max().item())
    assert weights.grad.abs().max() <= 2e-9 * scale
    assert intercepts.grad.abs().max() <= 2e-9 * scale


@pytest.mark.parametrize("penalty", [1.0, 0.1])
@pytest.mark.parametrize("name", PROBLEMS)
def test_one_vs_rest_is_that_of_liblinear(name, penalty):
    features, labels = PROBLEMS[name]
    ours = fit_one_vs_rest(features, labels, classes=int(labels.max()) + 1, penalty=penalty)
    theirs = LogisticRegression(C=1 / penalty, solver="liblinear", tol=1e-12, max_iter=10_000)
    for c, (weights, intercept) in enumerate(zip(ours.weights.T, ours.intercepts, strict=True)):
        theirs.fit(features.numpy(), (labels == c).numpy())
        np.testing.assert_allclose(weights, theirs.coef_[0], rtol=1e-4, atol=1e-6)
        np.testing.assert_allclose([intercept], theirs.intercept_, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("name", EXTREME)
def test_gradient_of_the_one_vs_rest_loss_vanishes_on_extreme_features(name):
    features, labels, penalty = EXTREME[name]
    model = fit_one_vs_rest(features, labels, classes=int(labels.max()) + 1, penalty=penalty)
    weights, intercepts = (parameter.clone().requires_grad_() for parameter in model)
    target = torch.nn.functional.one_hot(labels).double()
    logits = features @ weights + intercepts
    loss = torch.nn.functional.binary_cross_entropy_with_logits(logits, target, reduction="sum")
    loss = loss + penalty / 2 * (weights.square().sum() + intercepts.square().sum())
    for gradient in torch.autograd.grad(loss, (weights, intercepts)):
        assert gradient.abs().max() <= 2e-9 * len(labels) * max(1.0, features.abs().max().item())


def test_one_vs_rest_with_the_intercept_penalised_by_hand():
    # Without features, the intercept b of a class with 3 of 4 rows: 4 sigmoid(b) - 3 + b = 0.
    model = fit_one_vs_rest(torch.zeros(4, 1), torch.tensor([0, 0, 0, 1]), classes=3)
    b = model.intercepts[0]
    assert (4 * b.sigmoid() - 3 + b).item() == pytest.approx(0, abs=1e-8)
    assert model.intercepts.tolist() == [b, pytest.approx(-b.item()), -torch.inf]
    assert not model.weights.any()


def test_classifier_of_the_reference():
    golden = VALUES["functions"]["core_beta_vae_classifier"]
    with np.load(FOLDER / "core.npz", allow_pickle=False) as file:
        train, test = (
            (torch.from_numpy(file[f"bvae_{part}_x"]), torch.from_numpy(file[f"bvae_{part}_y"]))
            for part in ("train", "eval")
        )
    model = fit_softmax(*train, classes=5)
    assert model.accuracy(*train).item() == pytest.approx(golden["value"]["train"], abs=1e-12)
    assert model.accuracy(*test).item() == pytest.approx(golden["value"]["eval"], abs=1e-12)
    # The golden coefficients end where lbfgs' default tolerance does, up to 0.011 off the optimum.
    theirs = LogisticRegression(tol=1e-10, max_iter=10_000).fit(train[0].numpy(), train[1].numpy())
    np.testing.assert_allclose(model.weights.T, theirs.coef_, atol=1e-5)
    np.testing.assert_allclose(model.intercepts, theirs.intercept_, atol=1e-5)
    assert model.intercepts.sum().item() == pytest.approx(0, abs=1e-12)
    np.testing.assert_allclose(model.weights.T, golden["value"]["coef"], atol=0.02)


def test_features_without_information_give_the_shares_of_the_classes():
    labels = torch.tensor([0, 0, 0, 1, 1, 2])
    model = fit_softmax(torch.zeros(6, 2), labels, classes=3)
    expected = torch.tensor([3 / 6, 2 / 6, 1 / 6], dtype=torch.float64)
    torch.testing.assert_close(model.intercepts.softmax(-1), expected, atol=1e-7, rtol=0)
    assert model.accuracy(torch.zeros(6, 2), labels) == 0.5


def test_a_class_that_is_never_seen_is_never_predicted():
    features, labels = PROBLEMS["overlapping"]
    with_gap = torch.where(labels >= 2, labels + 1, labels)  # class 2 has no row
    model = fit_softmax(features, with_gap, classes=6)
    without = fit_softmax(features, labels, classes=5)
    assert not (model.predict(features) == 2).any()
    assert torch.equal(
        model.predict(features), torch.tensor([0, 1, 3, 4, 5])[without.predict(features)]
    )


def test_one_class_is_always_predicted():
    model = fit_softmax(torch.randn(5, 2), torch.full((5,), 1), classes=2)
    assert model.predict(torch.randn(5, 2)).tolist() == [1] * 5


@pytest.mark.parametrize("fit", [fit_softmax, fit_one_vs_rest])
def test_errors(fit):
    features, labels = PROBLEMS["overlapping"]
    with pytest.raises(ValueError, match="penalty must be > 0, got 0"):
        fit(features, labels, classes=5, penalty=0)
    with pytest.raises(NotConverged, match="did not converge in 1 steps"):
        fit(features, labels, classes=5, max_steps=1)
