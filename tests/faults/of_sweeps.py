# SPDX-License-Identifier: Apache-2.0
"""What a sweep reads: its file, a Slurm profile, leases, and the notes on its trials."""

import json
import os
from pathlib import Path
from typing import Any

import yaml

from disent.launch.slurm.profile import read_profile
from disent.launch.sweep.aim import doubts
from disent.launch.sweep.file import read_sweep
from disent.launch.sweep.trials import expand, list_trials
from disent.launch.workers.leases import Leases, _holder
from disent.launch.workers.study import Study
from tests.faults import documents
from tests.faults.damage import TEXT
from tests.faults.kinds import Kind
from tests.faults.of_runs import document
from tests.runs import study

SWEEP = {
    "name": "fuzz",
    "method": "grid",
    "metric": {"name": "mig", "goal": "maximize"},
    "run_cap": 5,
    "early_terminate": {"type": "hyperband", "min_iter": 2, "eta": 3},
    "command": ["${env}", "${interpreter}", "-m", "disent", "fit", "${args}"],
    "parameters": {
        "seed_everything": {"values": [0, 1, 2]},
        "model.beta": {"min": 1, "max": 4},
        "model.lr": {"distribution": "q_uniform", "min": 0.1, "max": 0.4, "q": 0.1},
        "trainer.max_steps": {"value": 60},
        "model": {"values": ["{class_path: disent.models.BetaVAE, init_args: {beta: 1}}", "x"]},
    },
}
BAYES = {
    "name": "tpe", "method": "bayes", "metric": {"name": "mig", "goal": "maximize"}, "run_cap": 3,
    "parameters": {"a": {"min": 0.0, "max": 1.0}, "b": {"values": [1, 2]}},
}  # fmt: skip
PROFILE = {
    "time": "02:00:00", "partition": "gpu", "account": "me", "nodes": 1, "tasks": 2, "cpus": 4,
    "gpus": 2, "max_gpus": 8, "mem": "32G", "throttle": 4, "grace": 60, "modules": ["cuda"],
    "setup": ["export A=1"], "container": "apptainer exec x.sif", "sbatch": ["--exclusive"],
}  # fmt: skip


def _yaml(name: str, content: Any) -> Any:
    def write(folder: Path) -> Path:
        (folder / name).write_text(yaml.safe_dump(content, sort_keys=False))
        return folder / name

    return write


def _trials(file: Path) -> None:
    sweep = read_sweep(file)
    doubts(sweep)
    if sweep.method == "bayes":
        return
    for trial in list_trials(sweep)[:20]:
        expand(sweep, trial.arguments)


def _random_trials(file: Path) -> None:
    """The same file for random search, whatever its method."""
    sweep = read_sweep(file)
    object.__setattr__(sweep, "method", "random")
    list_trials(sweep)


# leases and notes


def _write_lease(folder: Path) -> Path:
    file = folder / "trial" / "0"
    file.parent.mkdir()
    file.write_text(_holder())
    return file


def _held(file: Path) -> None:
    leases = Leases(file.parent.parent)
    leases.is_held("trial")
    leases.is_held("trial")


def _held_by_a_job(file: Path) -> None:
    os.environ.update({"SLURM_JOB_ID": "7", "SLURM_RESTART_COUNT": "1"})
    try:
        _held(file)
    finally:
        del os.environ["SLURM_JOB_ID"], os.environ["SLURM_RESTART_COUNT"]


LEASE = {"machine": "", "pid": 1, "started": "1", "job": "7", "restart": 0}


def _written_lease() -> dict[str, Any]:
    return LEASE | json.loads(_holder())


def _write_note(part: str) -> Any:
    """A sweep's folder with one trial that failed; returns the note to damage."""

    def write(folder: Path) -> Path:
        file = folder / "fuzz.yaml"
        file.write_text(yaml.safe_dump(BAYES))
        study.write_run(folder / "runs", 0, logged=2)
        notes = folder / "runs" / ".sweeps" / "tpe"
        for name, content in NOTES.items():
            (notes / name).parent.mkdir(parents=True, exist_ok=True)
            (notes / name).write_text(json.dumps(content))
        Study(read_sweep(file), folder / "runs").check()
        return notes / part

    return write


TRIAL = {"a": 0.5, "b": 1}
NOTES = {
    "trials/0.json": TRIAL,
    "outcomes/tpe-000-a0.5-b1.json": {"state": "failed", "reason": "", "seconds": 2.0},
}
RECORD = {
    "method": "bayes", "command": ["${env}", "${interpreter}", "${program}", "${args}"],
    "program": "", "fixed": {}, "swept": ["a", "b"], "drawn": {"a": {"name": "a"}},
}  # fmt: skip


def _status(file: Path) -> None:
    """As `disent sweep` and its --dry-run look at a study; nothing is started."""
    notes = next(parent for parent in file.parents if parent.name == ".sweeps")
    found = Study(read_sweep(notes.parent.parent / "fuzz.yaml"), notes.parent)
    found.check(keep=False)
    found.status()
    list(found.candidates(0, []))
    found.without_metric(["study-00000"])


KINDS = (
    Kind("sweep", _yaml("sweep.yaml", SWEEP), (_trials, _random_trials),
         (*TEXT, *[document(documents.as_yaml, SWEEP)] * 24), share=2.0),
    Kind("Slurm profile", _yaml("mine.yaml", PROFILE), (read_profile,),
         (*TEXT, *[document(documents.as_yaml, PROFILE)] * 16)),
    Kind("lease", _write_lease, (_held, _held_by_a_job),
         (*TEXT, *[document(documents.as_json, _written_lease())] * 12)),
    Kind("note of a trial", _write_note("outcomes/tpe-000-a0.5-b1.json"), (_status,),
         (*TEXT, *[document(documents.as_json, NOTES["outcomes/tpe-000-a0.5-b1.json"])] * 12)),
    Kind("trial of a search", _write_note("trials/0.json"), (_status,),
         (*TEXT, *[document(documents.as_json, TRIAL)] * 12), share=0.5),
    Kind("record of a sweep", _write_note("sweep.json"), (_status,),
         (*TEXT, *[document(documents.as_json, RECORD)] * 12)),
)  # fmt: skip
