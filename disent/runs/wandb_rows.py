# SPDX-License-Identifier: Apache-2.0
"""Runs that W&B holds, online or in its offline folders, as the same rows as runs on disk."""

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from disent.runs.rows import BESIDE, flatten
from disent.runs.wandb_offline import Logged, read_logs

ONLINE = "wandb:"
STATES = {"crashed": "failed", "killed": "failed", "preempted": "requeued", "preempting": "running"}
OURS = {"_step": "step"}  # W&B's step is the step of training


def offline_rows(files: list[Path]) -> Iterator[dict[str, Any]]:
    """A row for each run in W&B's offline logs."""
    for log in read_logs(files):
        if isinstance(log, Logged):
            state = {None: "unknown", 0: "finished"}.get(log.exit_code, "failed")
            why = {None: "its log has no end: it runs, or was killed", 0: ""}
            reason = why.get(log.exit_code, f"exit code {log.exit_code}")
            row = {"run": log.run, "path": str(log.folder), "state": state, "reason": reason}
            yield row | _columns(log.config, log.summary) | _beside(log.folder, log.summary) | row
        else:
            file, error = log
            named = {"run": file.parent.name, "path": str(file.parent), "state": "unreadable"}
            yield named | {"reason": f"{type(error).__name__}: {error}"}


def offline_history(log: Logged) -> pd.DataFrame:
    """The logged numbers of one run by step; a step that was sent in parts is one row."""
    return _by_step([_numbers(row) for row in log.history])


def online_rows(source: str) -> Iterator[dict[str, Any]]:
    """A row for each run of "wandb:entity/project". Baselines of scores are not fetched."""
    for run in online_runs(source):
        row = {
            "run": run.name,
            "path": f"{ONLINE}{'/'.join(run.path)}",
            "state": STATES.get(run.state, run.state),
            "reason": "" if run.state in ("finished", "running") else f"W&B says: {run.state}",
        }
        try:
            yield row | _columns(dict(run.config), dict(run.summary)) | row
        except (ValueError, TypeError, AttributeError) as error:
            yield row | {"state": "unreadable", "reason": f"{type(error).__name__}: {error}"}


def online_runs(source: str) -> list[Any]:
    """W&B's own objects for the runs of "wandb:entity/project".

    Raises:
        ValueError: The source names no project, or W&B does not answer.
    """
    path = source.removeprefix(ONLINE)
    if len([part for part in path.split("/") if part]) != 2:
        raise ValueError(f"{source!r} names no project of W&B: wandb:ENTITY/PROJECT is wanted.")
    try:
        import wandb
    except ImportError:
        raise ValueError("wandb is not installed: pip install wandb") from None
    try:
        return list(wandb.Api().runs(path))
    except Exception as error:  # W&B raises whatever its parts raise
        raise ValueError(
            f"W&B did not list the runs of {path}: {error}. It wants WANDB_API_KEY (or `wandb "
            "login`), a project that exists, and a server that answers."
        ) from error


def online_history(run: Any) -> pd.DataFrame:
    """The logged numbers of one of W&B's runs by step, every step of them."""
    return _by_step([_numbers(row) for row in run.scan_history()])


def _columns(config: dict[str, Any], summary: dict[str, Any]) -> dict[str, Any]:
    return flatten({k: v for k, v in config.items() if k != "_wandb"}) | _numbers(summary)


def _numbers(row: dict[str, Any]) -> dict[str, Any]:
    """What is a number, under our names; W&B's own entries, pictures and tables are left out."""
    named = {OURS.get(str(name), str(name)): value for name, value in row.items()}
    return {
        name: value if name == "step" else float(value)
        for name, value in named.items()
        if isinstance(value, int | float | str)
        and not isinstance(value, bool)
        and not name.startswith("_")
        and (not isinstance(value, str) or value in ("NaN", "Infinity", "-Infinity"))
    }


def _by_step(rows: list[dict[str, Any]]) -> pd.DataFrame:
    merged: dict[float, dict[str, Any]] = {}
    for row in rows:
        if len(row) > 1 and "step" in row:
            merged.setdefault(row["step"], {}).update(row)
    return pd.DataFrame(list(merged.values()))


def _beside(folder: Path, summary: dict[str, Any]) -> dict[str, Any]:
    """Spread and baselines of the scores, from the table that was logged with them."""
    path = (summary.get("scores") or {}).get("path") if isinstance(summary, dict) else None
    if not isinstance(path, str):
        return {}
    file = (folder / "files" / path).resolve()
    if not file.is_relative_to(folder.resolve()) or not file.exists():
        return {}
    table = json.loads(file.read_text(encoding="utf-8"))
    rows = pd.DataFrame(table["data"], columns=table["columns"]).set_index("score")
    found = {
        f"{score}.{part}": value
        for score, row in rows.iterrows()
        for part, value in row.items()
        if part in BESIDE
    }
    return {k: v for k, v in found.items() if not (isinstance(v, float) and math.isnan(v))}
