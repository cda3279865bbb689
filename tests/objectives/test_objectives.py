# SPDX-License-Identifier: Apache-2.0
"""Known answers of the objectives, in nats per image."""

import pytest
import torch

from disent.objectives import BetaELBO, CapacityELBO
from disent.objectives.base import Terms

# two images, two latents: distortion 10 and 14 nats, rate 1 + 2 and 3 + 4 nats
TERMS = Terms(torch.tensor([10.0, 14.0]), torch.tensor([[1.0, 2.0], [3.0, 4.0]]))


def test_elbo_is_minus_distortion_minus_rate():
    assert TERMS.elbo() == -(12 + 5)


@pytest.mark.parametrize(("beta", "loss"), [(0, 12), (1, 17), (4, 32), (0.5, 14.5)])
def test_beta_weighs_the_rate(beta, loss):
    assert BetaELBO(beta)(TERMS, step=0) == loss


@pytest.mark.parametrize(
    ("step", "loss"),
    # C rises to 8 over 100 steps; mean rate 5; gamma 10
    [(0, 12 + 10 * 5), (50, 12 + 10 * 1), (100, 12 + 10 * 3), (1000, 12 + 10 * 3)],
)
def test_capacity_holds_the_mean_rate_at_c(step, loss):
    assert CapacityELBO(gamma=10, capacity=8, anneal_steps=100)(TERMS, step) == loss


def test_capacity_takes_the_gap_of_the_mean_not_the_mean_gap():
    # C = 5 is the mean rate: no gap, although no single image has a rate of 5
    assert CapacityELBO(gamma=1000, capacity=5, anneal_steps=1)(TERMS, step=1) == 12


def test_the_logged_capacity_is_the_one_in_the_loss():
    schedule = CapacityELBO(capacity=8, anneal_steps=100).schedule(25)
    assert {name: float(value) for name, value in schedule.items()} == {"capacity": 2.0}


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: BetaELBO(-1), "beta must be >= 0, got -1"),
        (lambda: BetaELBO(float("nan")), "beta must be >= 0, got nan"),
        (lambda: CapacityELBO(gamma=-1), "gamma must be >= 0, got -1"),
        (lambda: CapacityELBO(capacity=-2), "capacity must be >= 0 nats, got -2"),
        (lambda: CapacityELBO(anneal_steps=0), "anneal_steps must be >= 1, got 0"),
    ],
)
def test_bad_knobs_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
