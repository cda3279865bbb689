# SPDX-License-Identifier: Apache-2.0
"""What the names of trials do not tell: kept beside them, so that no other result passes for one.

A name holds the values that vary. Whoever edits another value in the file (a number of steps) and
runs the sweep again under its old name would be shown the old runs as done.
"""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from disent.files import create, write_text
from disent.launch.sweep.file import LENGTH, Sweep
from disent.runs.directory import RunDir

Record = dict[str, Any]


def check_same(sweep: Sweep, file: Path, *, keep: bool = True) -> None:
    """Compares a sweep with the one whose record is in `file`.

    A grid may grow by values and by parameters that vary. Random and Bayesian search draw by the
    whole file: there only run_cap may change. All runs may grow in their number of steps.

    Args:
        sweep: What is about to be run.
        file: The record; made if there is none.
        keep: Whether the file may be written.
    Raises:
        ValueError: The names of its trials would stand for other runs than before.
    """
    now = _record(sweep)
    if keep and create(file, _text(now)):
        return
    before = RunDir(file.parent).read_json(file)
    if not before:
        return
    kinds_differ = any(type(before.get(key)) is not type(value) for key, value in now.items())
    if kinds_differ or not all(isinstance(value, list) for value in before["fixed"].values()):
        raise ValueError(
            f"{file} is no record of a sweep. It was changed: take another folder of runs (--runs)."
        )
    changed = _differences(before, now)
    if changed:
        raise ValueError(
            f"sweep {sweep.name} was run with other settings, which the names of its runs do not "
            f"tell: {'; '.join(changed)}. Give the file another name:, or take another folder of "
            "runs: --runs."
        )
    grown = _grown(before, now)
    if keep and grown != before:
        write_text(file, _text(grown))


def _record(sweep: Sweep) -> Record:
    """A list stands for each fixed value, so that an empty one can say: not given."""
    swept = [p for p in sweep.parameters if p.varies]
    drawn = {} if sweep.method == "grid" else {p.name: asdict(p) for p in swept}
    record = {
        "method": sweep.method,
        "command": sweep.command,
        "program": sweep.program,
        "fixed": {p.name: list(p.values) for p in sweep.parameters if not p.varies},
        "swept": sorted(p.name for p in swept),
        "drawn": drawn,
    }
    return json.loads(_text(record))


def _text(record: Record) -> str:
    return json.dumps(record, indent=2, default=str) + "\n"  # str: the dates of YAML


def _differences(before: Record, now: Record) -> list[str]:
    """Each as: what, was -> is."""
    pairs = [(key, before[key], now[key]) for key in ("method", "command", "program")]
    drawn = sorted(before["drawn"].keys() | now["drawn"].keys())
    pairs += [(name, before["drawn"].get(name), now["drawn"].get(name)) for name in drawn]
    names = before["fixed"].keys() | now["fixed"].keys()
    for name in sorted(names - set(now["swept"])):
        told = name in before["swept"] and name not in before["fixed"]  # by the old names
        if not told:
            was, is_ = (record["fixed"].get(name, []) for record in (before, now))
            if not (name == LENGTH and _is_longer(was, is_)):
                pairs.append((name, was, is_))
    return [f"{what}: {_said(was)} -> {_said(is_)}" for what, was, is_ in pairs if was != is_]


def _is_longer(was: list[Any], is_: list[Any]) -> bool:
    numbers = [value[0] for value in (was, is_) if len(value) == 1 and isinstance(value[0], int)]
    return len(numbers) == 2 and numbers[0] <= numbers[1]


def _grown(before: Record, now: Record) -> Record:
    """The record of all that was run under this name."""
    known = before["fixed"].keys() | set(before["swept"])
    here = now["fixed"].keys() | set(now["swept"])
    absent = {name: [] for name in [*(set(now["swept"]) - known), *(set(before["swept"]) - here)]}
    fixed = absent | before["fixed"] | now["fixed"]
    return before | {"fixed": fixed, "swept": sorted({*before["swept"], *now["swept"]})}


def _said(value: Any) -> str:
    if value in ([], None):
        return "not given"
    told = str(value[0]) if isinstance(value, list) and len(value) == 1 else str(value)
    return " ".join(told.split())
