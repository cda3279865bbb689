# SPDX-License-Identifier: Apache-2.0
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from disent.runs import (
    best_per_group,
    mean_interval,
    minimal_detectable_difference,
    over_seeds,
    pooled_std,
    rank_correlation,
    rank_correlations,
    seeds_needed,
    variance_shares,
    with_families,
)

TABLE = with_families(
    pd.DataFrame(
        {
            "run": list("abcdef"),
            "model": ["BetaVAE"] * 4 + ["AnnealedVAE"] * 2,
            "beta": [1.0, 1.0, 4.0, 4.0, np.nan, np.nan],
            "C": [np.nan] * 4 + [25.0, 25.0],
            "mig": [0.0, 0.2, 0.4, 0.6, 0.8, 1.0],
            "udr": [0.9, 0.1, 0.3, 0.5, 0.2, 0.1],
        }
    )
)


def test_families_are_named_by_objective_and_strength():
    assert TABLE["setting"].tolist() == ["beta 1", "beta 1", "beta 4", "beta 4", "C 25", "C 25"]
    plain = with_families(pd.DataFrame({"run": ["a"], "model": ["VAE"]}))
    assert plain[["objective", "setting"]].to_numpy().tolist() == [["VAE", "VAE"]]
    assert plain["strength"].isna().all()


def test_a_mean_lies_within_its_interval():
    found = mean_interval([1.0, 2.0, 3.0, float("nan")])
    assert (found.mean, found.n) == (2.0, 3)
    assert 1.0 <= found.low < 2.0 < found.high <= 3.0
    # of 27 equally likely resamples one has the mean 1: less than 2.5 % are needed for the end
    assert found.low == 1.0
    alone = mean_interval([4.0])
    assert (alone.mean, alone.n) == (4.0, 1)
    assert math.isnan(alone.low)
    assert math.isnan(mean_interval([]).mean)


@given(st.lists(st.floats(-1e3, 1e3), min_size=2, max_size=6))
def test_an_interval_is_within_the_values(values):
    found = mean_interval(values)
    slack = 1e-9 * (1 + max(map(abs, values)))
    assert min(values) - slack <= found.low <= found.high <= max(values) + slack


def test_over_seeds_gives_a_row_a_setting():
    found = over_seeds(TABLE, "mig", "setting").set_index("setting")
    assert found["mean"].round(9).to_dict() == {"C 25": 0.9, "beta 1": 0.1, "beta 4": 0.5}
    assert found["n"].tolist() == [2, 2, 2]
    assert found[["min", "max", "median"]].to_numpy().tolist()[-1] == [0.4, 0.6, 0.5]
    with pytest.raises(ValueError, match="no column 'sap'"):
        over_seeds(TABLE, "sap", "setting")


def test_variance_shares_by_hand():
    """Means: BetaVAE 0.3, AnnealedVAE 0.9, all 0.5; each group varies by 2 * 0.01."""
    total = 0.7
    between_objectives = 4 * 0.2**2 + 2 * 0.4**2
    within = 3 * 0.02
    found = variance_shares(TABLE, "mig")
    assert found.objective == pytest.approx(between_objectives / total)
    assert found.seed == pytest.approx(within / total)
    assert found.strength == pytest.approx(1 - (between_objectives + within) / total)
    adjusted = variance_shares(TABLE, "mig", adjusted=True)
    assert adjusted.seed == pytest.approx((within / 3) / (total / 5))
    assert sum(adjusted[:3]) == pytest.approx(1)


def test_noise_alone_seems_explained_but_not_when_adjusted():
    """100 settings of 4 seeds without any effect: their means explain about 1/4."""
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"objective": "a", "strength": np.repeat(np.arange(100.0), 4)})
    table["mig"] = rng.normal(size=400)
    assert variance_shares(table, "mig").seed == pytest.approx(0.75, abs=0.05)
    assert variance_shares(table, "mig", adjusted=True).seed == pytest.approx(1, abs=0.06)


def test_variance_shares_want_seeds_and_variance():
    with pytest.raises(ValueError, match="no setting has two seeds"):
        variance_shares(TABLE.iloc[[0, 2, 4]], "mig")
    with pytest.raises(ValueError, match="no variance"):
        variance_shares(TABLE.assign(mig=1.0), "mig")


def test_rank_correlation_needs_no_straight_line():
    first = [1.0, 2.0, 3.0, 4.0, 5.0, float("nan")]
    second = [1.0, 8.0, 27.0, 64.0, 125.0, 0.0]
    assert rank_correlation(first, second) == (1.0, 1.0, 1.0, 5)
    # ranks 1 2 3 against 1 3 2: 1 - 6 * 2 / (3 * 8)
    assert rank_correlation([1, 2, 3], [1, 3, 2]).mean == pytest.approx(0.5)
    assert math.isnan(rank_correlation([1, 2], [2, 1]).mean)
    assert math.isnan(rank_correlation([1, 1, 1], [1, 2, 3]).mean)


def test_rank_correlations_are_a_square_table():
    found = rank_correlations(TABLE, ["mig", "udr"])
    expected = rank_correlation(TABLE["mig"], TABLE["udr"]).mean
    assert found.loc["mig", "udr"] == pytest.approx(expected)
    assert found.loc["mig", "mig"] == 1


def test_choosing_without_labels_costs_what_it_costs():
    found = best_per_group(TABLE, "mig", "setting", choose_by="udr").set_index("setting")
    assert found["run"].to_dict() == {"C 25": "e", "beta 1": "a", "beta 4": "d"}
    assert found["regret"].round(9).to_dict() == {"C 25": 0.2, "beta 1": 0.2, "beta 4": 0.0}
    chosen = best_per_group(TABLE, "mig", "objective")
    assert chosen["regret"].eq(0).all()


def test_power_equals_the_tables():
    """Cohen (1988), table 2.3.5: d = 0.5 needs 64 of each for power 0.80; d = 0.8 needs 26."""
    assert seeds_needed(0.5, 1.0) == 64
    assert seeds_needed(0.8, 1.0) == 26
    assert minimal_detectable_difference(1.0, 64) == pytest.approx(0.5, abs=0.005)
    assert minimal_detectable_difference(2.0, 26) == pytest.approx(1.6, abs=0.02)
    with pytest.raises(ValueError, match="two seeds"):
        minimal_detectable_difference(1.0, 1)
    with pytest.raises(ValueError, match="positive"):
        seeds_needed(0, 1.0)


def test_pooled_std_by_hand():
    """Each of the three settings has two values 0.2 apart: variance 0.02."""
    assert pooled_std(TABLE, "mig", "setting") == pytest.approx(math.sqrt(0.02))
    assert math.isnan(pooled_std(TABLE.iloc[[0, 2]], "mig", "setting"))
