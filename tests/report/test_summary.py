# SPDX-License-Identifier: Apache-2.0
"""The report's first words, on tables made by hand."""

from typing import Any

import pandas as pd
import pytest

from disent.report.summary import Summary, entropy_of, summarise

NAN = float("nan")
ALL_ABOVE = "all lie above"


def table(**columns: list[Any]) -> pd.DataFrame:
    """Finished runs of one setting, as `with_families` has them, unless other columns say so."""
    n = len(next(iter(columns.values())))
    plain = {"run": [f"r{i}" for i in range(n)], "state": ["finished"] * n, "reason": [""] * n}
    plain |= {"objective": ["BetaVAE"] * n, "strength": [1.0] * n, "setting": ["beta 1"] * n}
    return pd.DataFrame({**plain, **columns})


def bounded(
    totals: list[float], errors: list[float] | None = None, entropy: list[float] | None = None
) -> pd.DataFrame:
    """Runs with rate + distortion, its standard error, and H(x), which is 10 nats if not given."""
    columns = {"evaluated.total": totals, "evaluated.entropy": entropy or [10.0] * len(totals)}
    return table(**columns | ({"evaluated.total_error": errors} if errors else {}))


def told(summary: Summary, start: str) -> list[str]:
    return [fact for fact in summary.facts if fact.startswith(start)]


def verdict(runs: pd.DataFrame) -> str:
    """What stands after "Rate + distortion is L nats ...; the entropy of the pictures is H: "."""
    (fact,) = told(summarise(runs), "Rate + distortion is ")
    return fact.split(": ")[1]


def test_the_bound_is_told_with_the_lowest_run_and_the_entropy():
    (fact,) = told(summarise(bounded([12.345, 11.0])), "Rate + distortion")
    assert fact == (
        "Rate + distortion is 11.00 nats per image at least; the entropy of the pictures is 10.00: "
        "all lie above"
    )


@pytest.mark.parametrize(
    ("totals", "errors", "below"),
    [
        ([12.0, 10.0], None, 0),
        ([12.0, 9.0], None, 1),
        ([9.0, 8.0, 12.0], None, 2),
        ([9.95], None, 0),  # 10 less the slack of 0.05
        ([9.94], None, 1),
        ([9.2], [0.25], 0),  # 10 less three errors less the slack
        ([9.19], [0.25], 1),
        ([9.2, 9.2], [0.25, 0.2], 1),  # each by its own error
        ([9.96, 9.94], [NAN, NAN], 1),  # an error that is not known forgives nothing
    ],
)
def test_a_run_is_below_by_more_than_three_errors_and_the_slack(totals, errors, below):
    expected = f"{below} lie BELOW, so something is wrong" if below else ALL_ABOVE
    assert verdict(bounded(totals, errors)) == expected


def test_runs_without_entropy_or_total_have_no_bound():
    runs = bounded([3.0, 12.0, NAN], entropy=[NAN, 10.0, 10.0])
    (fact,) = told(summarise(runs), "Rate + distortion")
    assert fact.startswith("Rate + distortion is 12.00 ")
    assert fact.endswith(ALL_ABOVE)


def test_runs_that_did_not_finish_have_no_bound():
    runs = bounded([12.0, 3.0]).assign(state=["finished", "failed"])
    assert verdict(runs) == ALL_ABOVE


@pytest.mark.parametrize(
    "runs",
    [
        table(mig=[0.1]),
        bounded([NAN]),
        bounded([12.0], entropy=[NAN]),
        bounded([12.0, 12.0], entropy=[10.0, 11.0]),  # of other pictures
        bounded([12.0]).drop(columns="evaluated.total"),
    ],
)
def test_without_one_entropy_and_a_total_nothing_is_said_of_the_bound(runs):
    assert told(summarise(runs), "Rate + distortion") == []


def test_the_entropy_is_what_all_runs_that_know_it_agree_on():
    assert entropy_of(bounded([1.0] * 3, entropy=[10.0, 10.0004, NAN])) == 10.0
    assert entropy_of(bounded([1.0] * 2, entropy=[10.0, 10.001])) is None
    assert entropy_of(table(mig=[0.1])) is None


def test_runs_are_counted_by_state_the_most_frequent_first():
    states = ["failed", "finished", "running", "finished", "finished", "failed"]
    summary = summarise(table(state=states, reason=["nan", "", "", "", "", "full disk"]))
    assert summary.facts[0] == "6 runs: 3 finished, 2 failed, 1 running"
    assert summary.failures == [("r0", "failed", "nan"), ("r5", "failed", "full disk")]


def test_families_are_told_with_their_settings_by_strength_and_their_seeds():
    runs = table(
        objective=["BetaVAE"] * 3 + ["AnnealedVAE"],
        strength=[16.0, 4.0, 4.0, 25.0],
        setting=["beta 16", "beta 4", "beta 4", "C 25"],
        seed=[0, 0, 1, 0],
    )
    assert summarise(runs).facts[1:] == [
        "AnnealedVAE: C 25; 1 seed",
        "BetaVAE: beta 4, beta 16; 2 seeds",
    ]


def seeds(each: int, means: tuple[float, ...] = (0.3, 0.5)) -> pd.DataFrame:
    """Settings whose MIG is 0.1 above its mean in one half of the seeds, below in the other."""
    mig = [mean + sign for mean in means for sign in [0.1, -0.1] * (each // 2)]
    strength = [float(2**i) for i in range(len(means)) for _ in range(each)]
    return table(mig=mig, strength=strength, setting=[f"beta {s:g}" for s in strength])


def test_the_seed_has_its_share_and_what_seeds_resolve_by_hand():
    # squares: 128 * 0.1^2 within the settings, as many between them: (1.28 / 126) / (2.56 / 127)
    # is 0.504. The deviation over seeds is 0.1 sqrt(64 / 63) = 0.101; 64 runs each find half a
    # deviation in 4 of 5 studies (Cohen, 1988, table 2.4.1).
    (share,) = told(summarise(seeds(64)), "The seed")
    assert share == "The seed accounts for 50 per cent of the variance of mig (adjusted)"
    (power,) = told(summarise(seeds(64)), "With")
    assert power == (
        "With 64 seeds a setting, a difference of two mean migs is found in 4 of 5 studies if it "
        "is 0.050 or more (two-sided t test at 5 per cent; standard deviation over seeds 0.101)"
    )


def test_few_seeds_are_corrected_for():
    # within: 4 * 0.01 over 2; in all: 4 * (0.01 + 0.01) over 3: 0.02 / 0.0267 is 3/4, not 1/2
    (share,) = told(summarise(seeds(2)), "The seed")
    assert share.startswith("The seed accounts for 75 per cent ")


def test_runs_without_the_score_are_no_seeds():
    runs = pd.concat([seeds(2), seeds(2).assign(mig=NAN)], ignore_index=True)
    assert told(summarise(runs), "With")[0].startswith("With 2 seeds a setting")


@pytest.mark.parametrize(
    "runs",
    [
        table(run=["a", "b"]),  # no score
        seeds(64).assign(mig=0.3),
        seeds(64, means=(0.3,)),  # one setting
        seeds(2).iloc[[0, 2]],  # one seed
        seeds(2).assign(mig=[0.3, 0.3, 0.5, 0.5]),  # seeds that are alike
    ],
)
def test_without_seeds_and_settings_that_differ_nothing_is_said_of_power(runs):
    assert told(summarise(runs), "The seed") == told(summarise(runs), "With") == []


def scored(**scores: list[Any]) -> pd.DataFrame:
    """Runs with scores, which a column with their variant tells from other columns."""
    variants = {f"{n}.variant": ["v"] * len(v) for n, v in scores.items() if "." not in n}
    return table(**scores | variants)


def test_the_best_run_of_a_score_stands_beside_the_baselines_of_that_run():
    runs = scored(mig=[0.1, NAN, 0.4, 0.25], sap=[0.3, 0.2, NAN, NAN])
    baselines = {"mig.untrained": [0.9, 0.9, 0.05, 0.9], "mig.chance": [0.9, 0.9, NAN, 0.9]}
    assert summarise(runs.assign(**baselines)).best == [
        {"data": "", "score": "mig", "run": "r2", "value": "0.400", "median": "0.250"}
        | {"untrained": "0.050", "pca": "", "chance": ""},
        {"data": "", "score": "sap", "run": "r0", "value": "0.300", "median": "0.250"}
        | {"untrained": "", "pca": "", "chance": ""},
    ]


def test_scores_that_have_no_best_run_are_left_out():
    runs = scored(active_units=[3.0, 9.0], dci=[NAN, NAN], mig=[0.2, 0.1])
    assert [row["score"] for row in summarise(runs).best] == ["mig"]


def test_each_dataset_has_its_own_highest_value_and_median():
    runs = scored(mig=[0.1, 0.9, 0.4]).assign(data=["DSprites", "Digits", "DSprites"])
    found = [(row["data"], row["run"], row["value"], row["median"]) for row in summarise(runs).best]
    assert found == [("DSprites", "r2", "0.400", "0.250"), ("Digits", "r1", "0.900", "0.900")]


def test_one_class_of_other_pictures_is_told_by_fingerprints():
    runs = scored(mig=[0.1, 0.9, 0.4, 0.2]).assign(
        data=["A", "A", "B", "B"], fingerprint=["a1", "a2", "b", float("nan")]
    )
    found = [(row["data"], row["value"]) for row in summarise(runs).best]
    assert found == [("B", "0.400"), ("a1", "0.100"), ("a2", "0.900")]


def test_facts_of_several_datasets_are_told_of_each():
    one = seeds(64).assign(data="Digits")
    both = pd.concat([one, one.assign(data="DSprites", mig=one["mig"] + 0.3)], ignore_index=True)
    shares = told(summarise(both), "On ")
    assert shares[0].startswith("On DSprites: the seed accounts for 50 per cent of the variance")
    assert sum("accounts for 50 per cent" in fact for fact in shares) == 2
    bounds = bounded([12.0, 9.0], entropy=[10.0, 5.0]).assign(data=["Digits", "DSprites"])
    assert told(summarise(bounds), "On ") == [
        "On DSprites: rate + distortion is 9.00 nats per image at least; the entropy of the "
        "pictures is 5.00: all lie above",
        "On Digits: rate + distortion is 12.00 nats per image at least; the entropy of the "
        "pictures is 10.00: all lie above",
    ]


def test_the_best_run_is_a_finished_one():
    runs = scored(mig=[0.2, 0.9]).assign(state=["finished", "failed"])
    (row,) = summarise(runs).best
    assert (row["run"], row["value"], row["median"]) == ("r0", "0.200", "0.200")


def test_versions_are_told_with_the_number_of_their_runs():
    runs = table(
        **{"provenance.torch": ["2.8", "2.13", "2.13", None], "provenance.numpy": [None] * 4}
    )
    assert summarise(runs).versions == [("torch", "2.13 (2 runs), 2.8 (1 runs)")]
