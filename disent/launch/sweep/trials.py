# SPDX-License-Identifier: Apache-2.0
"""The trials of a sweep: which arguments, under which name, by which command."""

import hashlib
import itertools
import math
import random
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from disent.documents import parse_yaml
from disent.launch.sweep.file import Sweep

MOST = 1_000_000  # trials of a sweep
LONGEST = 120  # characters of a name; file systems stop at 255


@dataclass(frozen=True)
class Trial:
    """One run of a sweep.

    Attributes:
        index: Its number, from 0.
        name: Of its run directory; the same for the same arguments.
        arguments: Option of `disent fit` -> value.
    """

    index: int
    name: str
    arguments: Mapping[str, Any]


def list_trials(sweep: Sweep) -> list[Trial]:
    """Every trial of a grid or of random search: a function of the file alone.

    A grid runs through its parameters in the order of the file, the last one fastest. Random draws
    depend on sweep, number and parameter alone, so that a larger run_cap only adds trials.

    Raises:
        ValueError: The search has no end, or its trials depend on results.
    """
    if sweep.method == "bayes":
        raise ValueError(
            "the trials of method: bayes depend on results; they are not listed ahead."
        )
    if sweep.method == "grid":
        axes = [[(p.name, value) for value in p.grid()] for p in sweep.parameters]
        count = math.prod(map(len, axes))
        _check_count(sweep, count if sweep.cap is None else min(count, sweep.cap))
        points = [dict(point) for point in itertools.islice(itertools.product(*axes), sweep.cap)]
    elif sweep.cap is None:
        raise ValueError(
            f"sweep {sweep.name} draws at random without end. Add run_cap: 20, or another number."
        )
    else:
        _check_count(sweep, sweep.cap)
        points = [draw_arguments(sweep, index) for index in range(sweep.cap)]
    return [make_trial(sweep, index, point) for index, point in enumerate(points)]


def _check_count(sweep: Sweep, count: int) -> None:
    """Raises ValueError where a sweep has more trials than anybody can mean."""
    if count > MOST:
        raise ValueError(
            f"sweep {sweep.name} has {count:.3g} trials, but {MOST:,} at most are listed. Give its "
            "parameters fewer values, or a run_cap:."
        )


def draw_arguments(sweep: Sweep, index: int) -> dict[str, Any]:
    """The arguments of random trial number `index`."""
    return {
        p.name: p.quantile(random.Random(f"{sweep.name}/{index}/{p.name}").random())
        for p in sweep.parameters
    }


def make_trial(sweep: Sweep, index: int, arguments: Mapping[str, Any]) -> Trial:
    """A trial with its name: of the sweep, the number unless in a grid, and what varies."""
    varying = [p.name for p in sweep.parameters if p.varies]
    grid = sweep.method == "grid"  # else the number tells trials apart: a value may be rounded
    said = [_said(name, arguments[name], rounded=not grid) for name in varying]
    parts = [sweep.name, *([] if grid else [f"{index:03d}"])]
    name = re.sub(r"[^A-Za-z0-9.+-]+", "_", "-".join([*parts, *filter(None, said)])).strip(".-_")
    name = name or "trial"
    if len(name) > LONGEST or (grid and not all(said)):
        exact = "/".join(f"{key}={arguments[key]}" for key in varying)
        name = f"{name[: LONGEST - 9]}-{hashlib.sha256(exact.encode()).hexdigest()[:8]}"
    return Trial(index, name, dict(arguments))


def expand(sweep: Sweep, arguments: Mapping[str, Any]) -> list[str]:
    """The command of a trial, word for word as W&B's agent would start it."""
    given = [f"--{name}={value}" for name, value in arguments.items()]
    words: list[str] = []
    for item in sweep.command:
        words += {
            "${args}": given,
            "${env}": ["/usr/bin/env"],
            "${interpreter}": ["python"],
            "${program}": [sweep.program],
        }.get(item, [item])
    unknown = [word for word in words if word.startswith("${")]
    if unknown:
        raise ValueError(
            f"sweep {sweep.name}: its command has {', '.join(unknown)}, which only W&B's agent can "
            "fill in. Here, ${env}, ${interpreter}, ${program} and ${args} can be used."
        )
    return words


def local_command(sweep: Sweep, trial: Trial, runs: str, extra: Sequence[str] = ()) -> list[str]:
    """The same run by this Python and this installation, into its folder under `runs`.

    Args:
        sweep: Whose command it is.
        trial: What to run.
        runs: Folder of runs.
        extra: More options for every run.
    """
    words = expand(sweep, trial.arguments)
    words = words[1:] if words[0] == "/usr/bin/env" else words
    if words[0] == "disent":
        words = [sys.executable, "-m", "disent", *words[1:]]
    elif words[0] == "python":
        words = [sys.executable, *words[1:]]
    return [*words, *extra, "--runs", runs, "--run", trial.name]


def _said(option: str, value: Any, *, rounded: bool = False) -> str:
    """How an option and its value read in a name: beta4; a class as BetaVAE-beta4; levels6_4.

    Floats have four digits. Empty where that would not tell the value from every other, unless it
    may be `rounded`.
    """
    if (described := _class(value)) is not None:
        path, given = described
        knobs = [_said(name, item, rounded=rounded) for name, item in given.items()]
        return "-".join([path.rpartition(".")[2], *knobs]) if all(knobs) else ""
    last = "seed" if option == "seed_everything" else option.rpartition(".")[2]
    if isinstance(value, list) and len(value) > 1:  # of one: read like its item
        items = [_said("", item, rounded=rounded) for item in value]
        told = all(item and _is_plain(item) for item in items)
        return f"{last}{'_'.join(items)}" if told or rounded else ""
    short = f"{value:.4g}" if isinstance(value, float) else str(value)
    exact = float(short) == value if isinstance(value, float) else _is_plain(short)
    return f"{last}{short}" if exact or rounded else ""


def _class(value: Any) -> tuple[str, dict[str, Any]] | None:
    """A value such as {class_path: X, init_args: {}} in its two parts; None for any other."""
    if not isinstance(value, str) or not value.startswith("{"):
        return None
    try:
        content = parse_yaml(value)
    except ValueError:  # no affair of the name's: the run says what is wrong with it
        return None
    if not isinstance(content, dict) or not set(content) <= {"class_path", "init_args"}:
        return None
    path, given = content.get("class_path"), content.get("init_args") or {}
    return (path, given) if isinstance(path, str) and isinstance(given, dict) else None


def _is_plain(text: str) -> bool:
    return re.fullmatch(r"[A-Za-z0-9.+-]*", text) is not None
