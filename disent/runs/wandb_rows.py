# SPDX-License-Identifier: Apache-2.0
"""Runs that W&B holds, online or in its offline folders, as the same rows as runs on disk."""

import json
import math
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pandas as pd

from disent.runs.rows import BESIDE, FAILURES, flatten
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
            yield _whole(row, log.config, log.summary, log.folder / "files")
        else:
            file, error = log
            named = {"run": file.parent.name, "path": str(file.parent), "state": "unreadable"}
            yield named | {"reason": f"{type(error).__name__}: {error}"}


def offline_history(log: Logged) -> pd.DataFrame:
    """The logged numbers of one run by step; a step that was sent in parts is one row."""
    return _by_step([_numbers(row) for row in log.history])


def online_rows(source: str) -> Iterator[dict[str, Any]]:
    """A row for each run of "wandb:entity/project", or of "wandb:entity/project/id"."""
    for run in online_runs(source):
        row = {
            "run": run.name,
            "path": f"{ONLINE}{'/'.join(run.path)}",
            "state": STATES.get(run.state, run.state),
            "reason": "" if run.state in ("finished", "running") else f"W&B says: {run.state}",
        }
        with TemporaryDirectory() as folder:
            _fetch_scores(run, folder)
            yield _whole(row, dict(run.config), dict(run.summary), Path(folder))


def online_runs(source: str) -> list[Any]:
    """W&B's own objects for the runs of "wandb:entity/project", or the one with an id behind.

    Raises:
        ValueError: The source names no project, or W&B does not answer.
    """
    path = source.removeprefix(ONLINE)
    parts = [part for part in path.split("/") if part]
    if len(parts) not in (2, 3):
        raise ValueError(f"{source!r} names no project of W&B: wandb:ENTITY/PROJECT is wanted.")
    try:
        import wandb
    except ImportError:
        raise ValueError("wandb is not installed: pip install wandb") from None
    try:
        api = wandb.Api()
        return list(api.runs(path)) if len(parts) == 2 else [api.run(path)]
    except Exception as error:  # W&B raises whatever its parts raise
        raise ValueError(
            f"W&B did not list the runs of {path}: {error}. It wants WANDB_API_KEY (or `wandb "
            "login`), a project that exists, and a server that answers."
        ) from error


def online_history(run: Any) -> pd.DataFrame:
    """The logged numbers of one of W&B's runs by step, every step of them."""
    return _by_step([_numbers(row) for row in run.scan_history()])


def _whole(
    row: dict[str, Any], config: dict[str, Any], summary: dict[str, Any], files: Path
) -> dict[str, Any]:
    """The row with config, last values and scores; or with the reason why there are none."""
    try:
        columns = flatten({k: v for k, v in config.items() if k != "_wandb"}) | _numbers(summary)
        return row | columns | _beside(files, summary) | row
    except FAILURES as error:
        return row | {"state": "unreadable", "reason": f"{type(error).__name__}: {error}"}


def _fetch_scores(run: Any, folder: str) -> None:
    """Downloads the table that was logged with the scores; without it there are no baselines."""
    path = _scores_file(dict(run.summary))
    if path:
        with suppress(Exception):  # W&B raises whatever its parts raise
            run.file(path).download(root=folder, replace=True)


def _scores_file(summary: dict[str, Any]) -> str | None:
    scores: Any = summary.get("scores")
    path = scores.get("path") if hasattr(scores, "get") else None  # online it is no plain dict
    return path if isinstance(path, str) else None


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


def _beside(files: Path, summary: dict[str, Any]) -> dict[str, Any]:
    """Spread and baselines of the scores, from the table that was logged with them."""
    path = _scores_file(summary)
    try:
        file = (files / (path or "")).resolve()
    except (OSError, RuntimeError):  # links in a circle
        return {}
    if path is None or not file.is_relative_to(files.resolve()) or not file.exists():
        return {}
    table = json.loads(file.read_text(encoding="utf-8"))
    rows = pd.DataFrame(table["data"], columns=table["columns"])
    if not {"score", "variant"} <= set(rows):
        return {}  # a table of the same name that is not ours
    rows = rows.set_index("score")
    found = {
        f"{score}.{part}": value
        for score, row in rows.iterrows()
        for part, value in row.items()
        if part in BESIDE
    }
    return {k: v for k, v in found.items() if not (isinstance(v, float) and math.isnan(v))}
