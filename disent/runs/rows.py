# SPDX-License-Identifier: Apache-2.0
"""One run's folder as one row: config, status, last logged values, scores."""

import csv
from typing import Any

from disent.documents import read_yaml
from disent.runs.directory import RunDir

BESIDE = ("spread", "error", "chance", "untrained", "pca", "variant", "codes", "seed", "points")
BOUNDS = ("rate", "distortion", "total", "total_error", "mutual_information", "entropy")
TAIL = 16_384  # bytes; a logged row is some hundreds
FAILURES = (OSError, ValueError, ArithmeticError, LookupError, TypeError, AttributeError)
FAILURES += (RecursionError, csv.Error)


def row_of(run: RunDir) -> dict[str, Any]:
    """What `load_runs` says of one run; of one that cannot be read, `reason` says why."""
    row: dict[str, Any] = {}
    named = {"run": run.path.name, "path": str(run.path)}
    try:
        status = run.status()
        state = {"state": status.get("state", "unknown"), "reason": status.get("reason", "")}
        if run.config.exists():
            row |= flatten(read_yaml(run.config))
        row |= _last_logged(run)
        if "step" in row and status.get("step"):  # the last logged one may be from before
            row["step"] = max(row["step"], status["step"])
        row |= score_columns(record := run.read_scores())
        if not state["reason"] and record.get("scores") and _is_before(record, row):
            state["reason"] = f"scores are of step {record['step']:,}"
    except FAILURES as error:
        state = {"state": "unreadable", "reason": f"{type(error).__name__}: {error}"}
    return named | state | {k: v for k, v in row.items() if k not in named | state}


def _is_before(record: dict[str, Any], row: dict[str, Any]) -> bool:
    """Whether a run went on after it was scored, or its best weights were."""
    scored = record.get("step")
    return scored is not None and scored < row.get("step", 0)


def flatten(config: Any) -> dict[str, Any]:
    """{"model": {"class_path": "a.B", "init_args": {"c": 4}}} -> {"model": "B", "model.c": 4}."""
    if not isinstance(config, dict):
        raise ValueError(f"the config holds {type(config).__name__}, but sections are wanted.")
    flat: dict[str, Any] = {}

    def visit(name: str, value: Any) -> None:
        if isinstance(value, dict) and "class_path" in value:
            flat[name] = str(value["class_path"]).rsplit(".", 1)[-1]
            value = value.get("init_args") or {}
        if isinstance(value, dict):
            for key, item in value.items():
                visit(f"{name}.{key}" if name else str(key), item)
        else:
            flat[name] = value

    visit("", config)
    if "seed_everything" in flat:
        flat["seed"] = flat.pop("seed_everything")
    return flat


def score_columns(record: dict[str, Any]) -> dict[str, Any]:
    """The columns that a metrics.json gives: scores with what stands beside them, and bounds."""
    row: dict[str, Any] = {}
    for name, score in record.get("scores", {}).items():
        row[name] = score["value"]
        row |= {f"{name}.{part}": score[part] for part in BESIDE if part in score}
    row |= {k: record[k] for k in ("fingerprint",) if k in record}
    found = record.get("rate_distortion") or {}
    row |= {f"evaluated.{name}": found[name] for name in BOUNDS if name in found}
    if "total" in found:
        row["evaluated.elbo"] = -found["total"]
    for kind, numbers in (record.get("drawn") or {}).items():
        row |= {f"drawn.{kind}.{name}": value for name, value in numbers.items()}
    unseen = record.get("held_out") or {}
    for side in ("trained", "unseen"):
        row |= {f"held_out.{side}.{name}": v for name, v in unseen.get(side, {}).items()}
    return row


def _last_logged(run: RunDir) -> dict[str, float]:
    """The last whole row of metrics.csv; a row that is being written is not one yet."""
    try:
        stream = run.metrics.open("rb")
    except FileNotFoundError:
        return {}
    with stream:
        header = stream.readline().decode("utf-8")
        size = stream.seek(0, 2)
        stream.seek(max(len(header.encode("utf-8")), size - TAIL))
        lines = stream.read().decode("utf-8").splitlines(keepends=True)
    whole = [line for line in lines if line.endswith("\n")]
    if not whole:
        return {}
    names, values = (next(csv.reader([line])) for line in (header, whole[-1]))
    if len(names) != len(values):
        raise ValueError(f"{run.metrics} has {len(names)} columns but a row of {len(values)}.")
    logged = {n: float(v) for n, v in zip(names, values, strict=True) if v}
    return logged | {"step": int(logged["step"])} if "step" in logged else logged
