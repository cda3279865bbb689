# SPDX-License-Identifier: Apache-2.0
"""Searches that go by results: bayes finds the optimum, early stopping saves the rest."""

from collections import Counter

import pytest
import yaml

from disent.launch.sweep.file import read_sweep
from disent.launch.sweep.planner import Planner
from disent.launch.workers.outcomes import Outcome, Outcomes
from disent.launch.workers.workers import Workers
from disent.runs.directory import RunDir
from tests.launch.fake import COMMAND, ROOT

BAYES = {
    "method": "bayes",
    "run_cap": 24,
    "metric": {"name": "loss", "goal": "minimize"},
    "parameters": {"x": {"min": -10.0, "max": 10.0}, "kind": {"values": ["a", "b"]}},
}


def read(tmp_path, content):
    tmp_path.mkdir(exist_ok=True)
    file = tmp_path / "search.yaml"
    file.write_text(yaml.safe_dump(content))
    return read_sweep(file)


def planner(tmp_path, content=BAYES):
    return Planner(
        read(tmp_path, content), tmp_path / "trials", Outcomes(tmp_path / "o", tmp_path / "r")
    )


def finish(planner, trial, value):
    run = RunDir(planner.outcomes.runs / trial.name)
    run.append_row(run.metrics, {"step": 1, "loss": value})
    run.write_status("finished")
    planner.outcomes.write(trial.name, Outcome("finished"))


def test_bayes_comes_near_the_optimum_of_a_parabola(tmp_path):
    search = planner(tmp_path)
    for _ in range(24):
        search.propose(1)
        trial = search.trials()[-1]
        x, kind = trial.arguments["x"], trial.arguments["kind"]
        finish(search, trial, (x - 3) ** 2 + (kind == "a"))
    tried = [trial.arguments for trial in search.trials()]
    assert len(tried) == 24
    assert min(abs(t["x"] - 3) for t in tried if t["kind"] == "b") < 1
    late = tried[12:]
    assert sum(abs(t["x"] - 3) < 4 for t in late) >= 8
    search.propose(1)
    assert len(search.trials()) == 24  # run_cap


def test_a_proposal_depends_on_file_and_results_alone(tmp_path):
    one, other = planner(tmp_path / "1"), planner(tmp_path / "2")
    for search in (one, other):
        for value in (3.0, 1.0, 2.0):
            search.propose(1)
            finish(search, search.trials()[-1], value)
        search.propose(2)
    assert one.trials() == other.trials()


def test_without_hard_links_a_proposal_is_still_made_once(tmp_path, monkeypatch):
    def refuse(*given):
        raise PermissionError("no hard links here")

    monkeypatch.setattr("os.link", refuse)
    search = planner(tmp_path)
    search.propose(2)
    assert len(search.trials()) == 2
    (search.folder / "2.json").touch()  # another process is about to write it
    search.propose(1)
    assert len(search.trials()) == 2


def test_running_and_failed_trials_do_not_confuse_it(tmp_path):
    search = planner(tmp_path)
    search.propose(3)
    search.outcomes.write(search.trials()[0].name, Outcome("failed", "no reason"))
    finish(search, search.trials()[1], float("nan"))
    search.propose(3)
    assert len({trial.name for trial in search.trials()}) == 6


def test_a_search_without_an_end_is_refused(tmp_path):
    endless = {k: v for k, v in BAYES.items() if k != "run_cap"}
    with pytest.raises(ValueError, match=r"has no end. Add run_cap"):
        planner(tmp_path, endless)


def test_what_cannot_be_searched_is_refused(tmp_path):
    odd = {"parameters": {"x": {"distribution": "normal", "mu": 0, "sigma": 1}}}
    search = planner(tmp_path, BAYES | odd)
    with pytest.raises(ValueError, match="parameter x is normal, which method: bayes cannot"):
        search.propose(1)


@pytest.mark.slow
def test_workers_run_a_bayes_search_and_give_up_what_is_hopeless(tmp_path, monkeypatch):
    """The program logs x / step for 40 steps: the smaller x, the better, from the start."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setattr("disent.launch.workers.heartbeat.HEARTBEAT", 0.2)
    content = {
        "method": "bayes",
        "run_cap": 8,
        "metric": {"name": "loss", "goal": "minimize"},
        "parameters": {
            "x": {"min": 1.0, "max": 10.0},
            "steps": {"value": 40},
            "wait": {"value": 0.05},
        },
        "early_terminate": {"type": "hyperband", "min_iter": 4, "eta": 2},
        "command": COMMAND,
    }
    workers = Workers(read(tmp_path, content), tmp_path / "runs", 2)
    status = workers.run(lambda status: None)
    assert (status.total, len(status.finished), status.failed) == (8, 8, {})
    states = Counter(workers.outcomes.read(t.name).state for t in workers.planner.trials())
    assert states["finished"] >= 1
    assert states["stopped"] >= 1
    stopped = [
        t for t in workers.planner.trials() if workers.outcomes.read(t.name).state == "stopped"
    ]
    best = min(t.arguments["x"] for t in workers.planner.trials())
    assert all(t.arguments["x"] > best for t in stopped)
    for trial in stopped:
        run = RunDir(tmp_path / "runs" / trial.name)
        assert 4 <= len(run.metrics.read_text().splitlines()) - 1 < 40


def test_an_element_of_an_array_runs_its_trial_of_a_bayes_search(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    content = BAYES | {"command": COMMAND, "parameters": {"x": {"min": 1.0, "max": 2.0}}}
    workers = Workers(read(tmp_path, content), tmp_path / "runs", only=[3])
    workers.study.check()
    status = workers.run(lambda status: None)
    assert (status.total, len(status.finished)) == (1, 1)
    (name,) = status.finished
    assert name.startswith("search-003-x1.")
    assert len(workers.planner.trials()) == 4
    with pytest.raises(ValueError, match="there is no trial 24"):
        Workers(read(tmp_path, content), tmp_path / "runs", only=[24]).study.check()


@pytest.mark.parametrize("proposal", ["[]", "3", '{"x": 1}'])
def test_a_proposal_that_was_changed_is_refused(proposal, tmp_path):
    planner = Planner(read(tmp_path, BAYES), tmp_path, Outcomes(tmp_path, tmp_path))
    (tmp_path / "0.json").write_text(proposal)
    with pytest.raises(ValueError, match=r"0\.json is no trial of search, which has .* kind, x"):
        planner.trials()
