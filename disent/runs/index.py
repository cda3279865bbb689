# SPDX-License-Identifier: Apache-2.0
"""A column index beside a folder of runs: what was read once is not read again until it changes."""

import json
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

import pandas as pd

from disent.files import replacing_path
from disent.runs.directory import RunDir
from disent.runs.find import find_runs
from disent.runs.rows import row_of

NAME = ".runs-1.parquet"  # the number grows when rows change their meaning
FILES = ("config.yaml", "status.json", "metrics.csv", "metrics.json")
ALWAYS_READ = ("running", "unreadable")
SIGNATURE = "index.signature"
JSON = "index.json:"  # before the name of a column that holds values of several types


def indexed_runs(root: Path) -> pd.DataFrame:
    """A row for each run in `root`; only runs whose files changed since the last call are read.

    The index is a Parquet file in `root`. Where it cannot be written, or pyarrow is not installed,
    every run is read at every call. Runs that train, or could not be read, are never taken from
    the index: a process may end, and a disk answer again, without a word.
    """
    signatures = dict(sorted(_signatures(root).items()))
    known = _read(root / NAME)
    if known is not None:
        same = known["run"].map(signatures).eq(known[SIGNATURE])
        known = known[same & ~known["state"].isin(ALWAYS_READ)]
    names = set(signatures) - (set() if known is None else set(known["run"]))
    rows = [row_of(RunDir(root / n)) | {"run": n, SIGNATURE: signatures[n]} for n in sorted(names)]
    table = _joined(known, pd.DataFrame(rows))
    empty = table.columns[table.isna().all()]
    table = table.astype(dict.fromkeys(empty, float))  # else it depends on where they came from
    if names or (known is not None and len(known) != len(signatures)):
        _write(table, root / NAME)
    if table.empty:
        return table
    order = {name: position for position, name in enumerate(signatures)}
    table = table.sort_values("run", key=lambda names: names.map(order)).reset_index(drop=True)
    table["path"] = [str(root / name) for name in table["run"]]
    return table.drop(columns=SIGNATURE)


def _signatures(root: Path) -> dict[str, str]:
    """For every run the sizes and times of its files."""
    names = find_runs(root).runs
    return {name: "|".join(_stamp(f"{root}/{name}/{file}") for file in FILES) for name in names}


def _stamp(file: str) -> str:
    try:
        stat = os.stat(file)
    except OSError:
        return ""
    return f"{stat.st_mtime_ns}:{stat.st_size}"


def _joined(known: pd.DataFrame | None, read: pd.DataFrame) -> pd.DataFrame:
    if known is None or known.empty:
        return read
    if read.empty:
        return known
    # columns that are empty on one side would decide the type of the other
    parts = [part.dropna(axis="columns", how="all") for part in (known, read)]
    columns = list(dict.fromkeys([*known, *read]))
    return pd.concat(parts, ignore_index=True).reindex(columns=columns)


def _read(file: Path) -> pd.DataFrame | None:
    """The index, or None where there is none that can be used."""
    try:
        stored = pd.read_parquet(file, engine="pyarrow")
        table = pd.DataFrame({_plain(str(name)): _decoded(stored[name]) for name in stored})
        return table if {"run", "state", SIGNATURE} <= set(table) else None
    except (OSError, ImportError, ValueError, TypeError):  # pyarrow's errors are ValueErrors
        return None


def _plain(name: str) -> str:
    return name.removeprefix(JSON)


def _decoded(column: pd.Series) -> pd.Series:
    if not str(column.name).startswith(JSON):
        return column
    return pd.Series([json.loads(text) for text in column], column.index, dtype=object)


def _write(table: pd.DataFrame, file: Path) -> None:
    """Replaces the index in one step; a folder that cannot be written goes without."""
    columns: dict[str, Any] = {}
    for name in table:
        column = table[name]
        if column.dtype == object:
            columns[JSON + str(name)] = [json.dumps(value, default=str) for value in column]
        else:
            columns[str(name)] = column
    with suppress(OSError, ImportError), replacing_path(file) as temporary:
        pd.DataFrame(columns).to_parquet(temporary, engine="pyarrow", index=False)
