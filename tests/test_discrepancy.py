# SPDX-License-Identifier: Apache-2.0
"""Discrepancies of samples few enough to be counted by hand, and of known distributions."""

import math
from functools import partial

import pytest
import torch

from disent.discrepancy import (
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
