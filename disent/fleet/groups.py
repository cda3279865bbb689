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

from disent.cli.fit import is_finished, read_config
from disent.config.parser import TRAINER_DEFAULTS
from disent.fleet.stack import overridden
from disent.launch.sweep.file import Sweep
from disent.launch.sweep.trials import Trial, local_command
from disent.models import VAE
from disent.runs.directory import RunDir

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
class Flights:
    """Trials that can be trained together.

    Attributes:
        groups: Each of one network, batch size, dataset, length and so on.
        reasons: Why others cannot -> their names.
    """

    groups: list[list[Planned]] = field(default_factory=list)
    reasons: dict[str, list[str]] = field(default_factory=dict)


def plan(
    sweep: Sweep,
    trials: Iterable[Trial],
    runs: Path,
    extra: Sequence[str],
    stopping: Callable[[], bool] = lambda: False,
) -> Flights:
    """Groups trials by what members of a fleet must share; no more of them once `stopping`."""
    flights, groups = Flights(), dict[str, list[Planned]]()
    for trial in trials:
        if stopping():
            return Flights()
        try:
            planned = _read(sweep, trial, runs, extra)
            if is_finished(RunDir(runs / trial.name), planned.config):
                continue
            groups.setdefault(_shared(planned.config), []).append(planned)
        except ValueError as error:
            flights.reasons.setdefault(str(error), []).append(trial.name)
    for group in groups.values():
        if len(group) > 1:
            flights.groups.append(group)
        else:
            reason = "nothing else has its network, data, length and optimizer"
            flights.reasons.setdefault(reason, []).append(group[0].trial.name)
    return flights


def _read(sweep: Sweep, trial: Trial, runs: Path, extra: Sequence[str]) -> Planned:
    """The trial's config; raises ValueError, with the reason, if no fleet can train it."""
    if sweep.method == "bayes" or sweep.early is not None:
        raise ValueError("which runs come next, or go on, depends on the results of others")
    words = local_command(sweep, trial, str(runs), extra)
    if words[1:4] != ["-m", "disent", "fit"]:
        raise ValueError("its command is not `disent fit`")
    argv = words[4:]
    cli, config = read_config(argv)
    if config["fast"]:
        raise ValueError("it has --fast, which counts its steps in another way")
    defaults = {**vars(cli.parser.get_defaults().trainer), **TRAINER_DEFAULTS}
    for name, value in config["trainer"].items():
        if name not in FREE and value != defaults.get(name):
            raise ValueError(f"it has --trainer.{name} {value}")
    if config["trainer"]["precision"] not in FULL:
        raise ValueError(f"its precision is {config['trainer']['precision']}")
    for part in ("evaluate", "pictures"):
        if config[part]["every_n_steps"]:
            raise ValueError(f"it has --{part}.every_n_steps")
    if config["logger"] == "wandb" or (config["logger"] is None and "WANDB_SWEEP_ID" in os.environ):
        raise ValueError("it is logged to W&B while it trains")
    if config["again"]:
        raise ValueError("it has --again")
    model = pydoc.locate(config["model"]["class_path"])
    if not (isinstance(model, type) and issubclass(model, VAE)):
        raise ValueError("its model is no VAE")
    if own := overridden(model):
        raise ValueError(f"its model has its own {', '.join(own)}")
    return Planned(trial, argv, config)


def _shared(config: dict[str, Any]) -> str:
    """What the members of a fleet have in common: all but objective, seed and what comes after."""
    common = set(inspect.signature(VAE).parameters) - {"objective", "seed"}
    arguments = config["model"].get("init_args") or {}
    model = {name: value for name, value in arguments.items() if name in common}
    dropped = ("seed_everything", "model", *AFTERWARDS)
    rest = {name: value for name, value in config.items() if name not in dropped}
    return json.dumps({"model": model, **rest}, sort_keys=True, default=str)
