# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pandas as pd
import pytest

from disent.runs.selection import select_runs, sort_runs

TABLE = pd.DataFrame(
    {
        "run": ["a", "b", "c"],
        "state": ["finished", "failed", "finished"],
        "model.beta": [1.0, 4.0, np.nan],
        "mig": [0.1, np.nan, 0.3],
    }
)


@pytest.mark.parametrize(
    ("conditions", "runs"),
    [
        (["state=finished"], "ac"),
        (["state==finished"], "ac"),
        (["state != finished"], "b"),
        (["model.beta>=1"], "ab"),
        (["model.beta>1"], "b"),
        (["model.beta=4.0"], "b"),
        (["model.beta!=4"], "ac"),
        (["state=finished", "mig > 0.2"], "c"),
        (["mig<0"], ""),
        ([], "abc"),
    ],
)
def test_conditions_choose_runs(conditions, runs):
    assert "".join(select_runs(TABLE, conditions)["run"]) == runs


@pytest.mark.parametrize(
    ("condition", "says"),
    [
        ("finished", "is no condition"),
        ("beta=4", "Did you mean model.beta"),
        ("state>finished", "wants a number"),
    ],
)
def test_a_bad_condition_says_what_to_do(condition, says):
    with pytest.raises(ValueError, match=says):
        select_runs(TABLE, [condition])


def test_runs_without_a_value_are_sorted_last():
    assert "".join(sort_runs(TABLE, "mig")["run"]) == "acb"
    assert "".join(sort_runs(TABLE, "mig", descending=True)["run"]) == "cab"
