# SPDX-License-Identifier: Apache-2.0
"""Whether a folder holds the run that a config describes, and whether that is done."""

import copy
import inspect
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from disent.config.places import make_absolute
from disent.config.precision import PRESENT
from disent.runs.build import FILLED
from disent.runs.classes import find_class
from disent.runs.directory import RunDir

COMPARED = ("model", "data", "loader", "trainer", "seed_everything", "fast", "init_from")
PLACES = ("accelerator", "devices", "num_nodes", "strategy", "plugins")  # where, not what
LENGTH = ("max_steps", "max_time")  # how far, not what
SHOWN = ("log_every_n_steps", "enable_progress_bar", "enable_model_summary", "profiler")

Config = dict[str, Any]


def is_finished(folder: RunDir, config: Config) -> bool:
    """Whether the run is done as far as the config asks.

    A run that goes on may be longer than it was (LENGTH), logged, scored and drawn in another way,
    and in another place (PLACES); nothing else may change.

    Raises:
        ValueError: The folder holds a run with other settings, or one that has gone further.
    """
    status, steps = folder.status(), config["trainer"]["max_steps"]
    length = steps
    if folder.config.exists() and not config["again"]:
        length = (folder.read_config().get("trainer") or {}).get("max_steps", steps)
        if changed := changes(folder, config):
            raise ValueError(
                f"{folder.path} holds a run with other settings: {'; '.join(changed)}. A run that "
                "goes on may change its length, what is logged, scored and drawn, and where it "
                "runs. Name another run with --run, or start this one anew with --again true."
            )
        if (reached := status.get("step") or 0) > steps:
            raise ValueError(
                f"{folder.path} has gone to step {reached}, and is not cut back to {steps}. Say "
                "more of --trainer.max_steps, name another run with --run, or start this one anew "
                "with --again true."
            )
    return status.get("state") == "finished" and steps <= status.get("max_steps", length)


def changes(folder: RunDir, config: Config) -> list[str]:
    """What keeps the run in a folder from going on by a config; nothing where it may."""
    return differences(_compared(folder.read_config()), _compared(config))


def differences(old: Config, new: Config, prefix: str = "") -> list[str]:
    """The settings in which two configs differ, as 'model.init_args.beta: 4.0 -> 8.0'."""
    found = []
    for key in sorted(old.keys() | new.keys(), key=str):
        a, b = old.get(key), new.get(key)
        if isinstance(a, dict) and isinstance(b, dict):
            found += differences(a, b, f"{prefix}{key}.")
        elif a != b:
            found.append(f"{prefix}{key}: {a} -> {b}")
    return found


def _compared(config: Config) -> Config:
    """What makes a run another run; on how many devices it runs does not."""
    compared = {key: copy.deepcopy(config.get(key)) for key in COMPARED}
    for key in ("model", "data"):  # older versions kept paths as they were typed
        make_absolute(compared[key])
    compared["fast"] = bool(compared["fast"])  # runs of older versions do not say
    trainer = compared["trainer"] or {}
    kept = {
        name: value for name, value in trainer.items() if name not in (*PLACES, *LENGTH, *SHOWN)
    }
    if kept.get("precision") is not None:  # one that an older version kept under another name
        kept["precision"] = PRESENT.get(str(kept["precision"]), kept["precision"])
    return {**compared, "model": _whole(compared["model"]), "trainer": kept}


def _whole(section: Any) -> Any:
    """A class and its arguments, with the defaults of those that an older version did not know.

    What follows from data and seed is left out: these are compared themselves.
    """
    if not isinstance(section, Mapping) or "class_path" not in section:
        return section
    given = {name: _whole(value) for name, value in (section.get("init_args") or {}).items()}
    with suppress(ValueError):  # it cannot be found any more, which is said where it is made
        given = _defaults(find_class(section["class_path"])) | given
    kept = {name: value for name, value in given.items() if name not in FILLED}
    return {"class_path": section["class_path"], "init_args": kept}


def _defaults(kind: Any) -> dict[str, Any]:
    """Plain default values of a class's arguments, those handed on to its bases among them."""
    found: dict[str, Any] = {}
    for part in kind.__mro__ if isinstance(kind, type) else ():
        if "__init__" not in vars(part):
            continue
        parameters = inspect.signature(part.__init__).parameters.values()
        plain = {p.name: p.default for p in parameters if isinstance(p.default, PLAIN)}
        found = plain | found
        if not any(p.kind is p.VAR_KEYWORD for p in parameters):
            break  # it hands nothing on
    return found


PLAIN = (bool, int, float, str)
