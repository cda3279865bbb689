# SPDX-License-Identifier: Apache-2.0
"""One HTML file about many runs: no server, no network, nothing beside it."""

import os
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from disent import __version__
from disent.files import write_text
from disent.report.parallel import run_sections
from disent.report.summary import entropy_of, summarise
from disent.report.sweep_sections import sweep_sections
from disent.runs import load_runs, score_names, with_families
from disent.runs.table import Source

COLUMNS = ("state", "objective", "setting", "seed", "step", "rate", "distortion", "elbo")


def write_report(source: Source | Sequence[Source], file: str | os.PathLike[str]) -> int:
    """Writes the report of the runs in `source` to `file`; returns how many runs it tells of.

    The page holds all that it shows: a summary, a table to sort and filter, figures over the runs,
    and a section a run with curves, scores, information matrix, and traversals with sliders. All
    that comes from the runs is escaped.

    Args:
        source: As for `disent.runs.load_runs`.
        file: Replaced whole, in one step.
    Raises:
        FileNotFoundError: There is no such folder.
        ValueError: There is no run.
    """
    table = load_runs(source)
    if table.empty:
        raise ValueError(
            f"there are no runs in {_title(source)}. Make one: disent fit --config quickstart"
        )
    runs = with_families(table)
    finished = runs[runs["state"].eq("finished")]
    entropy = entropy_of(finished)
    page = _environment().get_template("page.html")
    text = page.render(
        title=_title(source),
        made=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        version=__version__,
        summary=summarise(runs),
        columns=_columns(runs),
        rows=_rows(runs),
        states=sorted(set(runs["state"])),
        sweep=sweep_sections(finished, entropy) if len(finished) > 1 else [],
        runs=run_sections(runs),
    )
    write_text(Path(file), text)
    return len(runs)


def _environment() -> Environment:
    """Templates in which everything is escaped, and a name that is missing is an error."""
    loader = PackageLoader("disent.report", "template")
    environment = Environment(loader=loader, autoescape=True, undefined=StrictUndefined)
    environment.globals["include_raw"] = lambda name: Markup(
        loader.get_source(environment, name)[0]  # our own script and style, never a run's text
    )
    return environment


def _title(source: Source | Sequence[Source]) -> str:
    sources = [source] if isinstance(source, str | os.PathLike) else list(source)
    return ", ".join(os.fspath(each) for each in sources)


def _columns(runs: pd.DataFrame) -> list[str]:
    names = [name for name in COLUMNS if name in runs]
    return [*names, *(name for name in score_names(runs) if runs[name].notna().any())]


def _rows(runs: pd.DataFrame) -> list[dict[str, Any]]:
    """For each run its name, its anchor, and a cell a column: what is shown, and what is sorted."""
    names = _columns(runs)
    return [
        {
            "run": str(row["run"]),
            "anchor": f"run-{number}",
            "state": str(row["state"]),
            "cells": [_cell(row[name]) for name in names],
        }
        for number, (_, row) in enumerate(runs.iterrows())
    ]


def _cell(value: Any) -> dict[str, Any]:
    if value is None or value != value:
        return {"text": "", "sort": "", "number": False}
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return {"text": f"{value:.4g}" if number else str(value), "sort": value, "number": number}
