# SPDX-License-Identifier: Apache-2.0
"""disent doctor: the table, what makes a problem, and the tiny run, whole and broken."""

import os
from importlib import metadata
from pathlib import Path

import pytest
import torch
from packaging.requirements import Requirement

from disent.cli.main import main
from disent.doctor import Finding, check_by_a_run, check_gpu, gpu, machine, print_findings, trial
from disent.runs import RunDir
from tests.tiny import Squares

ROOT = Path(__file__).parents[2]


def told(findings) -> dict[str, Finding]:
    return {finding.what: finding for finding in findings}


def test_a_problem_is_told_and_ends_with_status_1(capsys, monkeypatch, tmp_path):
    broken = Finding("a [thing]", "problem", "does not work [at all]")
    assert print_findings([broken, Finding("other", "note", "is so")])
    said = capsys.readouterr().out
    assert "a [thing]" in said
    assert "does not work [at all]" in said
    assert said.splitlines()[-1] == "problems: 1, notes: 1"
    assert not print_findings([Finding("other", "note", "is so")])
    monkeypatch.setattr("disent.doctor.check_machine", lambda _: [broken])
    assert main(["doctor", "--no-run"]) == 1


def test_the_machine_is_described(tmp_path, monkeypatch):
    monkeypatch.setenv("DISENT_DATA_DIR", str(tmp_path))
    (tmp_path / "dsprites-rendered-1.bin").touch()
    found = told(machine.check_machine(tmp_path / "runs"))
    wanted = {"versions", "cores", "memory", "bfloat16", "GPUs", "Slurm", "W&B", "cache folder"}
    assert wanted <= found.keys()
    assert f"torch {torch.__version__}" in found["versions"].told
    assert f"{tmp_path}, " in found["cache folder"].told
    assert found["cache folder"].told.endswith("holds dsprites-rendered")
    assert found["folder of runs"].state == "ok"
    assert not (tmp_path / "runs").exists()


def test_a_folder_that_cannot_be_written_is_a_problem_that_says_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setenv("DISENT_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setattr(os, "access", lambda *_: False)
    found = told(machine.check_machine(tmp_path / "runs"))
    assert found["cache folder"].state == "problem"
    assert "set DISENT_DATA_DIR" in found["cache folder"].told
    assert "name another: --runs" in found["folder of runs"].told


def test_a_full_disk_is_a_problem(tmp_path, monkeypatch):
    usage = type("Usage", (), {"free": 10 * 2**20})
    monkeypatch.setattr(machine.shutil, "disk_usage", lambda _: usage)
    monkeypatch.setenv("DISENT_DATA_DIR", str(tmp_path / "data"))
    found = told(machine.check_machine(tmp_path / "runs"))
    assert found["cache folder"].told.endswith("0.0 GiB free, but 0.4 GiB are wanted")


@pytest.mark.parametrize(
    ("free", "state"), [(0.5, "problem"), (2.0, "note"), (64.0, "ok"), (None, "note")]
)
def test_memory_is_judged(free, state, monkeypatch):
    left = None if free is None else int(free * 2**30)
    monkeypatch.setattr(machine, "memory_left", lambda: left)
    assert machine._memory().state == state


def test_packages_that_are_missing_or_too_old_are_a_problem(monkeypatch):
    here = metadata.version("numpy")
    wanted = [f"numpy>={here}", "no-such-thing>=1", "numpy>=999", 'numpy>=999; extra == "x"']
    monkeypatch.setattr(machine.metadata, "requires", lambda _: wanted)
    found = told(machine._versions())["packages"]
    assert found.state == "problem"
    wrong = f"no-such-thing is missing; numpy is {here}, but >=999 is wanted. pip install -U"
    assert found.told.startswith(wrong)
    assert machine._wrong(Requirement(f"numpy>={here}")) == ""


def test_gpus_that_torch_does_not_see_are_a_problem(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(machine, "visible_gpus", lambda: ["0", "1"])
    assert machine._gpus().state == "problem"
    monkeypatch.setattr(machine, "visible_gpus", list)
    assert machine._gpus().state == "note"


def test_without_a_gpu_a_line_says_that_nothing_of_it_was_looked_at(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    (found,) = check_gpu(Squares())
    assert (found.what, found.state) == ("on a GPU", "note")
    assert "there is none here" in found.told


@pytest.mark.slow
@pytest.mark.parametrize("check", [gpu._fleet, gpu._residence, gpu._scores])
def test_what_is_asked_of_a_gpu_holds_of_a_processor(check):
    assert check(Squares(), torch.device("cpu")).state == "ok"


def test_a_difference_on_a_gpu_is_a_problem(monkeypatch):
    monkeypatch.setattr(gpu, "_distance", lambda *_: 0.1)
    assert gpu._fleet(Squares(), torch.device("cpu")).state == "problem"
    values = iter([0.1, 0.2])
    monkeypatch.setattr(gpu, "mig", lambda *_: next(values))
    assert gpu._scores(Squares(), torch.device("cpu")).state == "problem"


def test_what_breaks_on_a_gpu_is_told_in_a_line(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)

    def breaks(*_):
        raise RuntimeError("CUDA error: no kernel\nmore lines")

    for name in ("_captured", "_fleet", "_residence", "_scores"):
        monkeypatch.setattr(gpu, name, breaks)
    found = check_gpu(Squares())
    assert [finding.state for finding in found] == ["problem"] * 4
    assert found[0].told == "RuntimeError: CUDA error: no kernel"


@pytest.mark.skipif(not torch.cuda.is_available(), reason="wants a GPU")
def test_on_a_gpu_all_is_well():
    assert [finding.state for finding in check_gpu(Squares())] == ["ok"] * 4


@pytest.mark.slow
def test_a_tiny_run_is_trained_stopped_resumed_and_scored(monkeypatch, tmp_path):
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(trial.tempfile, "tempdir", None)
    found = told(check_by_a_run())
    assert [finding.state for finding in found.values()] == ["ok"] * 3
    assert "resumed to the same weights" in found["resuming"].told
    assert list(tmp_path.iterdir()) == []


def test_a_run_that_fails_is_a_problem_in_its_own_words(monkeypatch, tmp_path):
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setattr(trial, "OPTIONS", ("--config=nosuch",))
    (found,) = check_by_a_run()
    assert found.state == "problem"
    assert "it ended with status 1: disent: error: there is no preset nosuch" in found.told


def test_other_weights_after_a_stop_are_a_problem(tmp_path):
    runs = [RunDir(tmp_path / name) for name in ("whole", "parted")]
    for number, run in enumerate(runs):
        run.last.parent.mkdir(parents=True)
        torch.save({"state_dict": {"w": torch.tensor([1.0, 2.0 + number])}}, run.last)
    one, other = runs
    assert trial._compared(one, other, 10).state == "problem"
    assert "weights are 1.0e+00 off" in trial._compared(one, other, 10).told
    assert trial._compared(one, one, 10).state == "ok"


def test_a_score_out_of_range_or_missing_is_a_problem(tmp_path):
    run = RunDir(tmp_path)
    assert trial._scored(run).state == "problem"
    run.write_scores({"scores": {"mig": {"value": 1.5, "chance": 0.0}}})
    assert trial._scored(run).state == "problem"
    run.write_scores({"scores": {"mig": {"value": 0.5, "chance": 0.0}}})
    assert trial._scored(run) == Finding("a score", "ok", "MIG 0.500, chance 0.000")


@pytest.mark.parametrize(
    ("script", "finding"),
    [
        ("echo slurm 23.11.4", Finding("Slurm", "ok", "slurm 23.11.4; inside job 7")),
        (
            "echo first >&2; echo last >&2; exit 1",
            Finding("Slurm", "note", "sbatch is here, but no cluster: last"),
        ),
    ],
)
def test_a_slurm_without_a_cluster_is_a_note_in_a_line(script, finding, tmp_path, monkeypatch):
    sbatch = tmp_path / "sbatch"
    sbatch.write_text(f"#!/bin/sh\n{script}\n")
    sbatch.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setenv("SLURM_JOB_ID", "7")
    assert machine._slurm() == finding
