# SPDX-License-Identifier: Apache-2.0
"""Which folders are runs: those in a folder, at any depth."""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

DEEPEST = 50  # folders; nobody's runs lie deeper, and a tree may be built to have no end
MARKS = ("config.yaml", "status.json")  # a run has one of them at least


@dataclass
class Found:
    """What lies in a folder.

    Attributes:
        runs: Their paths below it, with "/" between, sorted.
        others: Folders that neither are runs nor hold any, the topmost of each, sorted.
    """

    runs: list[str] = field(default_factory=list)
    others: list[str] = field(default_factory=list)


def find_runs(root: Path) -> Found:
    """Looks for runs at any depth; what lies inside a run, or is hidden, is not looked at.

    Nor is what W&B keeps of a run: its files have names like ours.
    """
    found = Found()
    _visit(str(root), "", found, DEEPEST)
    return Found(sorted(found.runs), sorted(found.others))


def is_run(folder: str | os.PathLike[str]) -> bool:
    """Whether a folder is a run's."""
    return any(os.path.exists(os.path.join(folder, mark)) for mark in MARKS)


def _visit(folder: str, below: str, found: Found, levels: int) -> bool:
    """Notes the runs in a folder; whether there is any."""
    any_run, without = False, list[str]()
    for name in _folders(folder):
        path, known_as = os.path.join(folder, name), f"{below}{name}"
        if is_run(path):
            found.runs.append(known_as)
            any_run = True
        elif levels and _visit(path, f"{known_as}/", found, levels - 1):
            any_run = True
        else:
            without.append(known_as)
    if any_run or not below:
        found.others += without
    return any_run


def _folders(folder: str) -> Iterator[str]:
    try:
        with os.scandir(folder) as scanned:
            entries = [entry for entry in scanned if not entry.name.startswith(".")]
    except OSError:  # not ours to read, or just deleted
        return
    if not any(entry.name.endswith(".wandb") for entry in entries):
        # a linked run is one; what else is linked is not entered, for it may lead in circles
        yield from (e.name for e in entries if e.is_dir() and (not e.is_symlink() or is_run(e)))
