# SPDX-License-Identifier: Apache-2.0
"""Whether a folder holds the run that a config describes, and whether that is done."""

import inspect
import pydoc
from collections.abc import Mapping
from typing import Any

from disent.runs.build import FILLED
from disent.runs.directory import RunDir

COMPARED = ("model", "data", "loader", "trainer", "seed_everything", "fast")
PLACES = ("accelerator", "devices", "num_nodes", "strategy", "plugins")  # where, not what

Config = dict[str, Any]


def is_finished(folder: RunDir, config: Config) -> bool:
    """Whether the run is done; raises ValueError if the folder holds a run with other settings."""
    if folder.config.exists() and not config["again"]:
        changed = differences(_compared(folder.read_config()), _compared(config))
        if changed:
            raise ValueError(
                f"{folder.path} holds a run with other settings: {'; '.join(changed)}. "
                "Name another run with --run, or start this one anew with --again true."
            )
    return folder.status().get("state") == "finished"


def differences(old: Config, new: Config, prefix: str = "") -> list[str]:
    """The settings in which two configs differ, as 'model.init_args.beta: 4.0 -> 8.0'."""
    found = []
    for key in sorted(old.keys() | new.keys()):
        a, b = old.get(key), new.get(key)
        if isinstance(a, dict) and isinstance(b, dict):
            found += differences(a, b, f"{prefix}{key}.")
        elif a != b:
            found.append(f"{prefix}{key}: {a} -> {b}")
    return found


def _compared(config: Config) -> Config:
    """What makes a run another run; on how many devices it runs does not."""
    compared = {key: config.get(key) for key in COMPARED}
    compared["fast"] = bool(compared["fast"])  # runs of older versions do not say
    trainer = compared["trainer"] or {}
    kept = {name: value for name, value in trainer.items() if name not in PLACES}
    return {**compared, "model": _whole(compared["model"]), "trainer": kept}


def _whole(section: Any) -> Any:
    """A class and its arguments, with the defaults of those that an older version did not know.

    What follows from data and seed is left out: these are compared themselves.
    """
    if not isinstance(section, Mapping) or "class_path" not in section:
        return section
    given = {name: _whole(value) for name, value in (section.get("init_args") or {}).items()}
    given = _defaults(pydoc.locate(section["class_path"])) | given
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
