# SPDX-License-Identifier: Apache-2.0
"""One HTML file about many runs: no server, no network, nothing beside it."""

import os
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from disent import __version__
from disent.files import write_text
from disent.report.bars import Bars, bars_of
from disent.report.charts import charts
from disent.report.columns import page_data
from disent.report.library import drawing_script
from disent.report.parallel import drawn_runs, run_sections
from disent.report.ramp import Ramp, ramp_of
from disent.report.run_section import as_json
from disent.report.summary import summarise
from disent.runs import load_runs, with_families
from disent.runs.table import Source

DRAWN = 300  # runs whose curves and pictures the page holds: the others would make it slow to open


def write_report(
    source: Source | Sequence[Source], file: str | os.PathLike[str], *, drawn: int = DRAWN
) -> int:
    """Writes the report of the runs in `source` to `file`; returns how many runs it tells of.

    The page holds all that it shows: a summary, a table to sort and filter, figures over the runs,
    and a section a run with curves, scores, information matrix, and traversals with sliders. All
    that comes from the runs is escaped.

    Args:
        source: As for `disent.runs.load_runs`.
        file: Replaced whole, in one step.
        drawn: So many runs have curves and pictures at most: one of each setting first, then a
            second of each, and so on.
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
    numbers = drawn_runs(runs, drawn)
    data, bars, ramp = _told(runs)
    data |= {
        "drawn": numbers,
        "undrawn": f"The page draws {len(numbers)} of its {len(runs)} runs. To see this one's "
        "curves and pictures, report on its folder alone, or give --drawn a larger number.",
    }
    text = (
        _environment()
        .get_template("page.html")
        .render(
            title=_title(source),
            made=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
            version=__version__,
            summary=summarise(runs),
            states=sorted(set(runs["state"])),
            data=data,
            data_text=as_json(data),
            bars=bars,
            ramp=ramp,
            library=Markup(drawing_script()),  # a library's own script, never a run's text
            runs=run_sections(runs, numbers),
        )
    )
    write_text(Path(file), text)
    return len(runs)


def _told(runs: pd.DataFrame) -> tuple[dict[str, Any], list[Bars], Ramp | None]:
    """The table for the page's script, with its figures; what is computed of the finished runs."""
    data = page_data(runs)
    finished = runs[runs["state"].eq("finished")]
    several = len(finished) > 1
    bars = bars_of(finished, data["scores"], data["groups"].get("settings", [])) if several else []
    data |= {
        "several": several,
        "charts": charts(),
        "bars": {each.id: asdict(each) for each in bars},
    }
    return data, bars, ramp_of(finished) if several else None


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
