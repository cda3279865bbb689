# SPDX-License-Identifier: Apache-2.0
"""How a trial stands, from its run directory and from what its workers noted."""

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, cast, get_args

from disent.documents import read_text
from disent.files import write_text
from disent.launch.sweep.file import Metric
from disent.runs.directory import RunDir

State = Literal["waiting", "finished", "stopped", "failed"]


@dataclass(frozen=True)
class Outcome:
    """How a trial ended, or that it has not.

    Attributes:
        state: waiting (also: interrupted), finished, stopped (given up early), or failed.
        reason: Why, in words.
        seconds: Of work, all attempts together, as far as it is known.
    """

    state: State
    reason: str = ""
    seconds: float = 0.0


class Outcomes:
    """The outcomes of one sweep's trials: NAME.json in a folder, one writer at a time by lease.

    Args:
        folder: For the notes.
        runs: The folder of run directories.
        length: Steps that a finished run must have been meant to take; None: whatever it was.
    """

    def __init__(self, folder: Path, runs: Path, length: int | None = None) -> None:
        self.folder, self.runs, self.length = folder, runs, length

    def read(self, name: str) -> Outcome:
        """The outcome of a trial. A finished run is finished, whoever ran it."""
        file = self.folder / f"{name}.json"
        noted = RunDir(self.folder).read_json(file)
        seconds, state = noted.get("seconds", 0.0), noted.get("state", "waiting")
        reason = noted.get("reason", "")
        if (
            state not in get_args(State)
            or not isinstance(reason, str)
            or not isinstance(seconds, int | float)
        ):
            raise ValueError(f"{file} is no note of a trial. It was changed: move it away.")
        status = RunDir(self.runs / name).status()
        if status.get("state") == "finished":
            meant = status.get("max_steps")
            shorter = self.length is not None and meant is not None and meant < self.length
            return Outcome("waiting" if shorter else "finished", seconds=seconds)
        return Outcome(cast(State, state), reason, float(seconds))

    def write(self, name: str, outcome: Outcome) -> None:
        """Notes an outcome."""
        text = json.dumps(outcome.__dict__, indent=2) + "\n"
        write_text(self.folder / f"{name}.json", text)


def last_value(run: RunDir, metric: Metric) -> float | None:
    """A trial's value of the sweep's metric: its score, else the last logged value; or None."""
    score = run.read_scores().get("scores", {}).get(metric.name)
    if score is not None and score["value"] is not None:
        return float(score["value"])
    history = logged_values(run, metric)
    return history[-1] if history else None


def logged_values(run: RunDir, metric: Metric) -> list[float]:
    """Every logged value of the metric, in order; of metrics.csv, or of evaluations.csv."""
    for file in (run.metrics, run.evaluations):
        if not file.exists():
            continue
        header, *rows = read_text(file).splitlines() or [""]
        columns = header.split(",")
        if metric.name in columns:
            at = columns.index(metric.name)
            cells = [row.split(",") for row in rows]
            try:
                return [float(row[at]) for row in cells if len(row) == len(columns)]
            except ValueError as error:
                raise ValueError(f"{file} has no numbers in {metric.name}: {error}") from None
    return []


def last_step(run: RunDir) -> int | None:
    """The last logged step of a run; None before the first."""
    steps = logged_values(run, Metric("step"))
    return int(steps[-1]) if steps and math.isfinite(steps[-1]) else None
