# SPDX-License-Identifier: Apache-2.0
"""Discrepancies of samples few enough to be counted by hand, and of known distributions."""

import math
from functools import partial
from itertools import pairwise

import numpy as np
import pytest
import torch
from scipy.integrate import quad
from scipy.stats import norm

from disent.discrepancy import (
    KernelName,
    discrepancy_from_normal,
    gaussian_kernel,
    inverse_multiquadratic,
    maximum_mean_discrepancy,
    median_distance,
    squared_distances,
)

X, Y = torch.tensor([[0.0], [1.0]]), torch.tensor([[0.0], [3.0]])
RBF = partial(gaussian_kernel, bandwidth=1.0)


def normal(n, d, mean=0.0, seed=0):
    return mean + torch.randn(n, d, generator=torch.Generator().manual_seed(seed))


def test_distances_by_hand():
    assert squared_distances(X, Y).tolist() == [[0, 9], [1, 4]]
    assert squared_distances(torch.zeros(1, 2), torch.tensor([[3.0, 4.0]])).tolist() == [[25]]


def test_the_inverse_multiquadratic_by_hand():
    """C = 2 d v: 2 in one dimension of variance 1, 12 in two of variance 3."""
    found = inverse_multiquadratic(X, Y)
    torch.testing.assert_close(found, torch.tensor([[1, 2 / 11], [2 / 3, 1 / 3]]))
    wide = inverse_multiquadratic(torch.zeros(1, 2), torch.tensor([[3.0, 4.0]]), variance=3.0)
    assert wide.item() == pytest.approx(12 / 37)


def test_the_gaussian_kernel_by_hand():
    found = gaussian_kernel(X, Y, bandwidth=2.0)  # e^(-|a - b|^2 / 8)
    wanted = [[1, math.exp(-9 / 8)], [math.exp(-1 / 8), math.exp(-0.5)]]
    torch.testing.assert_close(found, torch.tensor(wanted))


KNOWN = {
    # unbiased: k(0, 1) + k(0, 3) - (k(0, 0) + k(0, 3) + k(1, 0) + k(1, 3)) / 2
    "inverse_multiquadratic unbiased": (
        inverse_multiquadratic,
        True,
        2 / 3 + 2 / 11 - (1 + 2 / 11 + 2 / 3 + 1 / 3) / 2,
    ),
    # biased: each of k(x, x) and k(y, y) is the mean of 1, k, k, 1
    "inverse_multiquadratic biased": (
        inverse_multiquadratic,
        False,
        (1 + 2 / 3) / 2 + (1 + 2 / 11) / 2 - (1 + 2 / 11 + 2 / 3 + 1 / 3) / 2,
    ),
    "gaussian unbiased": (
        RBF,
        True,
        math.exp(-0.5) + math.exp(-4.5)
        - (1 + math.exp(-4.5) + math.exp(-0.5) + math.exp(-2)) / 2,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", KNOWN)
def test_discrepancies_by_hand(name):
    kernel, unbiased, wanted = KNOWN[name]
    found = maximum_mean_discrepancy(X, Y, kernel, unbiased=unbiased)
    assert found.item() == pytest.approx(wanted, abs=1e-6)
    turned = maximum_mean_discrepancy(Y, X, kernel, unbiased=unbiased)
    assert turned.item() == pytest.approx(wanted, abs=1e-6)


def test_a_sample_beside_itself_is_0_biased_and_below_0_unbiased():
    x = normal(20, 3)
    assert maximum_mean_discrepancy(x, x, unbiased=False).item() == pytest.approx(0, abs=1e-6)
    assert maximum_mean_discrepancy(x, x).item() < -0.01


def test_of_two_normal_distributions_it_is_what_the_integral_says():
    """In one dimension, h = 1: E k = sqrt(1 / (1 + 2)) exp(-shift^2 / (2 * 3))."""
    found = maximum_mean_discrepancy(normal(3000, 1), normal(3000, 1, 1.0, seed=1), RBF)
    wanted = 2 * math.sqrt(1 / 3) * (1 - math.exp(-1 / 6))  # 0.1774
    assert found.item() == pytest.approx(wanted, abs=0.015)


def test_unbiased_values_of_one_distribution_scatter_around_0_and_biased_ones_above_it():
    """Of n points each, the biased mean is 2 (1 - E k) / n; E k = 1 / sqrt(3), n = 20: 0.0423."""
    pairs = [(normal(20, 1, seed=s), normal(20, 1, seed=1000 + s)) for s in range(300)]
    free, held = (
        torch.stack([maximum_mean_discrepancy(x, y, RBF, unbiased=u) for x, y in pairs])
        for u in (True, False)
    )
    assert free.min() < 0 < free.max()
    assert free.mean().item() == pytest.approx(0, abs=0.006)
    assert held.min() > 0
    assert held.mean().item() == pytest.approx(0.1 * (1 - math.sqrt(1 / 3)), abs=0.006)


def test_its_gradient_draws_a_sample_towards_the_other():
    x = torch.full((4, 2), 3.0, requires_grad=True)
    maximum_mean_discrepancy(x, normal(50, 2)).backward()
    assert x.grad is not None
    assert x.grad.isfinite().all()  # also where two points are one
    assert (x.grad > 0).all()


def test_the_median_distance_by_hand():
    assert median_distance(torch.tensor([[0.0], [1.0]]), torch.tensor([[4.0]])).item() == 3
    assert median_distance(X, Y).item() == 1  # of 1, 0, 3, 1, 2, 3: the lower of 1 and 2


@pytest.mark.parametrize(
    ("x", "y", "unbiased", "words"),
    [
        (torch.zeros(3, 2), torch.zeros(3, 1), True, r"\[3, 2\] and \[3, 1\] came"),
        (torch.zeros(1, 2), torch.zeros(3, 2), True, "at least 2 points"),
        (torch.zeros(0, 2), torch.zeros(3, 2), False, "at least 1 points"),
        (torch.zeros(3), torch.zeros(3), True, "one row a point"),
    ],
)
def test_samples_that_do_not_fit_are_refused(x, y, unbiased, words):
    with pytest.raises(ValueError, match=words):
        maximum_mean_discrepancy(x, y, unbiased=unbiased)


@pytest.mark.parametrize("bandwidth", [0.0, -1.0, math.inf, math.nan])
def test_a_bandwidth_is_above_0(bandwidth):
    with pytest.raises(ValueError, match="bandwidth must be > 0"):
        gaussian_kernel(X, Y, bandwidth=bandwidth)


def test_from_the_prior_by_hand():
    """One dimension, h = 1: E k(z, a) = 2^(-1/2) e^(-z^2 / 4), E k(a, b) = 3^(-1/2)."""
    found = discrepancy_from_normal(torch.tensor([[0.0], [2.0]]), bandwidth=1.0)
    wanted = math.exp(-2) + 3**-0.5 - 2**-0.5 * (1 + math.exp(-1))
    assert found.item() == pytest.approx(wanted, abs=1e-6)


@pytest.mark.parametrize("away", [0.0, 1.0, 5.0, 40.0, 1000.0])
@pytest.mark.parametrize("bandwidth", [0.3, 1.0, 4.0])
def test_the_integrals_of_the_inverse_multiquadratic(away, bandwidth):
    """Over the prior as it stands, in one dimension: C / (C + (z - a)^2), C = 2 h^2."""
    scale = 2 * bandwidth**2

    def over(center: float, spread: float) -> float:
        def density(a: float) -> float:
            return scale / (scale + (center - a) ** 2) * float(norm.pdf(a, 0, spread))

        edges = np.linspace(-12 * spread, 12 * spread, 25)  # piece by piece
        return sum(quad(density, low, high)[0] for low, high in pairwise(edges))

    z = torch.full((2, 1), away, dtype=torch.float64)
    wanted = 1 + over(0, 2**0.5) - 2 * over(away, 1)
    found = discrepancy_from_normal(z, "imq", bandwidth=bandwidth)
    assert found.item() == pytest.approx(wanted, abs=2e-7)


@pytest.mark.parametrize("kernel", ["rbf", "imq"])
def test_from_the_prior_is_what_many_draws_of_it_give(kernel):
    z = normal(50, 4, 0.5)
    kernels = {
        "rbf": partial(gaussian_kernel, bandwidth=2.0),
        "imq": partial(inverse_multiquadratic, variance=1.0),  # C = 2 * 4 = 2 * 2^2
    }
    draws = [normal(400, 4, seed=s) for s in range(100, 130)]
    given = torch.stack([maximum_mean_discrepancy(z, drawn, kernels[kernel]) for drawn in draws])
    error = given.std().item() / len(draws) ** 0.5
    found = discrepancy_from_normal(z, kernel, bandwidth=2.0)
    assert error < 0.005
    assert found.item() == pytest.approx(given.mean().item(), abs=3 * error)
    assert found.item() > 0.02


@pytest.mark.parametrize("kernel", ["rbf", "imq"])
def test_from_the_prior_its_own_samples_scatter_around_0(kernel):
    """Unbiased, and narrower than with a second sample, since nothing of the prior is drawn."""
    samples = [normal(20, 3, seed=s) for s in range(300)]
    values = torch.stack([discrepancy_from_normal(z, kernel, bandwidth=3**0.5) for z in samples])
    assert values.min() < 0 < values.max()
    assert abs(values.mean().item()) < 3 * values.std().item() / 300**0.5
    chosen = partial(gaussian_kernel, bandwidth=3**0.5) if kernel == "rbf" else None
    pairs = [
        maximum_mean_discrepancy(
            z, normal(20, 3, seed=999 + s), *([] if chosen is None else [chosen])
        )
        for s, z in enumerate(samples)
    ]
    assert values.std() < 0.8 * torch.stack(pairs).std()


def test_the_heavier_tails_tell_codes_far_away_from_each_other():
    seen: dict[KernelName, bool] = {"rbf": False, "imq": True}
    for kernel, expected in seen.items():
        z = torch.tensor([[60.0, 0.0], [0.0, 60.0]], requires_grad=True)
        discrepancy_from_normal(z, kernel, bandwidth=2**0.5).backward()
        assert z.grad is not None
        assert z.grad.isfinite().all()
        assert bool(z.grad.abs().max() > 1e-6) == expected


@pytest.mark.parametrize(
    ("z", "kernel", "words"),
    [
        (torch.zeros(1, 2), "rbf", "at least 2 points is wanted"),
        (torch.zeros(4), "rbf", r"shape \[4\] came"),
        (torch.zeros(4, 2), "laplace", "kernel must be 'rbf' or 'imq', got 'laplace'"),
    ],
)
def test_from_the_prior_samples_that_do_not_fit_are_refused(z, kernel, words):
    with pytest.raises(ValueError, match=words):
        discrepancy_from_normal(z, kernel, bandwidth=1.0)
