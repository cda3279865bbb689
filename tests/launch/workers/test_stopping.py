# SPDX-License-Identifier: Apache-2.0
"""Signals at the worst moments, odd exit statuses, and who is told of a trial that has ended."""

import os
import signal

import pytest
import yaml

from disent.cli.main import main
from disent.launch.slurm import ranks
from disent.launch.sweep.file import read_sweep
from disent.launch.workers import heartbeat, workers
from disent.launch.workers.outcomes import Outcome
from disent.launch.workers.processes import Process
from disent.launch.workers.progress import Board
from disent.launch.workers.workers import Workers
from disent.runs.directory import RunDir
from tests.launch.fake import COMMAND


def starts(runs):
    return len((runs / "starts.txt").read_text().splitlines())


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGUSR1])
def test_a_signal_while_a_run_is_being_started_ends_it_and_starts_no_more(
    sweep, tmp_path, monkeypatch, signum
):
    class Interrupting(Process):
        def __init__(self, *given):
            super().__init__(*given)
            os.kill(os.getpid(), signum)  # the worker does not know this process yet

    monkeypatch.setattr(workers, "Process", Interrupting)
    monkeypatch.setattr(heartbeat, "HEARTBEAT", 0.2)
    runs = tmp_path / "runs"
    found = Workers(read_sweep(sweep(3, steps=2000, wait=0.01)), runs, 2)
    status = found.run(lambda status: None)
    assert (len(status.waiting), status.failed, status.finished) == (3, {}, [])
    assert not (runs / "starts.txt").exists() or starts(runs) == 1
    logs = list((runs / ".sweeps" / "counting" / "logs").iterdir())
    assert len(logs) == 1


@pytest.mark.parametrize(
    ("command", "signum", "status"),
    [
        ("sweep", signal.SIGUSR1, 85),
        ("fleet", signal.SIGUSR1, 85),
        ("fleet", signal.SIGTERM, 143),
        ("fleet", signal.SIGINT, 130),
    ],
)
def test_a_signal_just_before_the_workers_listen_is_not_lost(
    sweep, tmp_path, monkeypatch, command, signum, status
):
    before = Board.__enter__

    def enter(board):
        os.kill(os.getpid(), signum)
        return before(board)

    monkeypatch.setattr(Board, "__enter__", enter)
    assert main([command, str(sweep(2)), "--runs", str(tmp_path / "runs")]) == status
    assert not (tmp_path / "runs" / "starts.txt").exists()


def test_a_search_whose_trials_are_not_chosen_yet_is_not_done(tmp_path):
    """A requeue at that moment must be asked for: 0 would end the job."""
    content = {"method": "bayes", "run_cap": 5, "metric": {"name": "loss"}, "command": COMMAND}
    file = tmp_path / "search.yaml"
    file.write_text(yaml.safe_dump(content | {"parameters": {"x": {"min": 0.0, "max": 1.0}}}))
    for only, to_come in ((None, 5), ([3], 1), (range(3, 9), 2)):
        found = Workers(read_sweep(file), tmp_path / "runs", only=only)
        status = found.run(lambda status: None, asked=lambda: True)
        assert (status.to_come, status.is_done) == (to_come, False)


@pytest.mark.parametrize(
    ("status", "reason"),
    [(255, "exit status 255"), (137, "killed by SIGKILL"), (128, "status 128")],
)
def test_any_exit_status_is_put_into_words(tmp_path, status, reason):
    file = tmp_path / "ends.yaml"
    command = ["bash", "-c", f"exit {status}", "${args}"]
    content = {"method": "grid", "parameters": {"x": {"value": 1}}, "command": command}
    file.write_text(yaml.safe_dump(content))
    ended = Workers(read_sweep(file), tmp_path / "runs").run(lambda status: None)
    assert reason in ended.failed["ends"]


@pytest.mark.parametrize(
    ("state", "retry", "becomes"),
    [
        ("waiting", False, True),
        ("stopped", False, False),
        ("finished", False, False),
        ("failed", False, False),
        ("failed", True, True),
    ],
)
def test_a_rank_becomes_the_run_only_if_the_first_task_starts_it(
    sweep, tmp_path, monkeypatch, state, retry, becomes
):
    started = []
    monkeypatch.setattr(ranks.os, "execv", lambda *given: started.append(given))
    found = Workers(read_sweep(sweep(2)), tmp_path / "runs", only=[1], together=True)
    found.outcomes.write("counting-x2", Outcome(state))
    assert ranks.run_as_rank(found, retry=retry) == 0
    assert len(started) == becomes


def test_runs_of_a_sweep_cannot_be_told_to_start_anew_each_time(sweep, tmp_path, capsys):
    arguments = ["sweep", str(sweep(1)), "--runs", str(tmp_path / "runs"), "--extra=--again=true"]
    assert main(arguments) == 1
    assert "--extra is --again, but a trial that is resumed" in capsys.readouterr().err
    assert not RunDir(tmp_path / "runs" / "counting").path.exists()
