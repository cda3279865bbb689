# SPDX-License-Identifier: Apache-2.0
"""disent fit --fast: killed, on two processes, and broken."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
import yaml

from disent.callbacks.guard import NotFiniteError
from disent.runs import RunDir
from tests.cli.small import QUIET, SMALL, assert_same_weights, fit, raising, weights

ROOT = Path(__file__).parents[2]


def fast_run(folder: Path, *more: str) -> None:
    assert fit(folder, "--run", "fast", *QUIET, "--fast", *more) == 0


@pytest.mark.slow
def test_a_fast_run_that_is_killed_goes_on_to_the_same_weights(tmp_path):
    odd = ["--loader.batch_size", "5"]  # stopped in the middle of an epoch of 3 bursts
    fast_run(tmp_path, *odd)
    started = [sys.executable, "-m", "disent", "fit", *SMALL, *QUIET, "--fast", "--run", "killed"]
    started += odd
    started += ["--runs", str(tmp_path), "--trainer.callbacks", "tests.tiny.Slower"]
    run = RunDir(tmp_path / "killed")
    process = subprocess.Popen(started, env={**os.environ, "PYTHONPATH": str(ROOT)})
    while not run.last.exists():
        assert process.poll() is None
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.wait(240)
    assert torch.load(run.last, weights_only=True)["global_step"] == 20
    config = yaml.safe_load(run.config.read_text())
    config["trainer"]["callbacks"] = None
    run.config.write_text(yaml.safe_dump(config))
    assert fit(tmp_path, "--run", "killed", *QUIET, "--fast", *odd) == 0
    assert_same_weights(tmp_path / "fast", run.path)


@pytest.mark.slow
def test_two_processes_train_one_fast_run(tmp_path):
    """What one process learns, within the order of a sum."""
    fast_run(tmp_path, "--trainer.precision=32-true")
    command = [sys.executable, "-m", "disent", "fit", *SMALL, *QUIET, "--fast", "--run", "two"]
    command += ["--trainer.precision=32-true", "--runs", str(tmp_path), "--trainer.devices=2"]
    command += ["--trainer.accelerator=cpu", "--trainer.strategy=ddp"]
    subprocess.run(command, env={**os.environ, "PYTHONPATH": str(ROOT)}, check=True, timeout=240)
    one, two = weights(tmp_path / "fast"), weights(tmp_path / "two")
    for name, value in one.items():
        torch.testing.assert_close(two[name], value, rtol=1e-4, atol=1e-5)


def test_a_fast_run_is_another_run_than_one_that_is_not(tmp_path):
    fast_run(tmp_path)
    with pytest.raises(ValueError, match="fast: True -> False"):
        raising(*SMALL, *QUIET, "--run", "fast", "--runs", str(tmp_path))


def test_what_is_not_finite_stops_a_fast_run_at_its_step(tmp_path):
    with pytest.raises(NotFiniteError, match="at step 2"):
        raising(*SMALL, *QUIET, "--fast", "--runs", str(tmp_path), "--model.lr", "1e30")
