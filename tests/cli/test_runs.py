# SPDX-License-Identifier: Apache-2.0
"""disent runs: the table, chosen and sorted, and as a file."""

import pandas as pd
import pytest

from disent.cli.main import main
from tests.runs.study import write_run


@pytest.fixture
def study(tmp_path):
    for number in range(12):
        write_run(tmp_path, number, logged=2, state="failed" if number == 4 else "finished")
    return tmp_path


def listed(capsys):
    return [line.split()[0] for line in capsys.readouterr().out.splitlines()[1:]]


def test_runs_are_listed_chosen_and_sorted(study, capsys):
    assert main(["runs", str(study)]) == 0
    assert listed(capsys) == [f"study-{number:05d}" for number in range(12)]
    words = ["runs", str(study), "--where", "model.capacity>=50", "--sort", "C", "--descending"]
    assert main(words) == 0
    assert listed(capsys) == ["study-00011", "study-00010", "study-00009"]
    assert main(["runs", str(study), "--where", "state=failed", "--columns", "run,mig"]) == 0
    assert listed(capsys) == ["study-00004"]


def test_all_columns_go_into_a_file(study, tmp_path, capsys):
    file = tmp_path / "all.csv"
    assert main(["runs", str(study), "--where", "model=BetaVAE", "--csv", str(file)]) == 0
    table = pd.read_csv(file)
    assert table["beta"].tolist() == [1, 2, 4, 6, 8, 16]
    assert {"mig.chance", "evaluated.rate", "trainer.max_steps"} <= set(table.columns)


def test_a_wrong_column_or_an_empty_choice_is_told(study, capsys):
    assert main(["runs", str(study), "--sort", "migg"]) == 1
    assert "Did you mean mig" in capsys.readouterr().err
    assert main(["runs", str(study), "--where", "mig>9"]) == 0
    assert "none of the 12 runs" in capsys.readouterr().out


def test_a_name_with_brackets_is_shown_as_it_is(tmp_path, capsys):
    write_run(tmp_path, 0, logged=2).path.rename(tmp_path / "[bold]a")
    assert main(["runs", str(tmp_path)]) == 0
    assert "[bold]a" in capsys.readouterr().out
