# SPDX-License-Identifier: Apache-2.0
import pytest

from disent.runs import RunDir, load_histories
from tests.runs.study import write_run


def test_steps_of_all_runs_stand_in_one_long_table(tmp_path):
    for number in (0, 6):
        write_run(tmp_path, number, logged=3)
    table = load_histories(tmp_path)
    assert table["run"].tolist() == ["study-00000"] * 3 + ["study-00006"] * 3
    assert table["step"].tolist() == [3000, 6000, 9000] * 2
    assert table.loc[table["run"] == "study-00000", "capacity"].isna().all()
    assert table["capacity"].max() == 5.0
    one = load_histories([tmp_path / "study-00006"])
    assert one["path"].unique().tolist() == [str(tmp_path / "study-00006")]


def test_scores_during_training_stand_at_their_steps(tmp_path):
    run = RunDir(tmp_path / "a")
    run.write_status("finished")
    for step in (10, 20):
        run.append_row(run.metrics, {"step": step, "rate": step / 10})
    run.append_row(run.evaluations, {"step": 20, "mig": 0.3})
    table = load_histories(tmp_path)
    assert table["rate"].tolist() == [1.0, 2.0]
    assert table["mig"].fillna(-1).tolist() == [-1.0, 0.3]


def test_a_half_written_row_is_not_read_and_a_broken_log_is_told(tmp_path):
    whole, torn, broken = (write_run(tmp_path, number, logged=2) for number in range(3))
    with torn.metrics.open("a") as stream:
        stream.write("9000,1,2")
    broken.metrics.write_text("not a log")
    with pytest.warns(UserWarning, match="study-00002"):
        table = load_histories(tmp_path)
    assert table.groupby("run").size().to_dict() == {whole.path.name: 2, torn.path.name: 2}


def test_nothing_logged_is_an_empty_table(tmp_path):
    assert load_histories(tmp_path).empty
    with pytest.raises(FileNotFoundError, match="there is no folder"):
        load_histories(tmp_path / "missing")
