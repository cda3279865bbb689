# SPDX-License-Identifier: Apache-2.0
"""Schedules of any objective's strength: known values on the way, and the objective at the end."""

import pytest
import torch

from disent.gaussian import DiagonalGaussian
from disent.objectives import (
    BetaELBO,
    CapacityELBO,
    CovarianceELBO,
    DiscrepancyELBO,
    ScheduledELBO,
    TotalCorrelationELBO,
)
from disent.objectives.base import Objective, Terms


def terms() -> Terms:
    mean, logvar, noise = torch.randn(3, 6, 2, generator=torch.Generator().manual_seed(0))
    q = DiagonalGaussian(mean, logvar)
    return Terms(torch.full((6,), 12.0), torch.full((6, 2), 2.5), q, q.sample(noise), noise)


def at(objective: Objective, step: int) -> float:
    return float(objective(terms(), step))


@pytest.mark.parametrize(
    ("shape", "betas"),
    [
        ("linear", {0: 0, 25: 1, 50: 2, 100: 4, 130: 4, 10_000: 4}),
        ("cyclic", {0: 0, 25: 2, 50: 4, 99: 4, 100: 0, 125: 2, 1075: 4}),
    ],
)
def test_beta_on_its_way_to_4(shape, betas):
    objective = ScheduledELBO(BetaELBO(4.0), over=100, shape=shape)
    assert {step: at(objective, step) for step in betas} == {
        step: 12 + beta * 5 for step, beta in betas.items()
    }
    logged = {step: objective.schedule(step) for step in betas}
    assert logged == {step: {"scheduled_beta": torch.tensor(float(b))} for step, b in betas.items()}


def test_it_may_start_elsewhere():
    objective = ScheduledELBO(BetaELBO(4.0), over=10, start=1.0)
    assert [at(objective, step) for step in (0, 5, 10)] == [17, 12 + 2.5 * 5, 32]
    falling = ScheduledELBO(BetaELBO(1.0), over=10, start=3.0)
    assert [at(falling, step) for step in (0, 5, 10)] == [27, 22, 17]


OTHERS = [
    (TotalCorrelationELBO(6.0, 100), "scheduled_beta"),
    (CovarianceELBO("ii"), "scheduled_lambda_od"),
    (DiscrepancyELBO(), "scheduled_lambda_mmd"),
    (BetaELBO(2.0), "scheduled_beta"),
]


@pytest.mark.parametrize(("objective", "name"), OTHERS, ids=[type(o).__name__ for o, _ in OTHERS])
def test_any_objective_is_itself_at_the_end(objective, name):
    scheduled = ScheduledELBO(objective, over=10, start=1.0)
    assert at(scheduled, 10) == at(objective, 0)
    assert at(scheduled, 3) != at(objective, 0)
    assert list(scheduled.schedule(3)) == [name]
    assert scheduled.tell(terms()) == objective.tell(terms())


def test_the_beta_tcvae_starts_as_the_elbo():
    scheduled = ScheduledELBO(TotalCorrelationELBO(6.0, 100), over=10, start=1.0)
    assert at(scheduled, 0) == 17
    halfway = ScheduledELBO(TotalCorrelationELBO(6.0, 100), over=10, start=1.0)
    assert at(halfway, 5) == at(TotalCorrelationELBO(3.5, 100), 0)


def test_what_it_schedules_is_left_as_it_was():
    inner = BetaELBO(4.0)
    scheduled = ScheduledELBO(inner, over=10)
    scheduled(terms(), 3)
    assert float(inner.beta) == 4
    assert at(scheduled, 10) == at(inner, 0)


def test_gradients_are_weighed_as_the_step_says():
    given = terms()._replace(rate=torch.full((6, 2), 2.5, requires_grad=True))
    ScheduledELBO(BetaELBO(4.0), over=100)(given, 25).backward()
    assert given.rate.grad is not None
    torch.testing.assert_close(given.rate.grad, torch.full((6, 2), 1 / 6))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ScheduledELBO(CapacityELBO()), "CapacityELBO has no strength, or a schedule of"),
        (lambda: ScheduledELBO(ScheduledELBO()), "ScheduledELBO has no strength, or a schedule of"),
        (lambda: ScheduledELBO(over=0), "over must be >= 1 step, got 0"),
        (lambda: ScheduledELBO(shape="sigmoid"), "shape must be 'linear' or 'cyclic', got 'sig"),  # type: ignore[arg-type]
        (lambda: ScheduledELBO(start=-1.0), "start must be >= 0, got -1"),
    ],
)
def test_bad_settings_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
