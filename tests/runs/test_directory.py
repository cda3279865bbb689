# SPDX-License-Identifier: Apache-2.0
"""The run directory is whole at every moment, and says the truth about dead processes."""

import json
import os
import subprocess
import sys

import pytest

from disent.files import replacing_path
from disent.runs import RunDir


@pytest.fixture
def run(tmp_path):
    return RunDir(tmp_path / "run")


def test_status_keeps_the_start_and_says_when_it_ended(run):
    run.write_status("running", reason="starting")
    started = run.status()["started"]
    run.write_status("running", step=5)
    run.write_status("finished", step=10)
    status = run.status()
    assert status["started"] == started
    assert status["state"] == "finished"
    assert status["step"] == 10
    assert status["finished"] >= started


def test_a_run_that_goes_on_is_not_finished(run):
    run.write_status("finished")
    run.write_status("running")
    assert "finished" not in run.status()


def test_a_dead_process_is_not_running(run):
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    run.write_status("running")
    content = json.loads((run.path / "status.json").read_text())
    (run.path / "status.json").write_text(json.dumps({**content, "pid": dead.pid}))
    assert run.status()["state"] == "failed"
    assert f"process {dead.pid} ended without a word" in run.status()["reason"]


def test_a_process_of_another_host_is_left_alone(run):
    run.write_status("running")
    content = json.loads((run.path / "status.json").read_text())
    elsewhere = {**content, "host": "elsewhere", "pid": 2**22 + 1}
    (run.path / "status.json").write_text(json.dumps(elsewhere))
    assert run.status()["state"] == "running"


def test_only_one_process_holds_a_run(run):
    with run.lock(), pytest.raises(BlockingIOError, match="is being run by process"):
        RunDir(run.path).lock()
    with run.lock():
        pass


def test_rows_are_appended_and_cut_back_to_a_step(run):
    for step in (10, 20, 30):
        run.append_row(run.metrics, {"step": step, "loss": step / 3})
    with run.metrics.open("a") as file:
        file.write("40,1.2")  # the process died while writing
    run.truncate(20)
    assert run.metrics.read_text() == "step,loss\n10,3.333333\n20,6.666667\n"


def test_half_a_checkpoint_of_a_killed_process_is_dropped_by_the_next(run):
    run.last.parent.mkdir(parents=True)
    run.last.write_bytes(b"whole")
    with replacing_path(run.last) as temporary:
        temporary.write_bytes(b"whole")
    temporary.write_bytes(b"half")  # the process died while writing
    run.truncate(20)
    left = [(file.name, file.read_bytes()) for file in run.last.parent.iterdir()]
    assert left == [("last.ckpt", b"whole")]


def test_a_file_without_a_whole_header_is_dropped(run):
    run.path.mkdir()
    run.metrics.write_text("step,lo")
    run.truncate(20)
    assert not run.metrics.exists()


def test_rows_with_other_columns_are_refused(run):
    run.append_row(run.metrics, {"step": 1, "loss": 2.0})
    with pytest.raises(ValueError, match=r"has the columns \['step', 'loss'\]"):
        run.append_row(run.metrics, {"step": 2, "rate": 2.0})


def test_scores_that_are_not_finite_are_stored_as_null(run):
    run.write_scores({"a": float("nan"), "b": [1.0, float("inf")], "c": {"d": 2}})
    assert run.read_scores() == {"a": None, "b": [1.0, None], "c": {"d": 2}}


def test_a_failed_write_leaves_the_old_file_and_no_other(run, monkeypatch):
    run.write_scores({"a": 1})

    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(OSError, match="No space left"):
        run.write_scores({"a": 2})
    assert run.read_scores() == {"a": 1}
    assert [f.name for f in run.path.iterdir()] == ["metrics.json"]


@pytest.mark.parametrize("text", ["{", "[1]", "\x00"])
def test_a_broken_file_is_named(run, text):
    run.path.mkdir()
    run.scores.write_text(text)
    with pytest.raises(ValueError, match=r"metrics\.json"):
        run.read_scores()


def test_a_log_can_grow_columns_and_lack_values(tmp_path):
    run = RunDir(tmp_path)
    run.append_row(run.evaluations, {"step": 1, "mig": 0.5}, widen=True)
    run.append_row(run.evaluations, {"step": 2, "dci.disentanglement": 0.25}, widen=True)
    run.append_row(run.evaluations, {"step": 3, "mig": 0.75}, widen=True)
    assert run.evaluations.read_text().splitlines() == [
        "step,mig,dci.disentanglement",
        "1,0.5,",
        "2,,0.25",
        "3,0.75,",
    ]
    with pytest.raises(ValueError, match="other settings"):
        run.append_row(run.evaluations, {"step": 4, "mig": 1.0})
