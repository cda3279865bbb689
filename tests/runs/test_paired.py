# SPDX-License-Identifier: Apache-2.0
import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from disent.runs import (
    compare_pair,
    compare_settings,
    mean_interval,
    minimal_detectable_difference,
    seeds_needed,
)

FIRST, SECOND = [0.31, 0.28, 0.35, 0.30, 0.33], [0.21, 0.24, 0.22, 0.27, 0.26]


def test_paired_power_equals_the_tables():
    """Two-sided paired t test at 0.05: effects of 0.2, 0.5, 0.8 want 199, 34, 15 pairs for 0.80."""
    found = [seeds_needed(effect, 1.0, paired=True) for effect in (0.2, 0.5, 0.8)]
    assert found == [199, 34, 15]
    assert minimal_detectable_difference(1.0, 34, paired=True) == pytest.approx(0.5, abs=0.006)
    assert minimal_detectable_difference(3.0, 15, paired=True) == pytest.approx(2.4, abs=0.1)


def test_by_hand_and_by_scipy():
    differences = np.subtract(FIRST, SECOND)
    found = compare_pair(FIRST, SECOND)
    assert found.difference == pytest.approx(0.074)
    assert (found.n, found.std) == (5, pytest.approx(differences.std(ddof=1)))
    assert found.p == pytest.approx(stats.ttest_rel(FIRST, SECOND).pvalue)
    assert (found.low, found.high) == mean_interval(differences)[1:3]
    assert found.seeds_needed == seeds_needed(found.difference, found.std, paired=True)
    smallest = minimal_detectable_difference(found.std, 5, paired=True)
    assert found.detectable == pytest.approx(smallest)


def test_the_power_is_how_often_the_test_finds_it():
    """20,000 studies of 6 seeds with the smallest detectable difference: 4 of 5 find it."""
    smallest = minimal_detectable_difference(1.0, 6, paired=True)
    studies = np.random.default_rng(0).normal(smallest, 1.0, (20_000, 6))
    t = studies.mean(1) / studies.std(1, ddof=1) * math.sqrt(6)
    assert (abs(t) > stats.t.ppf(0.975, 5)).mean() == pytest.approx(0.8, abs=0.012)


def test_what_a_seed_does_to_both_cancels():
    luck = np.array([0.0, 0.3, -0.3, 0.2, -0.2])
    paired = compare_pair(FIRST + luck, SECOND + luck)
    assert paired.difference == pytest.approx(compare_pair(FIRST, SECOND).difference)
    assert paired.std == pytest.approx(compare_pair(FIRST, SECOND).std)
    apart = seeds_needed(0.074, float(np.std(FIRST + luck, ddof=1)))
    assert paired.seeds_needed is not None
    assert paired.seeds_needed < apart / 5


def test_the_other_way_round_it_is_the_opposite():
    there, back = compare_pair(FIRST, SECOND), compare_pair(SECOND, FIRST)
    assert back.difference == pytest.approx(-there.difference)
    assert (back.low, back.high) == pytest.approx((-there.high, -there.low), abs=2e-3)
    assert (back.p, back.seeds_needed) == (pytest.approx(there.p), there.seeds_needed)


def test_differences_that_do_not_vary_or_are_none_have_no_power():
    always = compare_pair([0.5, 0.7], [0.25, 0.45])
    assert always[:3] == pytest.approx((0.25, 0.25, 0.25))
    none = compare_pair([0.1, 0.2, 0.3], [0.2, 0.1, 0.3])
    assert none.difference == pytest.approx(0, abs=1e-12)
    assert none.p == pytest.approx(1)
    one = compare_pair([0.5, math.nan], [0.25, 0.1])
    assert (one.n, one.difference, one.seeds_needed) == (1, 0.25, None)
    assert math.isnan(one.low)


def test_scores_that_are_no_pairs_are_refused():
    with pytest.raises(ValueError, match=r"shape \(2,\) and \(3,\)"):
        compare_pair([1, 2], [1, 2, 3])
    with pytest.raises(ValueError, match="none of 1 seeds"):
        compare_pair([math.nan], [1])


TABLE = pd.DataFrame(
    {
        "setting": ["beta 1"] * 3 + ["beta 4"] * 3 + ["C 25"],
        "seed": [0, 1, 2, 2, 1, 3, 9],
        "mig": [0.10, 0.20, 0.30, 0.35, 0.21, 0.50, 0.4],
    }
)


def test_settings_are_matched_by_seed():
    found = compare_settings(TABLE, "mig", "beta 4", "beta 1")
    assert (found.n, found.difference) == (2, pytest.approx(0.03))  # of seeds 1 and 2
    assert found == compare_pair([0.21, 0.35], [0.20, 0.30])


def test_settings_that_cannot_be_matched_are_refused():
    with pytest.raises(ValueError, match=r"'beta 1' and 'C 25' have no seed in common"):
        compare_settings(TABLE, "mig", "beta 1", "C 25")
    with pytest.raises(ValueError, match="0 runs of setting 'beta 2'"):
        compare_settings(TABLE, "mig", "beta 1", "beta 2")
    twice = pd.concat([TABLE, TABLE.iloc[:1]])
    with pytest.raises(ValueError, match="4 runs of setting 'beta 1' have a mig, of 3 seeds"):
        compare_settings(twice, "mig", "beta 1", "beta 4")
    with pytest.raises(ValueError, match="no column 'dci'"):
        compare_settings(TABLE, "dci", "beta 1", "beta 4")
