# SPDX-License-Identifier: Apache-2.0
"""Reads a W&B sweep file: what is swept, how, towards what, and by which command."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from disent.documents import read_yaml
from disent.launch.sweep.parameters import Parameter

LENGTH = "trainer.max_steps"
METHODS = ("grid", "random", "bayes")
KEYS = {
    "name", "description", "project", "entity", "program", "method", "metric", "parameters",
    "command", "early_terminate", "run_cap",
}  # fmt: skip
COMMAND = ("${env}", "${interpreter}", "${program}", "${args}")


@dataclass(frozen=True)
class Metric:
    """What a sweep aims at: a logged value or a score, and where it should go."""

    name: str
    goal: Literal["minimize", "maximize"] = "minimize"


@dataclass(frozen=True)
class Hyperband:
    """When a run is given up: at `brackets`, unless it is among the best 1/eta that came so far.

    Attributes:
        brackets: Counts of logged values of the metric, rising.
        eta: What is kept of the runs at a bracket is one in eta.
    """

    brackets: tuple[int, ...]
    eta: float = 3.0


@dataclass(frozen=True)
class Sweep:
    """A sweep file.

    Attributes:
        name: The file's own `name:`, or the file's name.
        method: grid, random or bayes.
        parameters: In the order of the file.
        command: What starts a run, with W&B's macros.
        program: For the macro ${program}.
        metric: None if the file names none.
        early: When runs are stopped early; None: never.
        cap: At most so many runs; None: no limit.
    """

    name: str
    method: str
    parameters: tuple[Parameter, ...]
    command: tuple[str, ...] = COMMAND
    program: str = ""
    metric: Metric | None = None
    early: Hyperband | None = None
    cap: int | None = None

    @property
    def length(self) -> int | None:
        """The steps of every run, where the file fixes them for all."""
        fixed = [p.values[0] for p in self.parameters if p.name == LENGTH and not p.varies]
        return fixed[0] if fixed and isinstance(fixed[0], int) else None


def read_sweep(path: str | os.PathLike[str]) -> Sweep:
    """Reads and checks a sweep file.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: It is no sweep; the message says which entry is wrong, and what is wanted.
    """
    file = Path(path)
    if not file.is_file():
        raise FileNotFoundError(
            f"there is no sweep file {file}. Those of the project are in sweeps/."
        )
    content = read_yaml(file)
    try:
        return _sweep(content, file.stem)
    except ValueError as error:
        raise ValueError(f"{file}: {error}") from None


def _sweep(content: Any, stem: str) -> Sweep:
    if not isinstance(content, dict) or not isinstance(content.get("parameters"), dict):
        raise ValueError("a sweep file wants method: and parameters:, as W&B describes them.")
    unknown = sorted(map(str, set(content) - KEYS))
    if unknown:
        raise ValueError(
            f"unknown entry {', '.join(unknown)}. Known are: {', '.join(sorted(KEYS))}."
        )
    name = str(content.get("name") or stem)
    if name.startswith("/") or {"..", ""} & set(Path(name).parts or ("",)) or "\0" in name:
        raise ValueError(f"name is {name!r}, but a name for a folder of notes is wanted.")
    method = content.get("method")
    if method not in METHODS:
        raise ValueError(f"method is {method!r}, but one of {', '.join(METHODS)} is wanted.")
    parameters = tuple(Parameter.read(str(k), v) for k, v in content["parameters"].items())
    if not parameters:
        raise ValueError("parameters: is empty, so there is nothing to sweep.")
    command = _command(content.get("command", COMMAND))
    if "command" not in content and content.get("program") == "disent":
        raise ValueError(
            "it has no command:, by which W&B would start Python with a file. Add "
            'command: ["${env}", "${program}", fit, --config, quickstart, "${args}"], and '
            "program: disent."
        )
    words = [item.lstrip("-").partition("=")[0] for item in command if item.startswith("--")]
    if "again" in (*words, *(p.name for p in parameters)):
        raise ValueError(
            "again is an option of the sweep, but a trial that is resumed would start from zero "
            "each time. To run the sweep anew, give it another name:, or another folder: --runs."
        )
    metric, cap = _metric(content.get("metric")), content.get("run_cap")
    if cap is not None and (not isinstance(cap, int) or cap < 1):
        raise ValueError(f"run_cap is {cap!r}, but a whole number from 1 on is wanted.")
    if metric is None and (method == "bayes" or "early_terminate" in content):
        raise ValueError("method: bayes and early_terminate: need a metric: with name: and goal:.")
    return Sweep(
        name=name,
        method=method,
        parameters=parameters,
        command=command,
        program=str(content.get("program") or ""),
        metric=metric,
        early=_early(content.get("early_terminate")),
        cap=cap,
    )


def _metric(entry: Any) -> Metric | None:
    if entry is None:
        return None
    goal = entry.get("goal", "minimize") if isinstance(entry, dict) else None
    if not isinstance(entry, dict) or "name" not in entry or goal not in ("minimize", "maximize"):
        raise ValueError(
            f"metric is {entry!r}, but name: and goal: minimize or maximize are wanted."
        )
    return Metric(str(entry["name"]), goal)


def _command(entry: Any) -> tuple[str, ...]:
    if isinstance(entry, str):
        entry = entry.split()
    if not isinstance(entry, Sequence) or "${args}" not in entry:
        raise ValueError(f"command is {entry!r}, but a list with the item ${{args}} is wanted.")
    return tuple(str(item) for item in entry)


def _early(entry: Any) -> Hyperband | None:
    """W&B's two spellings: min_iter (brackets min_iter * eta^k) and max_iter with s."""
    if entry is None:
        return None
    if not isinstance(entry, dict) or entry.get("type") != "hyperband":
        raise ValueError(f"early_terminate is {entry!r}, but type: hyperband is wanted.")
    eta = entry.get("eta", 3)
    if not isinstance(eta, int | float) or not 1 < eta <= 1000:
        raise ValueError(f"early_terminate: eta is {eta!r}, but a number above 1 is wanted.")
    if not isinstance(entry.get("s", 1), int) or entry.get("s", 1) > 20:
        raise ValueError(
            f"early_terminate: s is {entry['s']!r}, but 20 brackets at most are wanted."
        )
    if isinstance(entry.get("min_iter"), int) and entry["min_iter"] > 0:
        brackets = [int(entry["min_iter"] * eta**k) for k in range(20)]
    elif isinstance(entry.get("max_iter"), int) and isinstance(entry.get("s", 1), int):
        brackets = [int(entry["max_iter"] / eta**k) for k in range(entry.get("s", 1), 0, -1)]
    else:
        raise ValueError("early_terminate: hyperband wants min_iter:, or max_iter: and s:, > 0.")
    return Hyperband(tuple(sorted({b for b in brackets if b > 0})), float(eta))
