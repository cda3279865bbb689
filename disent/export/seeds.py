# SPDX-License-Identifier: Apache-2.0
"""What runs of other seeds add to a model card: how far the scores of one setting reach."""

from collections.abc import Iterator, Sequence
from typing import Any

from disent.runs.build import FILLED
from disent.runs.run import Run
from disent.runs.statistics import mean_interval

TRAINED = ("max_steps", "precision", "accumulate_grad_batches", "gradient_clip_val")
ONE_SEED = """\
It is one seed. Seeds of one setting differ in a score by as much as settings do: judge a setting
  by several of them."""
SEVERAL = """\
The model is that of one seed; how far the others are from it is told above. The interval of so few
  is too narrow."""


def check_seeds(run: Run, others: Sequence[Run]) -> None:
    """Asks whether runs differ in their seed alone, and are scored alike.

    Raises:
        ValueError: One is of another setting, of a seed that is there already, has no scores, or
            they are of other pictures or another step.
    """
    if not others:
        return
    seeds = {run.config.get("seed_everything"): run.path}
    own = _scored(run)
    for other in others:
        mine, its = _setting(run), _setting(other)
        if differ := [key for key in mine | its if mine.get(key) != its.get(key)]:
            raise ValueError(
                f"{other.path} is no other seed of {run.path}: they differ in {', '.join(differ)}. "
                "Give runs that differ in --seed_everything alone."
            )
        seed = other.config.get("seed_everything")
        if seed in seeds:
            raise ValueError(f"{other.path} and {seeds[seed]} are both of seed {seed}. Give one.")
        if other_ways := [key for key, value in _scored(other).items() if value != own[key]]:
            raise ValueError(
                f"{other.path} and {run.path} were scored in other ways: they differ in "
                f"{', '.join(other_ways)}. Score both by one disent evaluate."
            )
        seeds[seed] = other.path


def seeds_table(run: Run, others: Sequence[Run]) -> Iterator[str]:
    """Lines in Markdown: of each score its mean, its interval and every seed's value."""
    runs = sorted((run, *others), key=lambda each: int(each.config["seed_everything"]))
    seeds = ", ".join(str(each.config["seed_everything"]) for each in runs)
    yield f"Seeds {seeds}, the scores of each; 95 % interval of the mean, of bootstrap resamples.\n"
    yield "| score | mean | interval | seeds |"
    yield "|---|---|---|---|"
    records = [each.directory.read_scores()["scores"] for each in runs]
    for name in dict.fromkeys(name for record in records for name in record):
        values = [record.get(name, {}).get("value") for record in records]
        known = [float(value) for value in values if value is not None]
        mean, low, high, _ = mean_interval(known)
        told = [f"{value:.3f}" for value in (mean, low, high)] if known else ["", "", ""]
        each = ", ".join("none" if value is None else f"{value:.3f}" for value in values)
        yield f"| {name} | {told[0]} | {told[1]} to {told[2]} | {each} |"


def _scored(run: Run) -> dict[str, Any]:
    """On what a run was scored; ValueError where it was not."""
    record = run.directory.read_scores()
    if not record.get("scores"):
        raise ValueError(f"{run.path} was not scored: disent evaluate {run.path}")
    return {key: record.get(key) for key in ("step", "points", "fingerprint")}


def _setting(run: Run) -> dict[str, Any]:
    """What makes a run one of a setting: all but its seed, and what follows from seed or data."""
    config = run.config
    given = (config.get("model") or {}).get("init_args") or {}
    return {
        "model": (config.get("model") or {}).get("class_path"),
        **{f"model.{name}": value for name, value in given.items() if name not in FILLED},
        "data": config.get("data"),
        "loader": config.get("loader"),
        **{f"trainer.{name}": (config.get("trainer") or {}).get(name) for name in TRAINED},
        "init_from": config.get("init_from"),
        "fast": bool(config.get("fast")),
    }
