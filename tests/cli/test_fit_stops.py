# SPDX-License-Identifier: Apache-2.0
"""disent fit that is stopped, breaks, runs on real pictures, or in two processes."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest
import torch
import yaml

from disent.callbacks.evaluate import Evaluate
from disent.cli.main import main
from disent.runs import RunDir
from disent.stops import InterruptedRunError, StopRequest
from tests.cli.small import QUIET, SMALL, assert_same_weights, fit, weights

ROOT = Path(__file__).parents[2]


STATES = {signal.SIGUSR1: "requeued", signal.SIGKILL: "failed"}
ENDS = {signal.SIGTERM: 143, signal.SIGINT: 130, signal.SIGKILL: -9, signal.SIGUSR1: 85}


@pytest.mark.parametrize("signum", ENDS)
def test_a_run_that_is_stopped_goes_on_to_the_same_weights(runs, tmp_path, signum):
    command = [sys.executable, "-m", "disent", "fit", *SMALL, *QUIET, "--runs", str(tmp_path)]
    command += ["--run", "stopped"]
    run = RunDir(tmp_path / "stopped")
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(
        [*command, "--trainer.callbacks", "tests.tiny.Slow"], env=environment
    )
    while not run.last.exists():
        assert process.poll() is None
        time.sleep(0.05)
    process.send_signal(signum)
    assert process.wait(240) == ENDS[signum]
    status = run.status()
    assert status["state"] == STATES.get(signum, "stopped")
    assert 20 <= torch.load(run.last, weights_only=True)["global_step"] < 60
    expected = "ended without a word" if signum == signal.SIGKILL else signum.name
    assert expected in status["reason"]

    config = yaml.safe_load(run.config.read_text())
    config["trainer"]["callbacks"] = None
    run.config.write_text(yaml.safe_dump(config))
    assert fit(tmp_path, "--run", "stopped", *QUIET) == 0
    assert run.status()["state"] == "finished"
    assert_same_weights(runs / "whole", run.path)
    one, other = (
        pd.read_csv(p / "metrics.csv").drop(columns="images_per_second")
        for p in (runs / "whole", run.path)
    )
    assert one.to_csv() == other.to_csv()


def test_a_signal_in_the_first_moments_is_not_lost(tmp_path):
    """While torch is being imported: noted then, answered when there is a run to tell of it."""
    command = [sys.executable, "-m", "disent", "fit", *SMALL, *QUIET, "--run", "early"]
    process = subprocess.Popen([*command, "--runs", str(tmp_path)], cwd=ROOT)
    caught = Path(f"/proc/{process.pid}/status")
    while not int(re.findall(r"SigCgt:\s*(\w+)", caught.read_text())[0], 16) >> 9 & 1:
        time.sleep(0.001)  # until SIGUSR1, number 10, has a handler
    process.send_signal(signal.SIGUSR1)
    assert process.wait(240) == 85
    status = RunDir(tmp_path / "early").status()
    assert (status["state"], "SIGUSR1 outside training" in status["reason"]) == ("requeued", True)
    assert fit(tmp_path, "--run", "early", *QUIET) == 0


def test_a_second_signal_leaves_the_answer_to_the_first_alone():
    stop = StopRequest()
    stop.listen([signal.SIGUSR1])
    try:
        os.kill(os.getpid(), signal.SIGUSR1)
        with pytest.raises(InterruptedRunError):
            stop.check()
        os.kill(os.getpid(), signal.SIGUSR1)  # while the status is written: raises nothing
    finally:
        stop.release()


@pytest.mark.parametrize(("signum", "status"), [(signal.SIGUSR1, 85), (signal.SIGTERM, 143)])
def test_a_signal_beside_the_training_ends_in_words(monkeypatch, capsys, signum, status):
    def interrupted(argv, stop):
        raise InterruptedRunError(signum)

    monkeypatch.setattr("disent.cli.fit.run", interrupted)
    assert main(["fit"]) == status
    assert f"disent: interrupted by {signum.name} outside training" in capsys.readouterr().err


def test_a_second_ctrl_c_ends_with_its_own_status(monkeypatch):
    """Lightning makes a SystemExit of it."""

    def interrupted(argv, stop):
        stop.signum = signal.SIGINT
        raise SystemExit(1)

    monkeypatch.setattr("disent.cli.fit.run", interrupted)
    assert main(["fit"]) == 130


def test_what_is_killed_beside_a_checkpoint_loses_no_scores(tmp_path, monkeypatch):
    """At a step that is scored and saved: it is saved last, so that the scores come again."""
    scored, row = (
        ["--evaluate.every_n_steps", "20", "--evaluate.metrics", "mig"],
        Evaluate._evaluate,
    )

    def killed_at_40(self, model, step, table):
        if step == 40:
            raise RuntimeError("killed")
        row(self, model, step, table)

    monkeypatch.setattr(Evaluate, "_evaluate", killed_at_40)
    assert fit(tmp_path, "--run", "a", *QUIET, *scored) == 1
    monkeypatch.setattr(Evaluate, "_evaluate", row)
    assert fit(tmp_path, "--run", "a", *QUIET, *scored) == 0
    assert list(pd.read_csv(RunDir(tmp_path / "a").evaluations)["step"]) == [20, 40, 60]


def test_a_requeued_job_does_not_start_from_zero_again(runs, monkeypatch, capsys):
    monkeypatch.setenv("SLURM_RESTART_COUNT", "1")
    assert fit(runs, "--run", "whole", "--again", "true") == 0
    assert "is finished, so nothing is done" in capsys.readouterr().out
    assert not (runs / "whole.1").exists()


def test_a_full_disk_stops_a_run_in_words_and_loses_nothing(runs, tmp_path, capsys):
    """A file system of three megabytes holds the first checkpoints, and not the next."""
    folder = tmp_path / "small"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(folder)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("a small file system can only be mounted as root")
    try:
        assert fit(folder, "--run", "full", *QUIET) == 1
        assert "No space left on device" in capsys.readouterr().err
        run = RunDir(folder / "full")
        assert run.status()["state"] == "failed"
        assert torch.load(run.last, weights_only=True)["global_step"] in (20, 40)
        assert not [file for file in run.last.parent.iterdir() if file.suffix == ".tmp"]
        subprocess.run(["mount", "-o", "remount,size=50m", str(folder)], check=True)
        assert fit(folder, "--run", "full", *QUIET) == 0
        assert_same_weights(runs / "whole", run.path)
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def test_a_crash_is_recorded(tmp_path, capsys):
    assert fit(tmp_path, "--run", "crash", "--model.lr", "1e18") == 1
    assert "what broke is" in capsys.readouterr().err
    status = RunDir(tmp_path / "crash").status()
    assert status["state"] == "failed"
    assert "NotFiniteError: the loss is" in status["reason"]
    assert "at step" in status["reason"]


def test_dsprites_end_to_end(tmp_path):
    options = (
        "--config quickstart --trainer.max_steps 20 --trainer.log_every_n_steps 10 --run real "
        "--evaluate.at_end false --evaluate.every_n_steps 20 --evaluate.points 3000"
    )
    assert main(["fit", *options.split(), "--runs", str(tmp_path)]) == 0
    run = RunDir(tmp_path / "real")
    assert run.read_scores()["fingerprint"].startswith("dsprites, rendered")
    assert set(run.read_scores()["factors"]) == {"shape", "scale", "orientation", "pos_x", "pos_y"}
    logged = pd.read_csv(run.metrics)
    for row in logged.to_dict("records"):
        assert row["distortion"] + row["rate"] > 13.47  # the entropy of the pictures
    assert (run.figures / "traversals.png").stat().st_size > 10_000


@pytest.mark.slow
def test_two_processes_train_one_run(runs, tmp_path):
    command = [
        sys.executable,
        "-m",
        "disent",
        "fit",
        *SMALL,
        "--runs",
        str(tmp_path),
        "--run",
        "two",
    ]
    command += [
        "--trainer.devices",
        "2",
        "--trainer.accelerator",
        "cpu",
        "--trainer.strategy",
        "ddp",
    ]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    subprocess.run(command, env=environment, check=True, timeout=240)
    run = RunDir(tmp_path / "two")
    assert run.status()["state"] == "finished"
    assert list(pd.read_csv(run.metrics)["step"]) == [10, 20, 30, 40, 50, 60]
    assert "mig" in run.read_scores()["scores"]
    one, two = weights(runs / "whole"), weights(run.path)
    for name in one:  # the same batches and noise, summed in another order
        torch.testing.assert_close(one[name], two[name], rtol=1e-3, atol=1e-4)
