# SPDX-License-Identifier: Apache-2.0
"""Files of a run whose entries are of another kind are refused by name, and listed as such."""

import json
import math

import pytest
import yaml

from disent.export.card import card_of
from disent.launch.sweep.file import Metric
from disent.launch.workers.outcomes import Outcomes, last_step, last_value
from disent.runs import Run, RunDir, load_histories, load_runs
from tests.runs.study import write_run


@pytest.fixture
def run(tmp_path) -> RunDir:
    return write_run(tmp_path, 0, logged=3)


@pytest.mark.parametrize(
    ("entry", "value"),
    [
        ("state", ["running"]),
        ("reason", None),
        ("step", "5"),
        ("max_steps", -1),
        ("pid", "1"),
        ("pid", 0),
        ("pid", 2**40),
    ],
)
def test_a_status_of_other_kinds_is_refused_by_the_name_of_its_entry(entry, value, run):
    (run.path / "status.json").write_text(json.dumps({"state": "running", entry: value}))
    with pytest.raises(ValueError, match=f"status.json: {entry} is "):
        run.status()
    row = load_runs(run.path).iloc[0]
    assert row["state"] == "unreadable"
    assert f"{entry} is " in row["reason"]


def test_a_running_status_without_a_process_is_left_as_it_is(run):
    run.write_status("running")
    status = json.loads((run.path / "status.json").read_text())
    del status["pid"]
    (run.path / "status.json").write_text(json.dumps(status))
    assert run.status()["state"] == "running"


@pytest.mark.parametrize(
    ("entry", "value"),
    [
        ("scores", []),
        ("scores", {"mig": 0.5}),
        ("scores", {"mig": {}}),
        ("scores", {"mig": {"value": "high"}}),
        ("factors", {"shape": 3}),
        ("rates", [1, "x"]),
        ("information", [1.0]),
        ("rate_distortion", 3),
        ("held_out", [1]),
    ],
)
def test_scores_of_other_kinds_are_refused_by_the_name_of_their_entry(entry, value, run):
    run.scores.write_text(json.dumps({**run.read_scores(), entry: value}))
    with pytest.raises(ValueError, match=rf"metrics\.json: {entry} is "):
        run.read_scores()
    with pytest.raises(ValueError, match=f"{entry} is "):
        last_value(run, Metric("mig"))
    assert load_runs(run.path).iloc[0]["state"] == "unreadable"


@pytest.mark.parametrize("section", ["trainer", "loader", "provenance"])
def test_a_section_that_is_none_is_refused_by_name(section, run):
    run.config.write_text(yaml.safe_dump({**run.read_config(), section: "x"}))
    with pytest.raises(ValueError, match=rf"config\.yaml: {section} is 'x', but entries"):
        run.read_config()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("step,loss\n1,2\n3\n", "2 columns but a row of 1"),
        ("step,loss\ninf,2\n", "infinity"),
        ('step,"' + "x" * 200_000 + "\n1,2\n", "field larger"),
    ],
)
def test_a_log_that_cannot_be_read_is_a_row_that_says_so(text, said, run):
    run.metrics.write_text(text)
    row = load_runs(run.path).iloc[0]
    assert (row["state"], said in row["reason"]) == ("unreadable", True)


def test_words_in_a_log_keep_it_out_of_the_histories(run):
    run.metrics.write_text("step,loss\n1,high\n")
    with pytest.warns(UserWarning, match="words for numbers in loss"):
        assert load_histories(run.path).empty
    with pytest.raises(ValueError, match=r"metrics\.csv has no numbers in loss"):
        last_value(run, Metric("loss"))


def test_a_step_that_is_no_number_is_no_last_step(run):
    run.metrics.write_text("step,loss\ninf,1\n")
    assert last_step(run) is None


def test_rows_that_are_no_rows_are_dropped_before_a_run_goes_on(run):
    run.metrics.write_text("step,loss\n1,2\n3\n4,5,6\n2,1\n9,9\n")
    run.truncate(2)
    assert run.metrics.read_text() == "step,loss\n1,2\n2,1\n"


@pytest.mark.parametrize("text", ["loss\n1\n", "step,loss\nx,1\n"])
def test_a_log_without_steps_keeps_a_run_from_going_on_in_words(text, run):
    run.metrics.write_text(text)
    with pytest.raises(ValueError, match=r"metrics\.csv has no numbers of steps"):
        run.truncate(2)
    assert run.metrics.read_text() == text


@pytest.mark.parametrize(
    "note", [{"state": 3}, {"state": "lost"}, {"seconds": None}, {"seconds": "x"}, {"reason": []}]
)
def test_a_note_on_a_trial_of_other_kinds_is_refused(note, tmp_path):
    (tmp_path / "some.json").write_text(json.dumps(note))
    with pytest.raises(ValueError, match=r"some\.json is no note of a trial"):
        Outcomes(tmp_path, tmp_path).read("some")


def test_scores_that_could_not_be_computed_are_no_values(run):
    record = run.read_scores()
    record["scores"]["mig"]["value"] = math.nan
    run.write_scores(record)
    assert last_value(run, Metric("mig")) is None


@pytest.mark.parametrize(
    "model",
    [
        {"class_path": 3},
        {"class_path": "a.B", "init_args": [1]},
        {"class_path": "a.B", "init_args": {"network": {"class_path": None}}},
    ],
)
def test_a_class_without_a_path_is_refused(model, run):
    run.config.write_text(yaml.safe_dump({**run.read_config(), "model": model}))
    with pytest.raises(ValueError, match=r"config\.yaml: model is .* but a class_path"):
        run.read_config()


def test_numbers_that_were_not_finite_leave_a_card_whole(run):
    run.write_status("finished", step=9000, max_steps=9000)
    record = run.read_scores()
    record["factors"]["shape"] = {"linear_r2": math.nan, "information": 0.05}
    run.write_scores(record)
    card = card_of(Run.load(run.path), "a fingerprint", run.path)
    assert "- shape can hardly be read from the code." in card
    assert "| shape |  | 0.050 |" in card
