# SPDX-License-Identifier: Apache-2.0
"""disent fleet end to end: the same run directories as by disent sweep, whatever happens."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest
import torch

from disent.callbacks.journal import Journal
from disent.cli.main import main
from disent.fleet.groups import plan
from disent.launch.sweep.file import read_sweep
from disent.launch.sweep.trials import list_trials
from disent.launch.workers.leases import Leases
from disent.runs import RunDir, load_runs
from tests.cli.small import MODELS, QUIET, assert_same_weights

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
def test_a_fleet_leaves_what_a_sweep_leaves(sweep, tmp_path, capfd):
    file, one, other = sweep(), tmp_path / "one", tmp_path / "other"
    first = ["--trial", "0-1"]
    assert main(["sweep", str(file), "--runs", str(one), "--workers", "2", *first]) == 0
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        words = ["fleet", str(file), "--runs", str(other), "--fleet-size", "3", "--workers", "2"]
        assert main(words) == 0
    finally:
        torch.set_num_threads(threads)
    said = capfd.readouterr().out
    assert "a fleet of 3 from step 0" in said
    assert "3 of 3 done" in said
    tables = [load_runs(folder) for folder in (one, other)]
    assert set(tables[0].columns) <= set(tables[1].columns)
    assert list(tables[1]["state"]) == ["finished"] * 3
    assert set(tables[0]["mig"]) <= set(tables[1]["mig"])
    for name in tables[0]["run"]:
        files = [sorted(p.relative_to(f) for p in (f / name).rglob("*")) for f in (one, other)]
        assert files[0] == files[1]
        assert_same_weights(one / name, other / name)
        logs = [pd.read_csv(f / name / "metrics.csv") for f in (one, other)]
        here, there = (log.drop(columns="images_per_second") for log in logs)
        pd.testing.assert_frame_equal(here, there)
    assert main(["report", str(other)]) == 0
    assert main([*words]) == 0  # nothing is left to do
    assert "a fleet of" not in capfd.readouterr().out


@pytest.mark.slow
def test_an_interrupted_fleet_saves_all_and_goes_on(sweep, tmp_path, capfd):
    options = dict(zip((q.strip("-") for q in QUIET[::2]), (False, False), strict=True))
    file, runs = sweep(trainer__max_steps=1000, **options), tmp_path / "runs"
    words = ["fleet", str(file), "--runs", str(runs), "--fleet-size", "3"]
    process = subprocess.Popen([sys.executable, "-m", "disent", *words], cwd=ROOT)
    while len(list(runs.glob("*/checkpoints/last.ckpt"))) < 3:
        assert process.poll() is None
        time.sleep(0.05)
    process.send_signal(signal.SIGTERM)
    assert process.wait(240) == 143
    steps = set()
    for run in runs.glob("tiny-*"):
        assert "interrupted by SIGTERM" in RunDir(run).status()["reason"]
        steps.add(torch.load(run / "checkpoints" / "last.ckpt", weights_only=True)["global_step"])
    assert len(steps) == 1
    leases = Leases(runs / ".sweeps" / "tiny" / "leases")
    assert not any(leases.is_held(run.name) for run in runs.glob("tiny-*"))
    assert main(words) == 0
    assert f"a fleet of 3 from step {steps.pop()}" in capfd.readouterr().out
    assert list(load_runs(runs)["state"]) == ["finished"] * 3
    rows = [pd.read_csv(file)["step"].tolist() for file in runs.glob("*/metrics.csv")]
    assert rows == [list(range(10, 1001, 10))] * 3


def test_a_signal_that_comes_while_members_are_saved_is_answered(sweep, tmp_path, monkeypatch):
    file, runs = sweep(evaluate__at_end=False), tmp_path / "runs"
    save = Journal.checkpoint

    def interrupted(self, *arguments):
        if not RunDir(runs / "tiny-VAE").last.exists():
            os.kill(os.getpid(), signal.SIGTERM)
        save(self, *arguments)

    monkeypatch.setattr(Journal, "checkpoint", interrupted)
    assert main(["fleet", str(file), "--runs", str(runs), "--fleet-size", "3"]) == 143
    for run in runs.glob("tiny-*"):
        reason = "interrupted by SIGTERM at step 21; the same command goes on from there"
        assert RunDir(run).status()["reason"] == reason


@pytest.mark.slow
def test_a_member_that_breaks_is_a_failed_trial(sweep, tmp_path, capfd):
    models = [MODELS["VAE"], "{class_path: tests.tiny.Breaks}", MODELS["BetaVAE-beta4"]]
    file, runs = sweep(models, evaluate__at_end=False), tmp_path / "runs"
    assert main(["fleet", str(file), "--runs", str(runs), "--fleet-size", "3"]) == 1
    said = capfd.readouterr().out
    assert "2 of 3 done, 1 failed" in said
    assert "disent: error: the loss is nan at step 30" in said
    assert sorted(load_runs(runs)["state"]) == ["failed", "finished", "finished"]


@pytest.mark.parametrize(
    ("option", "reason"),
    [
        ("--trainer.gradient_clip_val=1", "it has --trainer.gradient_clip_val 1"),
        ("--trainer.accumulate_grad_batches=2", "it has --trainer.accumulate_grad_batches 2"),
        ("--trainer.precision=bf16-mixed", "its precision is bf16-mixed"),
        ("--trainer.callbacks=tests.tiny.Slow", "it has --trainer.callbacks"),
        ("--evaluate.every_n_steps=20", "it has --evaluate.every_n_steps"),
        ("--logger=wandb", "it is logged to W&B while it trains"),
        ("--model.lr=fast", "--model.lr"),
    ],
)
def test_what_cannot_be_trained_together_says_why(option, reason, sweep, tmp_path):
    given = read_sweep(sweep())
    groups = plan(given, list_trials(given), tmp_path, [option])
    assert groups.together == []
    assert [reason in said for said in groups.reasons] == [True]
    assert sum(map(len, groups.reasons.values())) == 3


def test_trials_are_grouped_by_what_they_must_share(sweep, tmp_path):
    given = read_sweep(sweep(model__lr=[1e-4, 1e-3], seed_everything=[0, 1]))
    groups = plan(given, list_trials(given), tmp_path, [])
    assert [len(group) for group in groups.together] == [6, 6]
    assert groups.reasons == {}


def test_pairs_that_differ_in_other_numbers_of_factors_are_other_batches(sweep, tmp_path):
    both = {"model__changed_factors": [1, 2], "seed_everything": [0, 1]}
    given = read_sweep(sweep(["{class_path: disent.models.AdaGVAE}"], **both))
    groups = plan(given, list_trials(given), tmp_path, [])
    assert [len(group) for group in groups.together] == [2, 2]
    assert groups.reasons == {}


def test_what_cannot_be_trained_together_is_run_alone(sweep, tmp_path, capfd):
    file, runs = sweep([MODELS["VAE"]], evaluate__at_end=False), tmp_path / "runs"
    assert main(["sweep", str(file), "--fleet", "--runs", str(runs)]) == 0
    said = capfd.readouterr().out
    assert "is run alone: nothing else has its network, data, length and optimizer" in said
    assert "1 of 1 done" in said


@pytest.mark.slow
def test_auto_chooses_processes_on_a_cpu(sweep, tmp_path, capfd):
    file, runs = sweep(evaluate__at_end=False, seed_everything=[0, 1]), tmp_path / "runs"
    assert main(["fleet", str(file), "--runs", str(runs), "--workers", "2"]) == 0
    said = capfd.readouterr().out
    assert "on a CPU separate processes are faster than a fleet" in said
    assert "a fleet of" not in said
    assert "6 of 6 done" in said


@pytest.mark.parametrize("size", ["0", "many", "-1"])
def test_a_bad_size_is_refused(size, capsys):
    with pytest.raises(SystemExit):
        main(["fleet", "x.yaml", f"--fleet-size={size}"])
    assert "but auto or a number from 1 on is wanted" in capsys.readouterr().err


def test_the_command_says_what_it_does_without_torch():
    words = [sys.executable, "-X", "importtime", "-m", "disent", "fleet", "--help"]
    done = subprocess.run(words, capture_output=True, text=True, check=True, env=os.environ)
    assert "--fleet-size" in done.stdout
    assert " torch\n" not in done.stderr
