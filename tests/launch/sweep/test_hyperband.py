# SPDX-License-Identifier: Apache-2.0
"""Which runs are given up: known answers."""

import pytest

from disent.launch.sweep.file import Hyperband
from disent.launch.sweep.hyperband import bracket_lost

EARLY = Hyperband((2, 6), eta=3)


def test_a_run_waits_for_its_bracket():
    assert bracket_lost([9.0], [[1.0, 1.0]] * 5, EARLY, "minimize") is None


@pytest.mark.parametrize(("goal", "best"), [("minimize", 1.0), ("maximize", 9.0)])
def test_the_best_third_of_those_that_came_so_far_goes_on(goal, best):
    others = [[5.0, 5.0], [best, best]]
    assert bracket_lost([4.0 if best == 1.0 else 6.0] * 2, others, EARLY, goal) == 2
    assert bracket_lost([best] * 2, [[5.0, 5.0], [4.0, 4.0]], EARLY, goal) is None


def test_the_best_value_so_far_counts_and_ties_stay():
    assert bracket_lost([1.0, 9.0], [[1.0, 5.0], [1.0, 1.0]], EARLY, "minimize") is None


def test_who_came_first_goes_on():
    assert bracket_lost([9.0, 9.0], [], EARLY, "minimize") is None
    assert bracket_lost([9.0, 9.0], [[1.0]], EARLY, "minimize") is None


def test_a_value_that_is_no_number_loses():
    assert bracket_lost([float("nan")] * 2, [[1.0, 1.0]], EARLY, "minimize") == 2


def test_a_later_bracket_counts_too():
    mine, good = [1.0, 1.0, 9, 9, 9, 9], [2.0, 2.0, 0.5, 0.5, 0.5, 0.5]
    assert bracket_lost(mine, [good, good, good], EARLY, "minimize") == 6
