# SPDX-License-Identifier: Apache-2.0
"""DIP-VAE's penalty of codes whose covariance is known, and by NumPy."""

import numpy as np
import pytest
import torch

from disent.gaussian import DiagonalGaussian, FullGaussian, PointMass, Posterior
from disent.objectives import BetaELBO, CovarianceELBO
from disent.objectives.base import Terms

CROSS = torch.tensor([[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [-1.0, -1.0]])  # covariance: I
LINE = torch.tensor([[2.0, 2.0], [-2.0, -2.0]])  # covariance: 4 everywhere


def terms_of(q: Posterior) -> Terms:
    n, d = q.mean.shape
    return Terms(torch.full((n,), 30.0), torch.full((n, d), 1.5), q)


def diagonal(mean: torch.Tensor, variance: float) -> DiagonalGaussian:
    return DiagonalGaussian(mean, torch.full_like(mean, variance).log())


KNOWN = {
    "i, of the prior's covariance": (CovarianceELBO("i"), diagonal(CROSS, 0.3), 0),
    # off the diagonal 2 * 4^2 = 32, on it 2 * (4 - 1)^2 = 18; 10 * 32 + 100 * 18
    "i, two latents that repeat each other": (CovarianceELBO("i"), diagonal(LINE, 0.5), 2120),
    # the variance adds 1/2: on the diagonal 2 * 3.5^2 = 24.5; 10 * 32 + 10 * 24.5
    "ii, two latents that repeat each other": (CovarianceELBO("ii"), diagonal(LINE, 0.5), 565),
    # 2 * 0.3^2 = 0.18
    "ii, variances too large": (CovarianceELBO("ii"), diagonal(CROSS, 0.3), 1.8),
    "ii, means shrunk until the samples fit": (
        CovarianceELBO("ii"),
        diagonal(0.5**0.5 * CROSS, 0.5),
        0,
    ),
    "weights of one's own": (CovarianceELBO("i", 2.0, 3.0), diagonal(LINE, 0.5), 64 + 54),
    "no weight": (CovarianceELBO("i", 0.0), diagonal(LINE, 0.5), 0),
    # a code that never changes has covariance 0
    "i, one picture": (CovarianceELBO("i"), diagonal(LINE[:1], 0.5), 200),
}


@pytest.mark.parametrize("name", KNOWN)
def test_penalties_by_hand(name):
    objective, q, penalty = KNOWN[name]
    assert float(objective(terms_of(q), 0)) == pytest.approx(30 + 3 + penalty, abs=1e-3)


def test_the_study_s_weights_are_the_defaults():
    weights = {
        kind: (float(o.lambda_od), float(o.lambda_d))
        for kind in ("i", "ii")
        for o in [CovarianceELBO(kind)]
    }
    assert weights == {"i": (10, 100), "ii": (10, 10)}
    assert float(CovarianceELBO("i", 2.0).lambda_d) == 20
    assert CovarianceELBO.strength == ("lambda_od", "lambda_od")


def test_both_sums_are_told_without_their_weights():
    told = CovarianceELBO("i").tell(terms_of(diagonal(LINE, 1.0)))
    assert {name: float(value) for name, value in told.items()} == {
        "covariance_off_diagonal": 32,
        "covariance_diagonal": 18,
    }


def test_gradients_by_hand():
    # one latent at a and -a: C = a^2, lambda_d (a^2 - 1)^2, by the first mean
    # 2 lambda_d (C - 1) * 2 (a - 0) / 2 = 2 * 100 * 3 * 2 = 1200 for a = 2
    mean = torch.tensor([[2.0], [-2.0]], requires_grad=True)
    CovarianceELBO("i")(terms_of(DiagonalGaussian(mean, torch.zeros(2, 1))), 0).backward()
    assert mean.grad is not None
    assert mean.grad.flatten().tolist() == [1200, -1200]
    # C = 4 + the mean variance v: 2 lambda_d (C - 1) * v_i / 2 = 10 * 2 * 4 / 2 = 40 for v = 1
    logvar = torch.zeros(2, 1, requires_grad=True)
    CovarianceELBO("ii")(terms_of(DiagonalGaussian(mean.detach(), logvar)), 0).backward()
    assert logvar.grad is not None
    assert logvar.grad.flatten().tolist() == [40, 40]


def random_codes(n: int = 7, d: int = 4) -> tuple[DiagonalGaussian, FullGaussian]:
    generator = torch.Generator().manual_seed(3)
    mean, logvar = torch.randn(2, n, d, generator=generator, dtype=torch.float64)
    lower = torch.randn(n, d, d, generator=generator, dtype=torch.float64).tril()
    return DiagonalGaussian(mean, logvar), FullGaussian(mean, lower)


@pytest.mark.parametrize("kind", ["i", "ii"])
@pytest.mark.parametrize("full", [False, True])
def test_it_is_what_numpy_computes(kind, full):
    q = random_codes()[full]
    of_means = np.cov(q.mean.numpy().T, bias=True)
    if isinstance(q, FullGaussian):
        inner = np.mean([lower @ lower.T for lower in q.cholesky.numpy()], 0)
    else:
        inner = np.diag(np.exp(q.logvar.numpy()).mean(0))
    wanted = of_means + (inner if kind == "ii" else 0)
    objective = CovarianceELBO(kind, 5.0, 7.0)
    np.testing.assert_allclose(objective.covariance(terms_of(q)).numpy(), wanted, atol=1e-12)
    off = (wanted**2).sum() - (np.diag(wanted) ** 2).sum()
    penalty = 5 * off + 7 * ((np.diag(wanted) - 1) ** 2).sum()
    assert float(objective(terms_of(q), 0)) == pytest.approx(30 + 6 + penalty, rel=1e-6)


@pytest.mark.parametrize("full", [False, True])
def test_kind_ii_is_the_covariance_of_the_samples(full):
    q = random_codes()[full]
    generator = torch.Generator().manual_seed(0)
    drawn = [q.sample(torch.randn(7, 4, generator=generator).double()) for _ in range(40_000)]
    wanted = torch.cov(torch.cat(drawn).T, correction=0)
    found = CovarianceELBO("ii").covariance(terms_of(q))
    torch.testing.assert_close(found, wanted, atol=0.05, rtol=0)


@pytest.mark.parametrize("kind", ["i", "ii"])
def test_gradients_are_those_of_finite_differences(kind):
    q = random_codes(5, 3)[0]

    def loss(mean: torch.Tensor, logvar: torch.Tensor) -> torch.Tensor:
        return CovarianceELBO(kind)(terms_of(DiagonalGaussian(mean, logvar)), 0)

    assert torch.autograd.gradcheck(loss, tuple(tensor.requires_grad_() for tensor in q))


def test_without_weights_it_is_the_elbo():
    terms = terms_of(random_codes()[0])
    assert CovarianceELBO("ii", 0.0)(terms, 5) == BetaELBO(1.0)(terms, 5)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: CovarianceELBO("iii"), "kind must be 'i' or 'ii', got 'iii'"),  # type: ignore[arg-type]
        (lambda: CovarianceELBO("i", -1), "lambda_od must be >= 0, got -1"),
        (lambda: CovarianceELBO("i", 1, float("nan")), "lambda_d must be >= 0, got nan"),
    ],
)
def test_bad_settings_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_points_have_a_covariance_of_means_alone():
    point = terms_of(PointMass(LINE))
    assert float(CovarianceELBO("i")(point, 0)) == 30 + 3 + 2120
    with pytest.raises(TypeError, match="but PointMass came: take kind i"):
        CovarianceELBO("ii")(point, 0)
    with pytest.raises(TypeError, match="the terms hold none"):
        CovarianceELBO("i")(Terms(point.distortion, point.rate), 0)
