# SPDX-License-Identifier: Apache-2.0
"""Runs that W&B is told of: offline, online, unreachable; sweeps by W&B's own commands."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

from disent.runs.directory import RunDir
from tests.cli.small import QUIET, SMALL, assert_same_weights
from tests.wandb.server import Server

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]


@pytest.fixture
def environment(tmp_path):
    """Nothing of the user's own W&B, and nobody but this machine to talk to."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith("WANDB")}
    folders = {f"WANDB_{name}_DIR": str(tmp_path / name) for name in ("CONFIG", "CACHE", "DATA")}
    clean |= folders | {"WANDB_ERROR_REPORTING": "false", "HOME": str(tmp_path / "home")}
    clean |= {"WANDB_X_DISABLE_STATS": "true", "PYTHONPATH": str(ROOT), "WANDB_SILENT": "true"}
    path = f"{Path(sys.executable).parent}:{clean['PATH']}"
    return clean | {"WANDB_BASE_URL": "http://127.0.0.1:9", "PATH": path, "OMP_NUM_THREADS": "1"}


@pytest.fixture
def server(environment):
    server = Server()
    environment |= {"WANDB_BASE_URL": server.url, "WANDB_API_KEY": "0" * 40}
    yield server
    server.close()


def fit(folder, environment, *more, **popen):
    words = [sys.executable, "-m", "disent", "fit", *SMALL, "--logger", "wandb", "--run", "a"]
    words += ["--runs", str(folder), *more]
    return subprocess.Popen(
        words, cwd=ROOT, env=environment, text=True, stdout=-1, stderr=-1, **popen
    )


def inspect(run, environment):
    """What an offline run holds, read by W&B's own command."""
    found = []
    for file in sorted((run / "wandb").glob("offline-run-*/*.wandb")):
        words = ["wandb", "leet", "inspect", "--json", str(file)]
        done = subprocess.run(words, env=environment, capture_output=True, text=True, check=True)
        found.append([json.loads(line) for line in done.stdout.splitlines()])
    return found


def test_offline_everything_is_kept_and_can_be_synced_later(tmp_path, server, environment):
    offline = environment | {"WANDB_MODE": "offline"}
    process = fit(tmp_path, offline, "--wandb.checkpoints", "true")
    _, said = process.communicate(timeout=120)
    assert process.returncode == 0, said
    assert server.requests == 0
    (kept,) = inspect(tmp_path / "a", environment)
    text = json.dumps(kept)
    for name in (
        "distortion",
        "rate_0",
        "rate_9",
        "disent.models.BetaVAE",
        "provenance",
        "mig",
        "last.ckpt",
    ):
        assert name in text, name
    media = tmp_path / "a" / "wandb"
    pictures = {p.name.split("_")[0] for p in media.glob("offline-run-*/files/media/**/*.png")}
    assert pictures == {"traversals", "reconstructions", "samples", "interpolation", "curves"}
    table = next(media.glob("offline-run-*/files/media/table/scores*.json"))
    rows = json.loads(table.read_text())
    assert rows["columns"][:2] == ["score", "value"]
    score = RunDir(tmp_path / "a").read_scores()["scores"]["mig"]
    assert ["mig", score["value"]] in [row[:2] for row in rows["data"]]
    words = ["wandb", "sync", *map(str, media.glob("offline-run-*"))]
    subprocess.run(words, env=environment, capture_output=True, check=True, timeout=240)
    ((name, rows),) = server.history.items()
    assert name == (media / "run_id").read_text().strip()
    assert {row["_step"] for row in rows} >= {10, 20, 30, 40, 50, 60}


def test_without_wandb_installed_only_asking_for_it_matters(tmp_path, environment):
    (tmp_path / "absent").mkdir()
    (tmp_path / "absent" / "wandb.py").write_text("raise ImportError('no module named wandb')")
    environment |= {"PYTHONPATH": f"{tmp_path / 'absent'}:{ROOT}"}
    process = fit(tmp_path, environment, *QUIET, "--logger", "none", "--run", "without")
    _, said = process.communicate(timeout=240)
    assert process.returncode == 0, said
    process = fit(tmp_path, environment, *QUIET, "--wandb.on_failure", "stop")
    _, said = process.communicate(timeout=240)
    assert process.returncode == 1
    assert "wandb is not installed: pip install wandb" in said


def test_an_interrupted_run_goes_on_under_the_same_id(tmp_path, server, environment, runs):
    slow = ["--trainer.callbacks", "tests.tiny.Slow", *QUIET]
    process = fit(tmp_path, environment, *slow)
    while not RunDir(tmp_path / "a").last.exists():
        assert process.poll() is None, process.communicate()
        time.sleep(0.05)
    process.send_signal(signal.SIGUSR1)
    process.communicate(timeout=240)
    assert process.returncode == 85
    process = fit(tmp_path, environment, *slow)
    _, said = process.communicate(timeout=240)
    assert process.returncode == 0, said
    ((run, rows),) = server.history.items()
    assert run == (tmp_path / "a" / "wandb" / "run_id").read_text().strip()
    steps = [row["_step"] for row in rows]
    assert steps == sorted(set(steps))
    assert set(steps) >= {10, 20, 30, 40, 50, 60}
    assert "BetaVAE" in server.runs[run]["config"]
    assert_same_weights(runs / "whole", tmp_path / "a")


@pytest.mark.parametrize("key", [None, "0" * 40], ids=["no key", "dead server"])
@pytest.mark.parametrize("choice", ["continue", "stop"])
def test_without_a_server_the_run_goes_on_or_stops_as_told(tmp_path, environment, key, choice):
    environment |= {"WANDB_API_KEY": key} if key else {}
    more = ["--wandb.on_failure", choice, "--wandb.timeout", "2", *QUIET]
    process = fit(tmp_path, environment, *more, stdin=subprocess.DEVNULL)
    _, said = process.communicate(timeout=120)
    run = RunDir(tmp_path / "a")
    assert "W&B did not start" in said
    assert "WANDB_MODE=offline" in said
    if choice == "continue":
        assert process.returncode == 0, said
        assert run.status()["state"] == "finished"
        assert len(run.metrics.read_text().splitlines()) == 7
    else:
        assert process.returncode == 1
        assert "W&B did not start" in run.status()["reason"]
        again = fit(tmp_path, environment | {"WANDB_MODE": "offline"}, *QUIET)
        again.communicate(timeout=240)
        assert again.returncode == 0


def test_a_server_that_dies_meanwhile_costs_nothing_here(tmp_path, server, environment):
    slow = ["--trainer.callbacks", "tests.tiny.Slow", "--wandb.timeout", "3", *QUIET]
    process = fit(tmp_path, environment, *slow)
    while not RunDir(tmp_path / "a").last.exists():
        assert process.poll() is None, process.communicate()
        time.sleep(0.05)
    server.close()
    _, said = process.communicate(timeout=120)
    assert process.returncode == 0, said
    assert RunDir(tmp_path / "a").status()["state"] == "finished"


def test_wandbs_own_commands_run_a_sweep_file(tmp_path, server, environment):
    content = yaml.safe_load((ROOT / "sweeps" / "quick.yaml").read_text())
    small = {"data": "tests.tiny.Squares", "model.network": "Linear", "trainer.max_steps": 20}
    small |= {"pictures.at_end": False, "runs": str(tmp_path / "runs")}
    content["parameters"] |= {name: {"value": value} for name, value in small.items()}
    content["parameters"]["model.beta"] = {"values": [1, 4]}
    content["parameters"]["seed_everything"] = {"values": [0]}
    file = tmp_path / "quick.yaml"
    file.write_text(yaml.safe_dump(content, sort_keys=False))
    more = {"WANDB_SILENT": "false", "WANDB_DIR": str(tmp_path)}
    call = {"env": environment | more, "cwd": ROOT, "timeout": 200}
    words = ["wandb", "sweep", str(file)]
    made = subprocess.run(words, capture_output=True, text=True, check=True, **call)
    name = re.search(r"wandb agent (\S+)", made.stderr + made.stdout)
    assert name, made
    words = ["wandb", "agent", name[1]]
    done = subprocess.run(words, capture_output=True, text=True, check=False, **call)
    states = [RunDir(run).status()["state"] for run in (tmp_path / "runs").iterdir()]
    assert states == ["finished", "finished"], done
    assert len(server.history) == 2
    for rows in server.history.values():
        assert any("mig" in row for row in rows)
