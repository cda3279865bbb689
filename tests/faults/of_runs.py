# SPDX-License-Identifier: Apache-2.0
"""What a run's folder holds: config, status, logged steps, scores, checkpoints, an export."""

import functools
import json
import random
from pathlib import Path
from typing import Any

import yaml

from disent.config.compare import changes, differences, is_finished
from disent.config.provenance import _earlier
from disent.export.card import card_of
from disent.launch.sweep.file import Metric
from disent.launch.workers.outcomes import Outcomes, last_step, last_value
from disent.report.run_section import run_section
from disent.report.terminal import print_runs
from disent.runs import Run, RunDir, load_histories, load_runs
from disent.runs.rows import row_of
from tests.export.runs import LINEAR, write_run
from tests.faults import documents
from tests.faults.damage import TEXT, Damage
from tests.faults.documents import MARKER
from tests.faults.kinds import Kind
from tests.runs import study


def document(dump: Any, content: Any) -> Damage:
    def change(draw: random.Random, data: bytes) -> bytes:
        return dump(draw, content)

    change.__name__ = dump.__name__
    return change


@functools.cache
def _contents() -> dict[str, Any]:
    """Config and record of a study's run, parsed."""
    scores = study._scores(random.Random(0), 4.0)
    read = {"linear_r2": 0.5, "single_r2": 0.4, "information": 0.3}
    scores |= {"factors": dict.fromkeys(study.FACTORS, read), "active_latents": 7}
    return {"config": study._config(3, MODEL), "scores": json.loads(json.dumps(scores))}


MODEL = {"class_path": "disent.models.BetaVAE", "init_args": {"latent_dim": 2, "network": LINEAR}}
STATUS = {
    "started": "2026-01-02T03:04:05+00:00", "state": "running", "reason": "", "step": 40,
    "max_steps": 60, "updated": "2026-01-02T03:05:05+00:00", "host": "", "pid": 1,
}  # fmt: skip


def _study_run(folder: Path) -> RunDir:
    return study.write_run(folder, 0, logged=5)


def _listed(file: Path) -> None:
    """In a table of runs a damaged run is a row that says so, never an error."""
    try:
        row_of(RunDir(file.parent))
    except Exception as error:
        raise AssertionError(f"row_of: {type(error).__name__}: {error}") from error


# status.json


def _write_status(folder: Path) -> Path:
    import socket

    run = _study_run(folder)
    file = run.path / "status.json"
    file.write_text(json.dumps(STATUS | {"host": socket.gethostname()}, indent=2) + "\n")
    return file


STATUS_READERS = (
    lambda file: RunDir(file.parent).status(),
    _listed,
    lambda file: Outcomes(file.parent / "o", file.parent.parent, 60).read(file.parent.name),
    lambda file: is_finished(RunDir(file.parent), {"trainer": {"max_steps": 60}, "again": True}),
    lambda file: run_section(row_of(RunDir(file.parent)), 1),
)

# metrics.csv, evaluations.csv


def _write_csv(folder: Path) -> Path:
    return _study_run(folder).metrics


def _write_evaluations(folder: Path) -> Path:
    run = _study_run(folder)
    for step in (3000, 9000):
        run.append_row(run.evaluations, {"step": step, "mig": 0.1, "sap": 0.2})
    return run.evaluations


def _truncated(file: Path) -> None:
    RunDir(file.parent).truncate(9000)


CSV_READERS = (
    _listed,
    lambda file: load_histories(file.parent),
    lambda file: run_section(row_of(RunDir(file.parent)), 1),
    lambda file: last_step(RunDir(file.parent)),
    _truncated,
)

# metrics.json


def _write_scores(folder: Path) -> Path:
    run = _study_run(folder)
    run.write_scores(_contents()["scores"])
    run.write_status("finished", step=300_000, max_steps=300_000)
    return run.scores


SCORES_READERS = (
    _listed,
    lambda file: last_value(RunDir(file.parent), Metric("mig")),
    lambda file: run_section(row_of(RunDir(file.parent)), 1),
    lambda file: print_runs(load_runs(file.parent), []),
    lambda file: card_of(Run.load(file.parent), "f", file.parent),
)

# config.yaml with its provenance


def _write_config(folder: Path) -> Path:
    return write_run(folder, "BetaVAE", network=LINEAR, latent_dim=2).directory.config


def _other() -> dict[str, Any]:
    return {**_contents()["config"], "again": False, "fast": False, "init_from": None}


CONFIG_READERS = (
    _listed,
    lambda file: Run.load(file.parent).untrained(),
    lambda file: Run.load(file.parent).dataset(),
    lambda file: changes(RunDir(file.parent), _other()),
    lambda file: differences(Run.load(file.parent).config, _other()),
    lambda file: _earlier(RunDir(file.parent), {"trainer": {"max_steps": 9}}),
    lambda file: _card(file),
)


def _card(file: Path) -> str:
    """The card of a run whose model can be made, as `disent export` does it."""
    run = Run.load(file.parent)
    run.untrained()
    run.dataset()
    return card_of(run, "f", file.parent)


def _popen(file: Path) -> None:
    """A class that is no model, whose making runs a command."""
    config = yaml.safe_load(CONFIG)
    config["model"] = {
        "class_path": "subprocess.Popen",
        "init_args": {"args": ["touch", str(MARKER)]},
    }
    file.write_text(yaml.safe_dump(config))


CONTENT = {
    "model": {**MODEL, "init_args": {**MODEL["init_args"], "beta": 4.0}},
    "data": {"class_path": "tests.tiny.Squares"},
    "loader": {"batch_size": 8, "sampling": "iid", "held_out": "size == 1"},
    "trainer": {"max_steps": 60, "precision": None, "devices": 1},
    "seed_everything": 3,
    "provenance": {
        "command": ["disent", "fit"], "disent": "0.1.0", "torch": "2.13.0",
        "source": {"a.py": "0"}, "extended": [{"from": 30, "to": 60}],
    },
}  # fmt: skip
CONFIG = yaml.safe_dump(CONTENT)

KINDS = (
    Kind("status.json", _write_status, STATUS_READERS,
         (*TEXT, *[document(documents.as_json, STATUS)] * 12)),
    Kind("metrics.csv", _write_csv, CSV_READERS, TEXT),
    Kind("evaluations.csv", _write_evaluations, CSV_READERS[:3], TEXT, share=0.5),
    Kind("metrics.json", _write_scores, SCORES_READERS,
         (*TEXT[:6], *[document(documents.as_json, _contents()["scores"])] * 12)),
    Kind("config.yaml", _write_config, CONFIG_READERS,
         (*TEXT, *[document(documents.as_yaml, yaml.safe_load(CONFIG))] * 16), (_popen,)),
)  # fmt: skip
