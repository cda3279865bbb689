# SPDX-License-Identifier: Apache-2.0
"""What the report says of one run."""

import math
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from markupsafe import Markup

from disent import figures
from disent.report.frames import Frames, frames_of
from disent.report.gallery import Picture, family_figures
from disent.report.svg import svg
from disent.runs import RunDir, followed_factors, load_histories
from disent.runs.rows import FAILURES

LEFT_OUT = ("trainer.", "provenance.", "pictures.", "wandb.")  # of the config: not about the model
PARTS = ("spread", "untrained", "pca", "chance")


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
    pictures: list[Picture] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)


def run_section(row: dict[str, Any], anchor: str) -> RunSection:
    """The section of one row of `load_runs`.

    Args:
        row: The run's columns.
        anchor: The section's id in the page.
    """
    texts = (str(row.get(name, "")) for name in ("run", "state", "reason"))
    section = RunSection(anchor, *texts, settings=_settings(row))
    section.scores = _scores(row)
    for add in (_add_curves, _add_pictures):
        try:
            add(section, str(row["path"]))
        except FAILURES as error:
            section.missing.append(f"{type(error).__name__}: {error}")
    return section


def _scores(row: dict[str, Any]) -> list[dict[str, str]]:
    """Scores beside their baselines, wherever the run comes from."""
    names = [name.removesuffix(".variant") for name in row if name.endswith(".variant")]
    return [
        {"name": name, "variant": str(row[f"{name}.variant"]), "value": _number(row.get(name))}
        | {part: _number(row.get(f"{name}.{part}")) for part in PARTS}
        for name in names
        if _number(row.get(name))
    ]


def _add_curves(section: RunSection, path: str) -> None:
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        logged = load_histories(path)
    section.missing += [str(warning.message) for warning in said]
    if logged.empty:
        section.missing.append("no step was logged")
    else:
        section.curves = svg(figures.curves(logged), f"training curves of {section.name}")


def _add_pictures(section: RunSection, path: str) -> None:
    """The figures of its family, the information matrix, and the traversals."""
    folder = RunDir(Path(path))
    record = folder.read_scores()
    if not folder.config.exists():
        section.missing.append("from W&B: no information matrix and no weights, so no traversals")
        return
    section.pictures, untaken = family_figures(folder.figures)
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
    return f"{value:.3f}" if isinstance(value, int | float) and value == value else ""
