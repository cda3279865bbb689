# SPDX-License-Identifier: Apache-2.0
"""The InfoVAE's objective: what it is for known weights, by loops, and where it is the ELBO."""

import math

import numpy as np
import pytest
import torch
from scipy.integrate import quad
from scipy.stats import ncx2

from disent.gaussian import DiagonalGaussian
from disent.objectives import BetaELBO, DiscrepancyELBO
from disent.objectives.base import Terms


def terms_of(z: torch.Tensor) -> Terms:
    q = DiagonalGaussian(z, torch.zeros_like(z))
    return Terms(torch.full((len(z),), 20.0), torch.full_like(z, 1.5), q, z)


def codes(n: int = 6, d: int = 2, seed: int = 0) -> torch.Tensor:
    return 2 * torch.randn(n, d, generator=torch.Generator().manual_seed(seed)).double()


def by_loops(z: np.ndarray, kernel: str, scale: float) -> float:
    """Of C = scale: pairs one by one; E k(z, a) over |z - a|^2, a noncentral chi-square."""
    d = z.shape[1]

    def k(s: float) -> float:
        return math.exp(-s / scale) if kernel == "rbf" else scale / (scale + s)

    def expected(away: float, spread: float) -> float:
        return quad(
            lambda s: k(spread * s) * float(ncx2.pdf(s, d, away / spread)), 0, np.inf, limit=200
        )[0]

    pairs = [k(((a - b) ** 2).sum()) for i, a in enumerate(z) for j, b in enumerate(z) if i != j]
    across = np.mean([expected(float((a**2).sum()), 1.0) for a in z])
    return float(np.mean(pairs) + expected(1e-12, 2.0) - 2 * across)


@pytest.mark.parametrize("kernel", ["rbf", "imq"])
@pytest.mark.parametrize("d", [2, 5])
@pytest.mark.parametrize("bandwidth", [1.0, 0.5])
def test_it_is_what_loops_and_integrals_compute(kernel, d, bandwidth):
    z = codes(d=d)
    away = by_loops(z.numpy(), kernel, 2 * bandwidth**2 * d)
    objective = DiscrepancyELBO(0.25, 10.0, kernel, bandwidth)
    assert float(objective.discrepancy(terms_of(z))) == pytest.approx(away, abs=1e-6)
    loss = float(objective(terms_of(z), 0))
    assert loss == pytest.approx(20 + 0.75 * 1.5 * d + 9.25 * away, abs=1e-5)


@pytest.mark.parametrize("kernel", ["rbf", "imq"])
def test_alpha_0_and_lambda_1_is_the_elbo(kernel):
    terms = terms_of(codes())
    assert DiscrepancyELBO(0.0, 1.0, kernel)(terms, 4) == BetaELBO(1.0)(terms, 4)


def test_alpha_1_leaves_the_rate_out():
    terms, objective = terms_of(codes()), DiscrepancyELBO(1.0, 50.0)
    wanted = 20 + 50 * objective.discrepancy(terms)
    torch.testing.assert_close(objective(terms, 0), wanted)
    dearer = terms._replace(rate=100 * terms.rate)
    assert objective(dearer, 0) == objective(terms, 0)


def test_two_codes_at_the_middle_by_hand():
    # one latent, h = 1: 1 + 3^(-1/2) - 2 * 2^(-1/2) = 0.16314; 20 + 1.5 + 999 times that
    terms = terms_of(torch.zeros(2, 1, dtype=torch.float64))
    wanted = 21.5 + 999 * (1 + 3**-0.5 - 2**0.5)
    assert float(DiscrepancyELBO()(terms, 0)) == pytest.approx(wanted, abs=1e-4)
    assert float(DiscrepancyELBO().tell(terms)["discrepancy"]) == pytest.approx(0.163137, abs=1e-6)


def test_samples_of_the_prior_are_nearest():
    generator = torch.Generator().manual_seed(0)
    z = torch.randn(500, 3, generator=generator)
    for kernel in ("rbf", "imq"):
        away = [
            float(DiscrepancyELBO(kernel=kernel).discrepancy(terms_of(at)))
            for at in (z, 0.1 * z, 3 * z, z + 1)
        ]
        assert abs(away[0]) < 0.003
        assert min(away[1:]) > 0.03


@pytest.mark.parametrize("kernel", ["rbf", "imq"])
def test_gradients_are_those_of_finite_differences(kernel):
    def loss(z: torch.Tensor) -> torch.Tensor:
        return DiscrepancyELBO(0.0, 30.0, kernel)(terms_of(z), 0)

    assert torch.autograd.gradcheck(loss, (codes(4, 3).requires_grad_(),))


def test_the_gradient_by_hand():
    # codes at a and -a, one latent, h = 1: e^(-2 a^2) - 2^(1/2) e^(-a^2 / 4) and what is constant;
    # by a: -4 a e^(-2 a^2) + 2^(-1/2) a e^(-a^2 / 4), half of it by each code
    z = torch.tensor([[1.5], [-1.5]], dtype=torch.float64, requires_grad=True)
    DiscrepancyELBO().discrepancy(terms_of(z)).backward()
    by_a = -6 * math.exp(-4.5) + 1.5 * 2**-0.5 * math.exp(-9 / 16)
    assert z.grad is not None
    torch.testing.assert_close(z.grad, torch.tensor([[by_a / 2], [-by_a / 2]]).double())


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"alpha": 1.5}, "alpha must be <= 1, got 1.5"),
        ({"alpha": float("nan")}, "alpha must be <= 1, got nan"),
        ({"lambda_mmd": 0.5}, "lambda_mmd must be >= 1 - alpha = 1, got 0.5"),
        ({"alpha": -1.0, "lambda_mmd": 1.0}, "lambda_mmd must be >= 1 - alpha = 2, got 1.0"),
        ({"kernel": "laplace"}, "kernel must be 'rbf' or 'imq', got 'laplace'"),
        ({"bandwidth": 0.0}, "bandwidth must be > 0, got 0.0"),
    ],
)
def test_bad_settings_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        DiscrepancyELBO(**settings)


def test_terms_without_samples_are_refused():
    with pytest.raises(TypeError, match="the terms hold none: give Terms"):
        DiscrepancyELBO()(Terms(torch.zeros(4), torch.zeros(4, 2)), 0)
    with pytest.raises(ValueError, match="at least 2 points is wanted"):
        DiscrepancyELBO()(terms_of(torch.zeros(1, 2)), 0)
