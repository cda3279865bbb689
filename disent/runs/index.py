# SPDX-License-Identifier: Apache-2.0
"""An index beside a folder of runs: what was read once is not read again until it changes."""

import json
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

import pandas as pd

from disent.files import write_text
from disent.runs.directory import RunDir
from disent.runs.find import find_runs
from disent.runs.rows import row_of

NAME = ".runs-2.json"  # the number grows when rows change their meaning
FILES = ("config.yaml", "status.json", "metrics.csv", "metrics.json")
ALWAYS_READ = ("running", "unreadable")
DAMAGE = (OSError, ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError)
Row = dict[str, Any]


def indexed_runs(root: Path) -> pd.DataFrame:
    """A row for each run in `root`; only runs whose files changed since the last call are read.

    The index is a JSON file in `root`. Where it cannot be written, every run is read at every call.
    Runs that train, or could not be read, are never taken from the index: a process may end, and a
    disk answer again, without a word.
    """
    signatures = _signatures(root)
    known = _read(root / NAME)
    rows = {
        name: row
        for name, (signature, row) in known.items()
        if signatures.get(name) == signature and row["state"] not in ALWAYS_READ
    }
    rows |= {name: row_of(RunDir(root / name)) for name in signatures if name not in rows}
    if signatures != {name: signature for name, (signature, _) in known.items()}:
        _write(root / NAME, signatures, rows)
    named = (rows[name] | {"run": name, "path": str(root / name)} for name in signatures)
    table = pd.DataFrame(list(named))
    empty = table.columns[table.isna().all()]
    return table.astype(dict.fromkeys(empty, float))  # whatever stood for nothing


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


def _read(file: Path) -> dict[str, tuple[str, Row]]:
    """Signature and row of each run; nothing where there is no index that can be used."""
    try:
        stored = json.loads(file.read_text(encoding="utf-8"))
        columns = [[str(name) for name in names] for names in stored["columns"]]
        known = {
            name: (signature, dict(zip(columns[kind], values, strict=True)))
            for name, (signature, kind, values) in stored["rows"].items()
        }
    except DAMAGE:
        return {}
    return known if all("state" in row for _, row in known.values()) else {}


def _write(file: Path, signatures: dict[str, str], rows: dict[str, Row]) -> None:
    """Replaces the index in one step; a folder that cannot be written goes without.

    Runs of one kind have the same columns, which are written once.
    """
    kinds = {kind: number for number, kind in enumerate(dict.fromkeys(map(tuple, rows.values())))}
    stored = {
        "columns": list(kinds),
        "rows": {
            name: [signature, kinds[tuple(rows[name])], list(rows[name].values())]
            for name, signature in signatures.items()
        },
    }
    with suppress(OSError):
        write_text(file, json.dumps(stored, default=str, separators=(",", ":")))
