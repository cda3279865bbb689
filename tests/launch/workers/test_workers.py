# SPDX-License-Identifier: Apache-2.0
"""A sweep is drained by workers: each trial once, whatever happens to them."""

import signal
import time
from collections import Counter

import pytest

from disent.cli.main import main
from disent.launch.sweep.file import read_sweep
from disent.launch.workers.processes import THREADS, environment_of
from disent.launch.workers.workers import Workers
from disent.runs.directory import RunDir
from tests.launch.fake import wait_for


def starts(runs):
    """How often each trial was started."""
    return Counter(line.split()[0] for line in (runs / "starts.txt").read_text().splitlines())


def states(runs):
    return Counter(RunDir(run).status().get("state") for run in runs.glob("counting*"))


def test_every_trial_is_run_once(sweep, tmp_path, capsys):
    arguments = ["sweep", str(sweep(5)), "--runs", str(tmp_path / "runs"), "--workers", "2"]
    assert main(arguments) == 0
    assert "5 of 5 done" in capsys.readouterr().out
    assert set(starts(tmp_path / "runs").values()) == {1}
    assert states(tmp_path / "runs") == {"finished": 5}
    assert main(arguments) == 0  # nothing is left to do
    assert sum(starts(tmp_path / "runs").values()) == 5


@pytest.mark.slow
def test_cores_are_shared_out(sweep, tmp_path, monkeypatch):
    for name in THREADS:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("disent.launch.workers.processes.cores", lambda: 8)
    runs = tmp_path / "runs"
    Workers(read_sweep(sweep(2)), runs, 2).run(lambda status: None)
    assert {line.split()[1] for line in (runs / "starts.txt").read_text().splitlines()} == {"4"}


def test_threads_that_were_asked_for_are_kept(monkeypatch):
    for name in THREADS:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    assert {name: environment_of(0, 2, [])[name] for name in THREADS} == dict.fromkeys(THREADS, "3")
    monkeypatch.setenv("MKL_NUM_THREADS", "5")
    assert environment_of(0, 2, [])["MKL_NUM_THREADS"] == "5"


@pytest.mark.slow
def test_several_processes_share_one_folder(sweep, drain, tmp_path):
    file, runs = sweep(12, steps=10), tmp_path / "runs"
    workers = [drain(file, runs, "--workers", "2") for _ in range(3)]
    assert [worker.wait(240) for worker in workers] == [0, 0, 0]
    assert set(starts(runs).values()) == {1}
    assert states(runs) == {"finished": 12}


@pytest.mark.slow
def test_a_killed_workers_trial_is_taken_over_and_resumed(sweep, drain, tmp_path):
    file, runs = sweep(1, steps=60, wait=0.05), tmp_path / "runs"
    first = drain(file, runs)
    wait_for(lambda: list(runs.glob("counting*/count")))
    first.kill()
    first.wait()
    assert drain(file, runs).wait(240) == 0
    assert list(starts(runs).values()) == [2]
    log = (next(runs.glob("counting*")) / "metrics.csv").read_text().splitlines()
    assert [line.split(",")[0] for line in log[1:]] == [str(step) for step in range(1, 61)]


@pytest.mark.slow
def test_failures_are_listed_with_their_cause_and_can_be_retried(sweep, tmp_path, capsys):
    runs = tmp_path / "runs"
    arguments = ["sweep", str(sweep(2, fail="true")), "--runs", str(runs)]
    assert main(arguments) == 1
    said = capsys.readouterr().out
    assert said.count("failed: counting-") == 2
    assert "disent: error: it was told to" in said
    assert "--retry" in said
    assert main(arguments) == 1  # not run again by itself
    assert set(starts(runs).values()) == {1}
    (runs / "mended").touch()
    assert main([*arguments, "--retry"]) == 0
    assert states(runs) == {"finished": 2}


@pytest.mark.slow
@pytest.mark.parametrize(("signum", "status"), [(signal.SIGINT, 130), (signal.SIGUSR1, 85)])
def test_a_signal_leaves_everything_resumable(sweep, drain, tmp_path, signum, status):
    file, runs = sweep(3, steps=40, wait=0.05), tmp_path / "runs"
    worker = drain(file, runs, "--workers", "2")
    wait_for(lambda: len(list(runs.glob("counting*/count"))) == 2)
    worker.send_signal(signum)
    assert worker.wait(240) == status
    assert "finished" not in states(runs)
    assert drain(file, runs, "--workers", "3").wait(240) == 0
    assert states(runs) == {"finished": 3}
    for run in runs.glob("counting*"):
        assert len((run / "metrics.csv").read_text().splitlines()) == 41


@pytest.mark.slow
def test_trials_by_number(sweep, tmp_path, capsys):
    runs = tmp_path / "runs"
    arguments = ["sweep", str(sweep(5)), "--runs", str(runs), "--trial"]
    assert main([*arguments, "1"]) == 0
    assert set(starts(runs)) == {"counting-x2"}
    assert main([*arguments, "3-9"]) == 0  # the last of an array may reach beyond the end
    assert set(starts(runs)) == {"counting-x2", "counting-x4", "counting-x5"}
    for wrong in ("5", "a", "3-1", "-1"):
        assert main([*arguments[:-1], f"--trial={wrong}"]) == 1
    assert "there is no trial 5: counting has 5, counted from 0." in capsys.readouterr().err


@pytest.mark.slow
def test_an_extra_option_reaches_every_run(sweep, tmp_path):
    runs = tmp_path / "runs"
    assert main(["sweep", str(sweep(2)), "--runs", str(runs), "--extra=--steps=7"]) == 0
    assert {len(f.read_text().splitlines()) for f in runs.glob("*/metrics.csv")} == {8}


@pytest.mark.slow
def test_a_run_outside_the_sweep_is_waited_for(sweep, tmp_path, monkeypatch):
    """Another `disent fit` has the run: the trial is not failed, it comes later."""
    monkeypatch.setattr("disent.launch.workers.workers.AGAIN", 0.5)
    runs = tmp_path / "runs"
    run = RunDir(runs / "counting")
    held, looks = run.lock(), []

    def look(status):
        looks.append(status)
        if len(looks) == 8:
            held.lock.release()

    Workers(read_sweep(sweep(1)), runs).run(look)
    assert run.status()["state"] == "finished"


@pytest.mark.slow
def test_a_thousand_trials_survive_the_killing_of_workers(sweep, drain, tmp_path):
    """Eight workers, one killed every second or so, until all is done: none twice, none lost."""
    file, runs = sweep(200, steps=1, wait=0), tmp_path / "runs"
    workers = [drain(file, runs, "--patience", "5") for _ in range(8)]
    killed = 0
    while any(worker.poll() is None for worker in workers):
        time.sleep(1.5)
        alive = [i for i, worker in enumerate(workers) if worker.poll() is None]
        if alive and killed < 12:
            victim = alive[killed % len(alive)]
            workers[victim].kill()
            workers[victim].wait()
            killed += 1
            workers[victim] = drain(file, runs, "--patience", "5")
    assert killed >= 5
    assert states(runs) == {"finished": 200}
    rows = [len(file.read_text().splitlines()) for file in runs.glob("*/metrics.csv")]
    assert rows == [2] * 200  # a step that ran twice would have left two rows
