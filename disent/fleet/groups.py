# SPDX-License-Identifier: Apache-2.0
"""Which trials of a sweep can be trained together, and why the others cannot."""

import inspect
import json
import os
import pydoc
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from disent.config.compare import is_finished
from disent.config.parser import TRAINER_DEFAULTS
from disent.fleet.stack import overridden
from disent.launch.sweep.file import Sweep
from disent.launch.sweep.trials import Trial, local_command
from disent.models.base import Model
from disent.models.vae import VAE
from disent.runs.directory import RunDir
from disent.training.start import read

FREE = {  # options of the trainer that a fleet obeys as a run alone does
    "accelerator", "max_steps", "log_every_n_steps", "enable_progress_bar", "deterministic",
    "benchmark", "default_root_dir", "precision",
}  # fmt: skip
FULL = (None, 32, "32", "32-true")  # precisions that are float32
AFTERWARDS = ("evaluate", "pictures", "wandb", "logger", "provenance", "run", "runs", "again")


@dataclass(frozen=True)
class Planned:
    """A trial with its arguments of `disent fit`, and its config."""

    trial: Trial
    argv: list[str]
    config: dict[str, Any]


@dataclass
class Groups:
    """Trials that can be trained together.

    Attributes:
        together: Each of one network, batch size, dataset, length and so on.
        reasons: Why others cannot -> their names.
    """

    together: list[list[Planned]] = field(default_factory=list)
    reasons: dict[str, list[str]] = field(default_factory=dict)


def plan(
    sweep: Sweep,
    trials: Iterable[Trial],
    runs: Path,
    extra: Sequence[str],
    stopping: Callable[[], bool] = lambda: False,
) -> Groups:
    """Groups trials by what members of a fleet must share; no more of them once `stopping`."""
    found, groups = Groups(), dict[str, list[Planned]]()
    for trial in trials:
        if stopping():
            return Groups()
        try:
            planned = _read(sweep, trial, runs, extra)
            if is_finished(RunDir(runs / trial.name), planned.config):
                continue
            groups.setdefault(_shared(planned.config), []).append(planned)
        except (ValueError, OSError) as error:
            found.reasons.setdefault(str(error), []).append(trial.name)
    for group in groups.values():
        if len(group) > 1:
            found.together.append(group)
        else:
            reason = "nothing else has its network, data, length and optimizer"
            found.reasons.setdefault(reason, []).append(group[0].trial.name)
    return found


def _read(sweep: Sweep, trial: Trial, runs: Path, extra: Sequence[str]) -> Planned:
    """The trial's config; raises ValueError, with the reason, if no fleet can train it."""
    if sweep.method == "bayes" or sweep.early is not None:
        raise ValueError("which runs come next, or go on, depends on the results of others")
    words = local_command(sweep, trial, str(runs), extra)
    if words[1:4] != ["-m", "disent", "fit"]:
        raise ValueError("its command is not `disent fit`")
    argv = words[4:]
    told = read(argv)
    config = told.dump()
    if config["fast"]:
        raise ValueError("it has --fast, which counts its steps in another way")
    defaults = {**told.trainer_defaults(), **TRAINER_DEFAULTS}
    for name, value in config["trainer"].items():
        if name not in FREE and value != defaults.get(name):
            raise ValueError(f"it has --trainer.{name} {value}")
    if config["trainer"]["precision"] not in FULL:
        raise ValueError(f"its precision is {config['trainer']['precision']}")
    for part in ("evaluate", "pictures"):
        if config[part]["every_n_steps"]:
            raise ValueError(f"it has --{part}.every_n_steps")
    if config["pictures"]["film_every_n_steps"]:
        raise ValueError("it has --pictures.film_every_n_steps")
    if config["logger"] == "wandb" or (config["logger"] is None and "WANDB_SWEEP_ID" in os.environ):
        raise ValueError("it is logged to W&B while it trains")
    for option in ("again", "init_from"):
        if config[option]:
            raise ValueError(f"it has --{option}")
    model = pydoc.locate(config["model"]["class_path"])
    if not (isinstance(model, type) and issubclass(model, Model)):
        raise ValueError("its model is no disent.models.base.Model")
    if own := overridden(model):
        raise ValueError(f"its model has its own {', '.join(own)}")
    return Planned(trial, argv, config)


def _shared(config: dict[str, Any]) -> str:
    """What the members of a fleet have in common: all but objective, seed and what comes after.

    Models of several classes go together where a step of theirs is made of the same updates.
    """
    common = set(inspect.signature(VAE).parameters) - {"objective", "seed"}
    kind: Any = pydoc.locate(config["model"]["class_path"])
    arguments = config["model"].get("init_args") or {}
    model = {name: value for name, value in arguments.items() if name in common}
    changed = arguments.get("changed_factors", kind.changed_factors)
    model["step"] = [kind.updates, kind.views, kind.labels, changed]
    if kind.draws is not VAE.draws:  # how much is drawn may depend on any of its arguments
        sized = {name: value for name, value in arguments.items() if name != "seed"}
        model["drawn"] = [kind.__qualname__, sized]
    dropped = ("seed_everything", "model", *AFTERWARDS)
    rest = {name: value for name, value in config.items() if name not in dropped}
    return json.dumps({"model": model, **rest}, sort_keys=True, default=str)
