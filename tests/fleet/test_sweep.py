# SPDX-License-Identifier: Apache-2.0
"""Which trials a fleet takes, and what it leaves to others."""

from pathlib import Path

import pytest
import torch

from disent.fleet.sweep import Fleets
from disent.launch.sweep.file import read_sweep
from disent.launch.workers.outcomes import Outcome
from disent.launch.workers.workers import Workers
from disent.models import VAE
from disent.runs import RunDir
from disent.stops import StopRequest


class OwnStep(VAE):
    """A model that a fleet cannot train."""

    def training_step(self, batch, batch_idx):
        return super().training_step(batch, batch_idx)


class OwnOptimizer(VAE):
    """Another."""

    def configure_optimizers(self) -> list[torch.optim.Optimizer]:
        return [torch.optim.SGD(self.parameters(), lr=0.0)]


@pytest.fixture
def fleets(sweep, tmp_path):
    def make(size: int | None = 3, **fixed) -> Fleets:
        workers = Workers(read_sweep(sweep(**fixed)), tmp_path / "runs")
        return Fleets(workers, size, StopRequest())

    return make


def test_a_trial_that_others_ended_meanwhile_is_not_taken(fleets, monkeypatch, capfd):
    """Another process finishes it between the look and the claim."""
    fleets_ = fleets()
    leases, outcomes = fleets_.workers.leases, fleets_.workers.study.outcomes
    claim, ended = leases.claim, []

    def late(name):
        if not ended:
            ended.append(name)
            outcomes.write(name, Outcome("failed", "by another"))
        return claim(name)

    monkeypatch.setattr(leases, "claim", late)
    fleets_.train()
    assert "a fleet of 2 from step 0" in capfd.readouterr().out
    assert outcomes.read(ended[0]).reason == "by another"
    assert not leases.is_held(ended[0])


@pytest.mark.parametrize("content", [b"half of a checkpoint", None])
def test_a_damaged_checkpoint_is_left_to_disent_fit(fleets, capfd, content):
    fleets_ = fleets()
    name = fleets_.workers.study.trials()[1].name
    last = fleets_.workers.runs / name / "checkpoints" / "last.ckpt"
    last.parent.mkdir(parents=True)
    if content is None:
        torch.save({}, last)
    else:
        last.write_bytes(content)
    written = last.read_bytes()
    fleets_.train()
    assert "a fleet of 2 from step 0" in capfd.readouterr().out
    assert last.read_bytes() == written
    assert not fleets_.workers.leases.is_held(name)


def test_what_was_trained_waits_for_its_scores_and_says_so(fleets):
    fleets_ = fleets()
    fleets_.train()
    for trial in fleets_.workers.study.trials():
        status = Path(fleets_.workers.runs / trial.name / "status.json").read_text()
        assert "trained in a fleet, waits for its scores" in status
        assert fleets_.workers.study.outcomes.read(trial.name).state == "waiting"


@pytest.mark.parametrize(
    ("fixed", "said"),
    [
        ({"models": [f"{{class_path: {__name__}.OwnStep}}"], "seed_everything": [0, 1]},
         "2 trials are run alone: its model has its own training_step"),
        ({"models": [f"{{class_path: {__name__}.OwnOptimizer}}"], "seed_everything": [0, 1]},
         "2 trials are run alone: its model has its own configure_optimizers"),
        ({"fast": True}, "3 trials are run alone: it has --fast"),
        ({"data": "DSprites", "data.path": "nowhere.npz"},
         "3 trials are run alone: there is no file "),
    ],
)  # fmt: skip
def test_what_cannot_fly_is_left_alone_with_the_reason(fleets, capfd, fixed, said):
    fleets_ = fleets(**fixed)
    fleets_.train()
    assert said in capfd.readouterr().out
    assert not list(fleets_.workers.runs.glob("*/config.yaml"))


@pytest.mark.parametrize(
    ("text", "said"), [("model: {", "config.yaml is not YAML"), ("", "config.yaml holds no config")]
)
def test_a_damaged_config_is_left_to_disent_fit(fleets, capfd, text, said):
    fleets_ = fleets()
    name = fleets_.workers.study.trials()[1].name
    run = RunDir(fleets_.workers.runs / name)
    run.write_text(run.config, text)
    fleets_.train()
    printed = capfd.readouterr().out
    assert f"{name} is run alone: " in printed
    assert said in printed
    assert "a fleet of 2 from step 0" in printed


def test_what_a_fleet_could_not_begin_does_not_pass_for_running(fleets, monkeypatch, capfd):
    def full(*given, **more):
        raise RuntimeError("out of memory")

    monkeypatch.setattr("disent.fleet.run.Stack", full)
    fleets_ = fleets()
    fleets_.train()
    assert "the fleet failed, its runs go on alone: out of memory" in capfd.readouterr().out
    for trial in fleets_.workers.study.trials():
        status = RunDir(fleets_.workers.runs / trial.name).status()
        assert status["state"] == "requeued"
        assert "waits to go on alone" in status["reason"]


def test_after_a_signal_nothing_is_measured(fleets, capfd):
    fleets_ = fleets(size=None)
    fleets_.stop.signum = 15
    fleets_.train()
    assert "measuring" not in capfd.readouterr().out
