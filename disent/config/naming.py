# SPDX-License-Identifier: Apache-2.0
"""What a run is called, what made it, and how two configs differ."""

import hashlib
import inspect
import platform
import pydoc
import re
import subprocess
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

import disent
from disent.models import VAE

LONGEST = 120  # characters of a name; file systems stop at 255
NOT_SETTINGS = ("config", "c", "run", "runs", "again", "seed_everything", "model", "data")
NOT_SETTINGS += ("checkpoint_every_n_steps", "trainer.enable_progress_bar", "provenance", "logger")
NOT_SETTINGS += ("fast", "no_fast", "trainer.devices", "trainer.num_nodes", "trainer.accelerator")
NOT_NAMED = ("evaluate.", "pictures.", "wandb.")  # what is looked at, not what is trained
SIGNS = {"<=": "le", ">=": "ge", "==": "eq", "!=": "ne", "<": "lt", ">": "gt", "%": "mod"}
PACKAGES = ("torch", "lightning", "numpy", "scikit-learn", "jsonargparse", "wandb")


def run_name(argv: Sequence[str], config: dict[str, Any]) -> str:
    """A readable name from preset, model, its knobs, other options given, and the seed.

    Example: quickstart-BetaVAE-beta4-seed0. The same command always gives the same name.
    """
    given = _options(argv)
    presets = [Path(value) for option, value in given if option in ("config", "c")]
    stems = [path.parent.name if path.stem == "config" else path.stem for path in presets]
    model = config["model"]
    knobs = {
        name: value
        for name, value in model["init_args"].items()
        if name in _knobs(model["class_path"])
    }
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
        *(f"{name}{_short(value)}" for name, value in knobs.items()),
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


def provenance(argv: Sequence[str]) -> dict[str, Any]:
    """What made a run: the command, versions, and the commit of the checkout, if it is one."""
    return {
        "command": ["disent", "fit", *argv],
        "disent": disent.__version__,
        "git_commit": _git_commit(),
        "python": platform.python_version(),
        "platform": platform.platform(),
        **{package: _version(package) for package in PACKAGES},
    }


def differences(old: dict[str, Any], new: dict[str, Any], prefix: str = "") -> list[str]:
    """The settings in which two configs differ, as 'model.init_args.beta: 4.0 -> 8.0'."""
    found = []
    for key in sorted(old.keys() | new.keys()):
        a, b = old.get(key), new.get(key)
        if isinstance(a, dict) and isinstance(b, dict):
            found += differences(a, b, f"{prefix}{key}.")
        elif a != b:
            found.append(f"{prefix}{key}: {a} -> {b}")
    return found


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None  # wandb, where nobody asked for it


def _options(argv: Sequence[str]) -> list[tuple[str, str]]:
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
    """The arguments that a model has and the plain VAE has not: its beta, its capacity ..."""
    common = inspect.signature(VAE).parameters
    model: Any = pydoc.locate(class_path)
    return [p for p in inspect.signature(model).parameters if p not in common]


def _short(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _git_commit() -> str | None:
    """Commit of the checkout that disent runs from, '+changes' if it was edited."""
    folder = Path(__file__).resolve().parents[2]
    if not (folder / ".git").exists():
        return None
    try:
        commit = ["git", "-C", str(folder), "rev-parse", "HEAD"]
        status = ["git", "-C", str(folder), "status", "--porcelain", "--untracked-files=no"]
        sha = subprocess.run(commit, capture_output=True, text=True, check=True).stdout.strip()
        dirty = subprocess.run(status, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None
    return f"{sha}+changes" if dirty else sha
