# SPDX-License-Identifier: Apache-2.0
"""What a run is called."""

import hashlib
import inspect
import pydoc
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from disent.models.vae import VAE
from disent.runs.build import FILLED

LONGEST = 120  # characters of a name; file systems stop at 255
NOT_SETTINGS = ("config", "c", "run", "runs", "again", "seed_everything", "model", "data")
NOT_SETTINGS += ("checkpoint_every_n_steps", "trainer.enable_progress_bar", "provenance", "logger")
NOT_SETTINGS += ("fast", "no_fast", "trainer.devices", "trainer.num_nodes", "trainer.accelerator")
NOT_NAMED = ("evaluate.", "pictures.", "wandb.")  # what is looked at, not what is trained
SIGNS = {"<=": "le", ">=": "ge", "==": "eq", "!=": "ne", "<": "lt", ">": "gt", "%": "mod"}


def run_name(argv: Sequence[str], config: dict[str, Any]) -> str:
    """A readable name from preset, model, its knobs, other options given, and the seed.

    Example: quickstart-BetaVAE-beta4-seed0. The same command always gives the same name. A knob
    that is None is left out: that alone tells it from every value.
    """
    given = options_of(argv)
    presets = [Path(value) for option, value in given if option in ("config", "c")]
    stems = [path.parent.name if path.stem == "config" else path.stem for path in presets]
    model = config["model"]
    knobs = {
        name: value
        for name, value in model["init_args"].items()
        if name in _knobs(model["class_path"])
    }
    told = {name: value for name, value in knobs.items() if value is not None}  # a value has words
    rest = [
        (option.rsplit(".", 1)[-1], value)
        for option, value in given
        if option not in NOT_SETTINGS
        and not option.startswith(NOT_NAMED)
        and option.removeprefix("model.") not in knobs
    ]
    data = [value.rsplit(".", 1)[-1] for option, value in given if option == "data"]
    parts = [
        *(stems or ["custom"]),
        model["class_path"].rsplit(".", 1)[-1],
        *data,
        *(f"{name}{_short(value)}" for name, value in told.items()),
        *(f"{name}{value}" for name, value in rest),
        *(["fast"] if config.get("fast") else []),
        f"seed{config['seed_everything']}",
    ]
    name = "-".join(parts)
    for sign, word in SIGNS.items():
        name = name.replace(sign, f"_{word}_")
    name = re.sub(r"[^A-Za-z0-9.+-]+|_+", "_", name).lstrip(".-")
    if len(name) > LONGEST:
        name = f"{name[: LONGEST - 9]}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"
    return name


def options_of(argv: Sequence[str]) -> list[tuple[str, str]]:
    """(option, value) pairs of a command line, in its order."""
    pairs: list[tuple[str, str]] = []
    for argument in argv:
        if argument.startswith("--") or argument == "-c":
            option, _, value = argument.lstrip("-").partition("=")
            pairs.append((option, value))
        elif pairs and not pairs[-1][1]:
            pairs[-1] = (pairs[-1][0], argument)
    return pairs


def _knobs(class_path: str) -> list[str]:
    """The arguments that a model names its runs by: those that it has and the plain VAE has not."""
    model: Any = pydoc.locate(class_path)
    if (named := getattr(model, "named_by", None)) is not None:
        return list(named)
    common = {*inspect.signature(VAE).parameters, *FILLED}
    parameters = inspect.signature(model).parameters.values()
    return [p.name for p in parameters if p.name not in common and p.kind is not p.VAR_KEYWORD]


def _short(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
