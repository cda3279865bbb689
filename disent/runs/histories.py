# SPDX-License-Identifier: Apache-2.0
"""The logged steps of many runs as one long table."""

import os
import warnings
from collections.abc import Iterator, Sequence
from io import StringIO
from pathlib import Path
from typing import Any

import pandas as pd
from pandas.api.types import is_numeric_dtype

from disent.documents import read_text
from disent.runs.directory import RunDir
from disent.runs.rows import FAILURES
from disent.runs.table import Source, run_folders
from disent.runs.wandb_offline import Logged, logs_in, read_logs
from disent.runs.wandb_rows import ONLINE, offline_history, online_history, online_runs


def load_histories(source: Source | Sequence[Source]) -> pd.DataFrame:
    """One row a run and logged step: `run`, `path`, `step`, and what was logged, nats per image.

    Scores that were taken during training stand in the rows of their steps. A run without logged
    steps has no row; one whose log cannot be read is left out with a warning that says why.

    Args:
        source: As for `load_runs`.
    Raises:
        FileNotFoundError: There is no such folder.
        ValueError: W&B does not answer.
    """
    sources = [source] if isinstance(source, str | os.PathLike) else list(source)
    parts, broken = [], []
    for each in sources:
        for name, path, logged in _each(os.fspath(each)):
            if isinstance(logged, Exception):
                broken.append(f"{path}: {logged}")
            elif not logged.empty:
                logged.insert(0, "run", name)
                logged.insert(1, "path", path)
                parts.append(logged)
    if broken:
        warnings.warn(f"left out, unreadable: {'; '.join(broken)}", stacklevel=2)
    if not parts:
        return pd.DataFrame(columns=["run", "path", "step"])
    return pd.concat(parts, ignore_index=True)


def _each(source: str) -> Iterator[tuple[str, str, pd.DataFrame | Exception]]:
    """Name, path and logged steps of every run; or the error that kept them from being read."""
    if source.startswith(ONLINE):
        for run in online_runs(source):
            yield run.name, f"{ONLINE}{'/'.join(run.path)}", _attempt(online_history, run)
        return
    root = Path(source)
    folders = run_folders(root)
    for folder in folders:
        name = folder.name if folder == root else folder.relative_to(root).as_posix()
        yield name, str(folder), _attempt(_of_folder, RunDir(folder))
    if not folders:
        for log in read_logs(logs_in(Path(source))):
            if isinstance(log, Logged):
                yield log.run, str(log.folder), _attempt(offline_history, log)
            else:
                yield log[0].parent.name, str(log[0].parent), log[1]


def _attempt(read: Any, run: Any) -> pd.DataFrame | Exception:
    try:
        return read(run)
    except FAILURES as error:
        return error


def _of_folder(run: RunDir) -> pd.DataFrame:
    logged = read_log(run.metrics)
    scores = read_log(run.evaluations)
    if logged.empty or scores.empty:
        return scores if logged.empty else logged
    return logged.merge(scores, on="step", how="outer", suffixes=("", ".evaluated"))


def read_log(file: Path) -> pd.DataFrame:
    """A log of steps, without a row that is half written; empty where there is none.

    Raises:
        ValueError: It has no steps, or words for numbers.
    """
    if not file.exists():
        return pd.DataFrame()
    whole, end, _ = read_text(file).rpartition("\n")
    if not end or "step" not in whole.partition("\n")[0].split(","):
        raise ValueError(f"{file} has no header with a column 'step'. It was cut off, or changed.")
    table = pd.read_csv(StringIO(whole))
    words = [str(name) for name in table if not is_numeric_dtype(table[name])]
    if words and len(table):
        raise ValueError(f"{file} has words for numbers in {', '.join(words)}. It was changed.")
    return table
