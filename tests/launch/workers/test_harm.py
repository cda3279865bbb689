# SPDX-License-Identifier: Apache-2.0
"""What is done to a sweep from outside: holders that are stopped, folders that are deleted."""

import os
import shutil
import signal
import subprocess
import sys
import time

import pytest

from disent.runs import RunDir
from tests.launch.fake import ROOT, wait_for


def steps_of(run):
    rows = (run / "metrics.csv").read_text().splitlines()[1:]
    return [int(row.partition(",")[0]) for row in rows]


@pytest.mark.slow
@pytest.mark.parametrize("frozen", ["the holder", "the holder and its trial", "the trial"])
def test_a_holder_that_is_stopped_beyond_its_patience_and_goes_on_harms_no_run(
    sweep, drain, tmp_path, frozen
):
    """Another process takes the trial over, or waits; each step is written once, in order."""
    file, runs = sweep(1, steps=80, wait=0.05), tmp_path / "runs"
    first = drain(file, runs, "--patience", "2")
    wait_for(lambda: list(runs.glob("counting*/count")))
    trial = int((runs / "starts.txt").read_text().split()[2])
    stopped = {
        "the holder": [first.pid],
        "the holder and its trial": [first.pid, trial],
        "the trial": [trial],
    }[frozen]
    try:
        for pid in stopped:
            os.kill(pid, signal.SIGSTOP)
        second = drain(file, runs, "--patience", "2")
        time.sleep(6)  # three times the patience
    finally:
        for pid in stopped:
            os.kill(pid, signal.SIGCONT)
    assert [first.wait(120), second.wait(120)] == [0, 0]
    (run,) = runs.glob("counting*")
    assert RunDir(run).status()["state"] == "finished"
    assert steps_of(run) == list(range(1, 81))


@pytest.mark.slow
def test_of_eight_processes_that_start_one_run_one_trains_it(tmp_path):
    words = [sys.executable, "-m", "tests.launch.fake", "--steps=40", "--wait=0.05"]
    words += ["--runs", str(tmp_path), "--run", "one"]
    started = [subprocess.Popen(words, cwd=ROOT) for _ in range(8)]
    codes = sorted(process.wait(120) for process in started)
    assert codes == [0, *[75] * 7]
    assert steps_of(tmp_path / "one") == list(range(1, 41))
    assert RunDir(tmp_path / "one").status()["state"] == "finished"


@pytest.mark.slow
@pytest.mark.parametrize("deleted", ["a run", "all of it"])
def test_a_folder_that_is_deleted_under_a_sweep_ends_in_words(sweep, tmp_path, deleted):
    """The trial fails and is listed, or the sweep says what it misses: never a traceback of it."""
    file, runs = sweep(2, steps=60, wait=0.05), tmp_path / "runs"
    words = [sys.executable, "-m", "disent", "sweep", str(file), "--runs", str(runs)]
    worker = subprocess.Popen(words, cwd=ROOT, stderr=subprocess.PIPE, stdout=subprocess.PIPE)
    wait_for(lambda: list(runs.glob("counting*/count")))
    shutil.rmtree(next(runs.glob("counting*")) if deleted == "a run" else runs, ignore_errors=True)
    said, errors = (text.decode() for text in worker.communicate(timeout=120))
    assert worker.returncode in (0, 1), errors
    assert "Traceback" not in errors
    if worker.returncode and deleted == "a run":
        assert "failed: counting-" in said
    again = subprocess.run([*words, "--retry"], cwd=ROOT, capture_output=True, check=False)
    assert again.returncode == 0, again.stderr.decode()
    for run in runs.glob("counting*"):
        assert RunDir(run).status()["state"] == "finished"
