# SPDX-License-Identifier: Apache-2.0
"""What the report draws of one run; its scores and settings are columns of the page's table."""

import json
import math
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from markupsafe import Markup

from disent.figures.logged import Panel, panels
from disent.report.frames import Frames, frames_of
from disent.report.gallery import Picture, family_figures
from disent.runs import RunDir, followed_factors, load_histories
from disent.runs.rows import FAILURES

STEPS = 120  # of a curve in the page: more cannot be told apart in a panel


@dataclass
class RunSection:
    """One run, ready for the template; what could not be read is in `missing`."""

    number: int
    name: str
    matrix: list[tuple[str, list[float]]] = field(default_factory=list)
    latents: list[str] = field(default_factory=list)
    curves: Markup | None = None
    frames: Frames | None = None
    pictures: list[Picture] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)


def run_section(row: dict[str, Any], number: int) -> RunSection:
    """The section of one row of `load_runs`.

    Args:
        row: The run's columns.
        number: Of the run in the page.
    """
    section = RunSection(number, str(row.get("run", "")))
    for add in (_add_curves, _add_pictures):
        try:
            add(section, str(row["path"]))
        except FAILURES as error:
            section.missing.append(f"{type(error).__name__}: {error}")
    return section


def as_json(value: Any) -> Markup:
    """JSON that can stand in an element of a page: nothing in it ends the element."""
    text = json.dumps(value, separators=(",", ":"), allow_nan=False)
    return Markup(text.replace("<", "\\u003c"))


def thinned(panel: Panel, across: str = "step") -> dict[str, Any]:
    """A panel for the page: some steps of its lines, and four digits of each value."""
    once = {name: s[~s.index.duplicated(keep="last")] for name, s in panel.lines.items()}
    table = pd.DataFrame(once).sort_index()
    kept = set(np.linspace(0, len(table) - 1, min(STEPS, len(table))).round().astype(int))
    for name in [name for name in table if table[name].notna().sum() <= STEPS]:
        kept |= set(np.flatnonzero(table[name].notna()))  # of a few scores, none is left out
    table = table.iloc[sorted(kept)]
    lines = {
        str(name): [float(f"{v:.4g}") if math.isfinite(v) else None for v in values]
        for name, values in table.items()
    }
    steps = [float(f"{step:.6g}") for step in table.index]
    told = {"title": panel.title, "unit": panel.unit, "log": panel.log, "across": across}
    return told | {"step": steps, "lines": lines}


def _add_curves(section: RunSection, path: str) -> None:
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        logged = load_histories(path)
    section.missing += [str(warning.message) for warning in said]
    drawn = [] if logged.empty else panels(logged)
    if drawn:
        section.curves = as_json([thinned(panel) for panel in drawn])
    else:
        section.missing.append("no step was logged")


def _add_pictures(section: RunSection, path: str) -> None:
    """The figures of its family, the information matrix, and the traversals."""
    folder = RunDir(Path(path))
    record = folder.read_scores()
    if not folder.config.exists():
        section.missing.append("from W&B: no information matrix and no weights, so no traversals")
        return
    section.pictures, untaken = family_figures(folder.path / "figures")
    section.missing += untaken
    if "rates" not in record or "factors" not in record:
        section.missing.append("not evaluated: disent evaluate RUN gives scores and traversals")
        return
    factors: dict[int, str] = {}
    if record["factors"]:
        shares = [
            [value / entropy if entropy else 0.0 for value in values]
            for values, entropy in zip(record["information"], record["factor_entropy"], strict=True)
        ]
        section.matrix = list(zip(record["factors"], shares, strict=True))
        section.latents = [f"z{latent}" for latent in range(len(shares[0]))]
        # without rates, no latent is drowned by noise
        rates = record["rates"] or [math.inf] * len(shares[0])
        factors = followed_factors({**record, "rates": rates})
    section.frames = frames_of(folder.path, record, factors)
