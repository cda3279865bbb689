# SPDX-License-Identifier: Apache-2.0
"""A tiny run through the command itself: trained, stopped, resumed, compared, scored."""

import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import torch

from disent.doctor.findings import Finding
from disent.launch.workers.processes import environment_of
from disent.runs.directory import RunDir

STEPS, PATIENCE = 1000, 180.0  # a second or some of training; seconds for each process
OPTIONS = (
    "--config=digits", "--model.network.hidden=[32]", f"--trainer.max_steps={STEPS}",
    "--trainer.log_every_n_steps=10", "--trainer.enable_progress_bar=false",
    "--trainer.accelerator=cpu", "--loader.batch_size=8", "--checkpoint_every_n_steps=200",
    "--pictures.at_end=false", "--evaluate.metrics=mig",
)  # fmt: skip


def check_by_a_run() -> list[Finding]:
    """Runs for a minute at most on an idle machine; leaves nothing behind."""
    with tempfile.TemporaryDirectory(prefix="disent-doctor-") as folder:
        return list(_findings(Path(folder)))


def _findings(runs: Path) -> Iterator[Finding]:
    start = time.monotonic()
    whole, parted = RunDir(runs / "whole"), RunDir(runs / "parted")
    if why := _end(_start(whole)):
        yield Finding("a run", "problem", why)
        return
    seconds = time.monotonic() - start
    yield Finding("a run", "ok", f"{STEPS:,} steps on 1,797 digits in {seconds:.0f} s")
    yield _scored(whole)
    process = _start(parted, "--evaluate.at_end=false")
    step = _interrupt(process, parted)
    state = parted.status().get("state")
    if state == "finished":
        yield Finding("resuming", "note", "the run ended before it could be interrupted")
    elif state != "stopped":
        yield Finding("resuming", "problem", f"after SIGTERM the run is {state}, not stopped")
    elif why := _end(_start(parted, "--evaluate.at_end=false")):
        yield Finding("resuming", "problem", why)
    else:
        yield _compared(whole, parted, step)


def _start(run: RunDir, *more: str) -> "subprocess.Popen[str]":
    words = [sys.executable, "-m", "disent", "fit", *OPTIONS, *more]
    words += ["--runs", str(run.path.parent), "--run", run.path.name]
    return subprocess.Popen(
        words, env=environment_of(0, 1, []) | {"WANDB_MODE": "disabled"}, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip


def _end(process: "subprocess.Popen[str]") -> str:
    """Waits for a run; what went wrong, in a line."""
    try:
        said, _ = process.communicate(timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        return f"it took more than {PATIENCE:.0f} s: is the machine busy, or the disk slow?"
    lines = said.strip().splitlines() or ["it said nothing"]
    return f"it ended with status {process.returncode}: {lines[-1]}" if process.returncode else ""


def _interrupt(process: "subprocess.Popen[str]", run: RunDir) -> int:
    """Sends SIGTERM once the first step is logged; the step at which the run stopped."""
    until = time.monotonic() + PATIENCE
    while process.poll() is None and not run.metrics.exists() and time.monotonic() < until:
        time.sleep(0.02)
    process.send_signal(signal.SIGTERM)
    _end(process)
    return int(_checkpoint(run).get("global_step", 0)) if run.last.exists() else 0


def _scored(run: RunDir) -> Finding:
    score = (run.read_scores().get("scores") or {}).get("mig", {})
    value, chance = score.get("value"), score.get("chance")
    if value is None or not 0 <= value <= 1:
        return Finding("a score", "problem", f"MIG is {value}: {score.get('reason', 'no reason')}")
    return Finding("a score", "ok", f"MIG {value:.3f}, chance {chance:.3f}")


def _compared(whole: RunDir, parted: RunDir, step: int) -> Finding:
    """Whether the weights are those of the run that was never stopped, bit for bit."""
    one, other = (_checkpoint(run)["state_dict"] for run in (whole, parted))
    away = max(float((one[name] - other[name]).abs().max()) for name in one)
    if away:
        told = f"stopped at step {step:,} and resumed, weights are {away:.1e} off"
        return Finding("resuming", "problem", f"{told}: runs cannot be repeated here")
    return Finding("resuming", "ok", f"stopped at step {step:,}, resumed to the same weights")


def _checkpoint(run: RunDir) -> dict:
    return torch.load(run.last, map_location="cpu", weights_only=True)
