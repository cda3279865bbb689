# SPDX-License-Identifier: Apache-2.0
"""What made a run: command, versions, commit, and what a study of its model varies."""

import platform
import subprocess
from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

import yaml

import disent
from disent.config.complete import strength_of
from disent.runs.directory import RunDir
from disent.runs.sources import keep_sources

KEPT = ("extended", "init_from")
PACKAGES = ("torch", "lightning", "numpy", "scikit-learn", "jsonargparse", "wandb")


def write_config(
    folder: RunDir, config: Mapping[str, Any], argv: Sequence[str], **origins: Any
) -> None:
    """Writes config.yaml: all that is needed to repeat a run, and what made it.

    The files of classes that are not the suite's own are kept in the run's folder source/.

    Args:
        folder: Of the run.
        config: As `FitConfig.dump` gives it.
        argv: The arguments of `disent fit`.
        origins: What else made it, such as the run that it took its weights from; kept when the
            run goes on.
    """
    told = {**provenance(argv), "strength": strength_of(config["model"])}
    if kept := keep_sources(folder.path, config):
        told["source"] = kept
    told |= _earlier(folder, config) | origins
    config = {**config, "config": None, "again": False, "provenance": told}
    folder.write_text(folder.config, yaml.safe_dump(config, sort_keys=False))


def _earlier(folder: RunDir, config: Mapping[str, Any]) -> dict[str, Any]:
    """Of a run that goes on: where it came from, and its lengths before and after, in steps."""
    if not folder.config.exists():
        return {}
    before = folder.read_config()
    kept = {k: v for k, v in (before.get("provenance") or {}).items() if k in KEPT}
    was, is_ = ((c.get("trainer") or {}).get("max_steps") for c in (before, config))
    if was != is_:
        earlier = kept.get("extended")
        earlier = earlier if isinstance(earlier, list) else []
        kept["extended"] = [*earlier, {"from": was, "to": is_}]
    return kept


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


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None  # wandb, where nobody asked for it


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
