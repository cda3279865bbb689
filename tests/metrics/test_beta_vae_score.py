# SPDX-License-Identifier: Apache-2.0
import warnings

import pytest
import torch
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

from disent.grid import FactorGrid
from disent.metrics import beta_vae_score
from disent.metrics.beta_vae_score import _mean_differences, beta_vae_accuracies
from tests.metrics.goldens import CASES, load

GRID = FactorGrid(("a", "b", "c"), (3, 4, 5))
PERFECT = GRID.all_factors().double()
SEEDS = 5


def drawn_features(codes, grid, seed, train):
    """The train points of `beta_vae_accuracies`, drawn again."""
    generator = torch.Generator().manual_seed(seed)
    label = torch.randint(len(grid.sizes), (train,), generator=generator)
    pairs = grid.sample_pairs(label, 64, generator=generator)
    return _mean_differences(codes, pairs).numpy(), label.numpy()


@pytest.mark.parametrize("name", CASES)
def test_accuracies_equal_the_reference(name):
    case = load(name)
    settings = CASES[name]["beta_vae.eval"]["settings"]
    ours = torch.tensor(
        [
            beta_vae_accuracies(
                case.table,
                case.grid,
                seed=seed,
                batch=settings["batch_size"],
                train=settings["num_train"],
                test=settings["num_eval"],
            )
            for seed in range(SEEDS)
        ]
    ).double()
    for part, accuracies in zip(("train", "eval"), ours.T, strict=True):
        golden = CASES[name][f"beta_vae.{part}"]
        assert golden["kind"] == "stochastic"
        spread = max(golden["std"], accuracies.std().item())
        tolerance = 4 * spread * (1 / SEEDS + 1 / golden["n_seeds"]) ** 0.5 + 0.01
        assert accuracies.mean().item() == pytest.approx(golden["value"], abs=tolerance)


def test_reference_stops_early_on_wide_scales_and_agrees_at_its_optimum():
    # The golden mean of this case is 0.90 on train points: lbfgs ran out of its 100 iterations.
    case = load("wide_scales")
    ours = beta_vae_accuracies(case.table, case.grid, train=1000, test=1000).train
    features, label = drawn_features(case.table, case.grid, seed=0, train=1000)
    with pytest.warns(ConvergenceWarning):
        stopped = LogisticRegression().fit(features, label).score(features, label)
    optimum = LogisticRegression(solver="newton-cg", tol=1e-10, max_iter=10_000)
    optimum = optimum.fit(features, label).score(features, label)
    assert stopped < 0.98
    assert ours == optimum > 0.995


def test_equals_scikit_learn_on_the_same_draws():
    generator = torch.Generator().manual_seed(0)
    codes = PERFECT + 6 * torch.randn(60, 3, generator=generator).double()
    ours = beta_vae_accuracies(codes, GRID, seed=3, train=2000, test=10).train.item()
    features, label = drawn_features(codes, GRID, seed=3, train=2000)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        theirs = LogisticRegression(tol=1e-8, max_iter=10_000).fit(features, label)
    assert 0.4 < ours < 0.999
    assert ours == pytest.approx(theirs.score(features, label), abs=1e-12)


def test_perfect_code_scores_one_and_a_constant_code_scores_chance():
    assert beta_vae_score(PERFECT, GRID, train=500, test=500) == 1
    # Whatever is predicted, always the same class: right in about a third of the points.
    score = beta_vae_score(torch.zeros(60, 2), GRID, train=3000, test=3000).item()
    assert score == pytest.approx(1 / 3, abs=0.04)


def test_features_are_mean_absolute_differences_in_float64():
    codes = torch.tensor([[0.0, 1.0], [3.0, 1.0], [-1.0, 5.0]])
    pairs = torch.tensor([[[0, 1], [1, 2]], [[2, 2], [0, 0]]])
    expected = torch.tensor([[(3 + 4) / 2, (0 + 4) / 2], [0, 0]]).double()
    torch.testing.assert_close(_mean_differences(codes, pairs), expected)


def test_features_of_more_points_than_fit_at_once():
    pairs = GRID.sample((1300, 3, 2), generator=torch.Generator().manual_seed(0))
    difference = (PERFECT[pairs[:, :, 0]] - PERFECT[pairs[:, :, 1]]).abs().mean(1)
    torch.testing.assert_close(_mean_differences(PERFECT, pairs), difference)


def test_factor_of_size_one_is_not_drawn():
    grid = FactorGrid(("one", "a", "b"), (1, 3, 4))
    codes = torch.randn(12, 2, generator=torch.Generator().manual_seed(0))
    without = FactorGrid(("a", "b"), (3, 4))
    ours = beta_vae_accuracies(codes, grid, batch=2, train=300, test=300)
    assert ours == beta_vae_accuracies(codes, without, batch=2, train=300, test=300)
    assert 0.5 < ours.test < 1


def test_score_is_the_test_accuracy():
    codes = torch.randn(60, 3, generator=torch.Generator().manual_seed(0))
    accuracies = beta_vae_accuracies(codes, GRID, batch=4, train=40, test=1000)
    assert beta_vae_score(codes, GRID, batch=4, train=40, test=1000) == accuracies.test
    assert accuracies.train > accuracies.test + 0.05


def test_seed_decides_the_draws():
    codes = torch.randn(60, 3, generator=torch.Generator().manual_seed(0))
    scores = [beta_vae_score(codes, GRID, seed=s, train=300, test=300).item() for s in (0, 0, 1, 2)]
    assert scores[0] == scores[1]
    assert len(set(scores)) > 1


@pytest.mark.parametrize(
    ("codes", "grid", "settings", "message"),
    [
        (PERFECT[:-1], GRID, {}, "grid has 60 points"),
        (torch.zeros(6, 2), FactorGrid(("a", "b"), (1, 6)), {}, "so 1 factors vary"),
        (PERFECT, GRID, {"batch": 0}, "batch=0"),
        (PERFECT, GRID, {"seed": -1}, "seed=-1"),
    ],
)
def test_errors(codes, grid, settings, message):
    with pytest.raises(ValueError, match=message):
        beta_vae_score(codes, grid, **settings)
