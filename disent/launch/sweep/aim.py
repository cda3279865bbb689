# SPDX-License-Identifier: Apache-2.0
"""Whether the metric that a sweep aims at is one that its runs have, and in which direction."""

import ast
import difflib
from collections.abc import Sequence
from pathlib import Path

import disent
from disent.launch.sweep.file import Sweep
from disent.runs.directions import LESS

OPTION = "evaluate.metrics"
LOGGED = ("loss", "elbo", "rate", "distortion", "active_latents")  # of every model with a code
USUAL = ("mig", "beta_vae_score")  # what a run is scored by where nothing is said


def doubts(sweep: Sweep, extra: Sequence[str] = ()) -> list[str]:
    """What looks wrong with a sweep's metric before it starts, each in a line.

    Args:
        sweep: Whose metric it is; one of the user's own that no score is called is not doubted.
        extra: More options of every run.
    """
    if sweep.metric is None:
        return []
    name, goal, found = sweep.metric.name, sweep.metric.goal, list[str]()
    score, known = name.partition(".")[0], score_names()
    if score not in known and name not in LOGGED:
        near = difflib.get_close_matches(name, [*known, *LOGGED], n=1, cutoff=0.7)
        found += [f"metric: is {name}, which no run logs: did you mean {near[0]}?"] if near else []
    scored = _scored(sweep, extra)
    if score in known and scored is not None and score not in scored and "all" not in scored:
        found.append(
            f"metric: is {name}, but the runs are scored by {', '.join(scored)}: add {score} to "
            f"{OPTION}"
        )
    better = "minimize" if score in LESS else "maximize"
    if (score in known or score in LESS or name == "elbo") and goal != better:
        found.append(f"goal: is {goal}, but {name} is better the other way: {better}")
    return found


def score_names() -> list[str]:
    """The names of `disent.metrics`, without loading what they need."""
    room = Path(disent.__file__).parent / "metrics" / "__init__.py"
    for node in ast.parse(room.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            return ast.literal_eval(node.value)
    return []


def _scored(sweep: Sweep, extra: Sequence[str]) -> list[str] | None:
    """The scores of the runs; None where they vary."""
    given = [p for p in sweep.parameters if p.name == OPTION]
    if any(p.varies for p in given):
        return None
    values = [p.values[0] for p in given if p.values]
    words = [*sweep.command, *extra]
    for word, following in zip(words, [*words[1:], ""], strict=True):
        option, equals, value = word.partition("=")
        if option == f"--{OPTION}":
            values.append(value if equals else following)
    if not values:
        return list(USUAL)
    last = values[-1]
    return [
        str(n).strip("[]'\" ") for n in (last if isinstance(last, list) else str(last).split(","))
    ]
