# SPDX-License-Identifier: Apache-2.0
import pytest
import torch

from disent.objectives.schedules import constant, cyclic, linear


@pytest.mark.parametrize("step", [0, 7, 10**9])
def test_constant(step):
    assert float(constant(step, value=4.0)) == 4


@pytest.mark.parametrize(("step", "value"), [(0, 0), (1, 2.5), (4, 10), (9, 20), (999, 20)])
def test_linear_rises_to_its_stop_and_stays(step, value):
    assert float(linear(step, stop=20.0, over=8)) == value


@pytest.mark.parametrize(
    ("step", "value"), [(0, 0), (1, 1), (2, 2), (4, 4), (6, 4), (7, 4), (8, 0), (11, 3), (15, 4)]
)
def test_cyclic_rises_for_half_its_period_and_starts_again(step, value):
    assert float(cyclic(step, stop=4.0, period=8)) == value


@pytest.mark.parametrize(
    "schedule",
    [
        lambda step: constant(step, value=3.0),
        lambda step: linear(step, stop=25.0, over=7),
        lambda step: cyclic(step, stop=5.0, period=6),
    ],
)
def test_a_tensor_of_steps_gives_what_each_step_gives(schedule):
    steps = torch.arange(20)
    expected = torch.stack([torch.as_tensor(schedule(int(step))) for step in steps])
    torch.testing.assert_close(torch.as_tensor(schedule(steps)), expected)


def test_many_stops_at_once():
    stops = torch.tensor([5.0, 25.0])
    assert linear(1, stop=stops, over=2).tolist() == [2.5, 12.5]
    assert cyclic(1, stop=stops, period=4).tolist() == [2.5, 12.5]
    assert constant(1, value=stops).tolist() == [5, 25]
