# SPDX-License-Identifier: Apache-2.0
"""The table of runs as the page holds it: columns, each stored as shortly as it can be."""

import math
import re
from typing import Any

import pandas as pd

from disent.report.short_names import short_names
from disent.runs import score_names

NAMES = {"setting": "varies"}  # what the page calls a column
TERMS = ("rate", "distortion", "elbo")
PARTS = ("spread", "error", "chance", "untrained", "pca", "protocol", "elbo", "naive", "variant")
# nothing to read or to draw: paths, what curves tell better, and what is of one run alone
DROPPED = re.compile(r"rate_\d+|path|config|objective|provenance\.command|.*\.(codes|points)")
SETTINGS = ("model", "data", "loader", "trainer", "evaluate", "seed", "fast", "strength")
ALIASES = {"beta": "model.beta", "C": "model.capacity", "gamma": "model.gamma"}
SCORES = 8  # at most, that are shown before the reader chooses
DIGITS = 5


def page_data(runs: pd.DataFrame) -> dict[str, Any]:
    """What the page's script reads, ready for `json.dumps`.

    `columns`: of every name, a list, {"same": value} where all runs agree, {"at", "values"} where
    few have a number, or {"levels", "codes"} of words. `groups`: the columns that differ between
    runs, by kind. `shown`: those that are shown at first. `families`: the short name, the whole
    name, and the runs of each.

    Args:
        runs: By `with_families`.
    """
    names = short_names(sorted(set(runs["objective"])))
    scores = [name for name in score_names(runs) if runs[name].notna().any()]
    table = _evaluated(runs).assign(
        family=runs["objective"].map(names),
        setting=runs["setting"].where(runs["setting"].ne(runs["objective"]), None),
    )
    kept = [str(c) for c in table if not DROPPED.fullmatch(str(c)) or c in ("evaluate.codes",)]
    columns = {name: _column(table[name]) for name in kept}
    varying = [name for name, column in columns.items() if not _same(column)]
    counts = runs["objective"].value_counts()
    return {
        "rows": len(runs),
        "columns": columns,
        "groups": _groups(varying, scores),
        "scores": scores,
        "shown": _shown(table, varying, scores),
        "names": NAMES,
        "families": [[names[name], name, int(counts[name])] for name in names],
    }


def _evaluated(runs: pd.DataFrame) -> pd.DataFrame:
    """Terms on all pictures where the runs were evaluated, else of the last logged step."""
    terms = {
        name: runs[f"evaluated.{name}"].fillna(runs[name])
        for name in TERMS
        if f"evaluated.{name}" in runs and name in runs
    }
    return runs.assign(**terms)


def _shown(table: pd.DataFrame, varying: list[str], scores: list[str]) -> list[str]:
    """Family, what varies, seed, then the scores that most runs have, then the terms."""
    filled = sorted(scores, key=lambda name: -int(table[name].notna().sum()))[:SCORES]
    first = [name for name in ("family", "setting", "state", "seed") if name in varying]
    terms = [name for name in (*TERMS, "step") if name in varying]
    return [*first, *(name for name in scores if name in filled), *terms]


def _groups(varying: list[str], scores: list[str]) -> dict[str, list[str]]:
    groups: dict[str, list[str]] = {
        "what it is": [n for n in ("family", "setting", "state", "seed") if n in varying],
        "scores": [name for name in varying if name in scores],
        "terms, nats per image": [*(n for n in TERMS if n in varying)],
        "settings": [],
        "beside the scores": [],
        "of the training": [],
    }
    taken = {name for group in groups.values() for name in group} | {"run", "reason", "model.seed"}
    taken |= {alias for alias, name in ALIASES.items() if name in varying}
    for name in [name for name in varying if name not in taken]:
        if name.startswith(("evaluated.", "held_out.", "drawn.")):
            groups["terms, nats per image"].append(name)
        elif name.split(".")[0] in SETTINGS or name in ALIASES:
            groups["settings"].append(name)
        elif name.rpartition(".")[0] in scores or name.rpartition(".")[2] in PARTS:
            groups["beside the scores"].append(name)
        else:
            groups["of the training"].append(name)
    return {kind: names for kind, names in groups.items() if names}


def _column(values: pd.Series) -> Any:
    cells = [_cell(value) for value in values.tolist()]
    if all(cell == cells[0] and type(cell) is type(cells[0]) for cell in cells):
        return {"same": cells[0]}
    if not any(isinstance(cell, str) for cell in cells):
        known = [n for n, cell in enumerate(cells) if cell is not None]
        if 3 * len(known) < len(cells):  # positions and values are shorter than many nulls
            return {"at": known, "values": [cells[n] for n in known]}
        return cells
    words = [None if cell is None else str(cell) for cell in cells]
    levels = {word: code for code, word in enumerate(dict.fromkeys(w for w in words if w))}
    return {"levels": list(levels), "codes": [levels.get(word or "", -1) for word in words]}


def _same(column: Any) -> bool:
    return isinstance(column, dict) and "same" in column


def _cell(value: Any) -> str | int | float | None:
    """A number of five digits, whole where it is; a word; or nothing."""
    if value is None or value == "":
        return None
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        if not math.isfinite(value):
            return None
        return int(value) if value == int(value) else float(f"{value:.{DIGITS}g}")
    return str(value)
