# SPDX-License-Identifier: Apache-2.0
"""What the report says of one run."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
from markupsafe import Markup

from disent import figures
from disent.report.frames import Frames, frames_of
from disent.report.svg import svg
from disent.runs import RunDir, followed_factors
from disent.runs.rows import FAILURES

LEFT_OUT = ("trainer.", "provenance.", "pictures.", "wandb.")  # of the config: not about the model
PARTS = ("value", "spread", "untrained", "pca", "chance")


@dataclass
class RunSection:
    """One run, ready for the template; what could not be read is in `missing`."""

    anchor: str
    name: str
    state: str
    reason: str
    settings: dict[str, str] = field(default_factory=dict)
    scores: list[dict[str, str]] = field(default_factory=list)
    matrix: list[tuple[str, list[float]]] = field(default_factory=list)
    latents: list[str] = field(default_factory=list)
    curves: Markup | None = None
    frames: Frames | None = None
    missing: list[str] = field(default_factory=list)


def run_section(row: dict[str, Any], anchor: str) -> RunSection:
    """The section of one row of `load_runs`.

    Args:
        row: The run's columns.
        anchor: The section's id in the page.
    """
    texts = (str(row.get(name, "")) for name in ("run", "state", "reason"))
    section = RunSection(anchor, *texts, settings=_settings(row))
    folder = RunDir(Path(str(row["path"])))
    if not folder.path.is_dir():
        section.missing.append("its folder is not at hand: curves and pictures are left out")
        return section
    try:
        logged = pd.read_csv(folder.metrics) if folder.metrics.exists() else pd.DataFrame()
        if logged.empty:
            section.missing.append("no step was logged")
        else:
            section.curves = svg(figures.curves(logged), f"training curves of {section.name}")
        _add_scores(section, folder)
    except FAILURES as error:
        section.missing.append(f"{type(error).__name__}: {error}")
    return section


def _add_scores(section: RunSection, folder: RunDir) -> None:
    """Scores beside their baselines, the information matrix, and the traversals."""
    record = folder.read_scores()
    if not record.get("information"):
        section.missing.append("not evaluated: disent evaluate RUN gives scores and traversals")
        return
    section.scores = [
        {"name": name, "variant": str(score.get("variant", ""))}
        | {part: _number(score.get(part)) for part in PARTS}
        for name, score in record["scores"].items()
    ]
    shares = [
        [value / entropy if entropy else 0.0 for value in values]
        for values, entropy in zip(record["information"], record["factor_entropy"], strict=True)
    ]
    section.matrix = list(zip(record["factors"], shares, strict=True))
    section.latents = [f"z{latent}" for latent in range(len(record["rates"]))]
    section.frames = frames_of(folder.path, record["rates"], followed_factors(record))


def _settings(row: dict[str, Any]) -> dict[str, str]:
    """The settings that say what the run is: of the model, its data, how it was fed and scored."""
    return {
        name: str(value)
        for name, value in row.items()
        if name.split(".")[0] in ("model", "data", "loader", "evaluate", "seed", "trainer")
        and (not name.startswith(LEFT_OUT) or name in ("trainer.max_steps", "trainer.precision"))
        and not (isinstance(value, float) and value != value)
        and value is not None
    }


def _number(value: Any) -> str:
    return f"{value:.3f}" if isinstance(value, int | float) else ""
