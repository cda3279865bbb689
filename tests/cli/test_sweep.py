# SPDX-License-Identifier: Apache-2.0
"""disent sweep end to end, on runs that train; the shipped sweep files, point by point."""

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from disent.cli.main import main
from disent.config.fit import FitConfig
from disent.launch.sweep.file import read_sweep
from disent.launch.sweep.trials import draw_arguments, expand, list_trials, make_trial
from disent.runs import load_runs

ROOT = Path(__file__).parents[2]
SHIPPED = sorted((ROOT / "sweeps").glob("*.yaml"))


@pytest.fixture
def tiny(tmp_path, monkeypatch):
    """Writes a sweep of tiny runs; returns its file."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))

    def write(**fixed):
        given = {"model": "BetaVAE", "data": "tests.tiny.Squares", "model.network": "Linear"}
        given |= {"trainer.max_steps": 100, "pictures.at_end": False, "evaluate.metrics": "mig"}
        given |= {name.replace("__", "."): value for name, value in fixed.items()}
        parameters = {name: {"value": value} for name, value in given.items()}
        parameters |= {"model.beta": {"values": [1, 4]}}
        command = ["${env}", "disent", "fit", "--config", "locatello2019", "${args}"]
        content = {"method": "grid", "parameters": parameters, "command": command}
        file = tmp_path / "tiny.yaml"
        file.write_text(yaml.safe_dump(content))
        return file

    return write


@pytest.mark.slow
@pytest.mark.parametrize("file", SHIPPED, ids=lambda file: file.stem)
def test_every_point_of_a_shipped_sweep_is_a_valid_config(file):
    sweep = read_sweep(file)
    if sweep.method == "bayes":
        trials = [make_trial(sweep, i, draw_arguments(sweep, i)) for i in range(3)]
    else:
        every = list_trials(sweep)
        seeds = [trial.arguments.get("seed_everything", 0) for trial in every]
        # of seeds the first and the last: a config is a fifth of a second
        trials = [t for t, s in zip(every, seeds, strict=True) if s in (min(seeds), max(seeds))]
    seen = set()
    for trial in trials:
        words = expand(sweep, trial.arguments)
        assert words[:3] == ["/usr/bin/env", "disent", "fit"]
        seen.add(yaml.safe_dump(FitConfig.read(words[3:]).dump()))
    assert len(seen) == len(trials)


@pytest.mark.slow
def test_a_sweep_ends_in_the_runs_that_its_commands_would_make(tiny, tmp_path, capfd):
    runs = tmp_path / "runs"
    assert main(["sweep", str(tiny()), "--runs", str(runs)]) == 0
    said = capfd.readouterr().out
    assert "2 of 2 done" in said
    table = load_runs(runs)
    assert list(table["run"]) == ["tiny-beta1", "tiny-beta4"]
    assert list(table["state"]) == ["finished"] * 2
    assert table["mig"].between(0, 1).all()
    by_hand = tmp_path / "hand"
    options = "--config locatello2019 --model BetaVAE --data tests.tiny.Squares --model.beta 4"
    options += " --model.network Linear --trainer.max_steps 100 --pictures.at_end false --run hand"
    words = [sys.executable, "-m", "disent", "fit", *options.split(), "--runs", str(tmp_path)]
    subprocess.run([*words, "--evaluate.metrics", "mig"], cwd=ROOT, check=True)
    logged = [(folder / "metrics.csv").read_text() for folder in (by_hand, runs / "tiny-beta4")]
    one, other = ([row.rpartition(",")[0] for row in text.splitlines()] for text in logged)
    assert one == other  # but for images_per_second


@pytest.mark.slow
def test_a_bad_value_fails_its_trial_with_the_words_of_the_run(tiny, tmp_path, capfd):
    runs = tmp_path / "runs"
    assert main(["sweep", str(tiny(model__lr="fast")), "--runs", str(runs)]) == 1
    said = capfd.readouterr().out
    assert said.count("failed: tiny-beta") == 2
    assert "--model.lr fast: Expected a float." in said


@pytest.mark.slow
def test_a_dry_run_lists_the_trials_and_measures_their_cost(tiny, tmp_path, capfd):
    arguments = ["--runs", str(tmp_path / "runs"), "--dry-run", "--workers", "2"]
    assert main(["sweep", str(tiny()), *arguments]) == 0
    said = capfd.readouterr().out
    assert "tiny-beta1" in said
    assert "--model.beta=4" in said
    assert "2 trials. The first: " in said
    assert "(100 steps)" in said
    assert not (tmp_path / "runs").exists()


@pytest.mark.slow
def test_a_dry_run_is_of_the_trials_and_options_that_were_given(tiny, tmp_path, capfd):
    arguments = ["--runs", str(tmp_path / "runs"), "--dry-run", "--trial", "1"]
    extra = "--trainer.max_steps=200"
    assert main(["sweep", str(tiny()), *arguments, f"--extra={extra}"]) == 0
    said = capfd.readouterr().out
    assert "tiny-beta1 " not in said
    assert "1 trials. The first: " in said
    assert f"{extra} --runs" in said
    assert "(200 steps)" in said


@pytest.mark.slow
def test_a_dry_run_of_what_cannot_run_says_why(tiny, tmp_path, capfd):
    assert main(["sweep", str(tiny(model__lr="fast")), "--dry-run"]) == 1
    assert "tiny-beta1 cannot be run: disent: error: --model.lr fast" in capfd.readouterr().err
