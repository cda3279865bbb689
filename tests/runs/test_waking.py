# SPDX-License-Identifier: Apache-2.0
import pandas as pd
import pytest

from disent.runs import followed_factors, wake_up

HISTORY = pd.DataFrame(
    {
        "step": [10, 20, 30, 40],
        "capacity": [1.0, 2.0, 3.0, 4.0],
        "rate_0": [0.0, 0.6, 0.7, 0.9],
        "rate_1": [0.6, 0.1, 0.2, 0.3],  # a moment is no waking
        "rate_2": [0.0, 0.0, 0.0, 0.5],  # nor is the last step alone
        "rate_3": [0.5, 0.5, 0.5, 0.5],
    }
)


def test_a_latent_wakes_where_it_stays_awake():
    assert wake_up(HISTORY).to_dict() == {3: 1.0, 0: 2.0}
    assert list(wake_up(HISTORY).index) == [3, 0]
    assert wake_up(HISTORY, by="step", threshold=0.65).to_dict() == {0: 30.0}


def test_a_run_without_capacity_says_what_to_do():
    with pytest.raises(ValueError, match='by="step"'):
        wake_up(HISTORY.drop(columns="capacity"))


def test_a_latent_follows_the_factor_that_it_tells_most_of():
    record = {
        "factors": {"shape": {}, "scale": {}, "one value": {}},
        "factor_entropy": [1.0, 2.0, 0.0],
        # z0: 0.3 of shape, 0.25 of scale; z1: nothing; z2: scale
        "information": [[0.3, 0.05, 0.0, 0.9], [0.5, 0.1, 1.0, 0.0], [0.0, 0.0, 0.0, 0.0]],
        "rates": [2.0, 1.0, 0.1, 0.05],  # z3 is faint
    }
    assert followed_factors(record) == {0: "shape", 2: "scale"}
    points = record | {"rates": None}  # of a code without rates
    assert followed_factors(points) == {0: "shape", 2: "scale", 3: "shape"}
    with pytest.raises(ValueError, match="disent evaluate"):
        followed_factors({})
