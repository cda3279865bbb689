# SPDX-License-Identifier: Apache-2.0
"""A Slurm profile: what one element of an array asks the cluster for."""

import dataclasses
import os
import re
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from disent.documents import read_yaml
from disent.shipped import find

TIME = re.compile(r"(\d+-)?\d+(:\d{2}){0,2}")  # Slurm's forms: 90, 1:30:00, 2-12:00:00


@dataclass(frozen=True)
class Profile:
    """The entries of slurm/profiles/NAME.yaml; all have defaults but `time`.

    Attributes:
        time: Limit of an element; a run that needs longer is requeued, and goes on.
        partition: None: the cluster's default.
        account: None: the user's default.
        nodes: Of an element.
        tasks: Processes on each node; with more than one, a run is trained by all of them (DDP).
        cpus: Cores of each process.
        gpus: On each node.
        max_gpus: That a node of the partition has; None: not said.
        mem: Of each node, such as 32G.
        throttle: Elements at once; None: no limit.
        grace: Seconds before the limit at which runs are told to save themselves.
        modules: For `module load`.
        setup: Lines of bash before the run.
        container: Prefix of the command, such as: apptainer exec --nv image.sif.
        sbatch: More options of sbatch, such as: --constraint=a100.
    """

    time: str
    partition: str | None = None
    account: str | None = None
    nodes: int = 1
    tasks: int = 1
    cpus: int = 1
    gpus: int = 0
    max_gpus: int | None = None
    mem: str | None = None
    throttle: int | None = None
    grace: int = 120
    modules: tuple[str, ...] = ()
    setup: tuple[str, ...] = ()
    container: str | None = None
    sbatch: tuple[str, ...] = ()

    @property
    def ranks(self) -> int:
        """Processes that train one run together."""
        return self.nodes * self.tasks


def read_profile(given: str | os.PathLike[str], folder: Path | None = None) -> Profile:
    """Reads a profile by its path, or by its name: in `folder`, or among those of the suite.

    Raises:
        FileNotFoundError: There is none; the message lists those that there are.
        ValueError: An entry is unknown, missing or wrong.
    """
    file = find(given, "profile", folder)
    content = read_yaml(file)
    if not isinstance(content, dict):
        raise ValueError(f"{file} holds no entries, but time:, partition: and such are wanted.")
    try:
        return _profile(content)
    except ValueError as error:
        raise ValueError(f"{file}: {error}") from None


def _profile(content: dict[str, Any]) -> Profile:
    known = {field.name: field for field in dataclasses.fields(Profile)}
    for key in content:
        if key not in known:
            near = get_close_matches(str(key), known, n=1)
            hint = f"Did you mean {near[0]}?" if near else f"Known are: {', '.join(known)}."
            raise ValueError(f"{key} is no entry of a profile. {hint}")
    if "time" not in content:
        raise ValueError('time: is missing, such as time: "02:00:00".')
    values = {key: _checked(key, value, known[key].default) for key, value in content.items()}
    profile = Profile(**values)
    if profile.max_gpus is not None and profile.gpus > profile.max_gpus:
        raise ValueError(
            f"gpus: {profile.gpus} are asked of a node that has {profile.max_gpus} (max_gpus). "
            "Ask for fewer, and for more nodes: if need be."
        )
    if profile.gpus and profile.gpus % profile.tasks:
        raise ValueError(
            f"gpus: {profile.gpus} cannot be shared evenly by tasks: {profile.tasks} on a node."
        )
    return profile


def _checked(key: str, value: Any, default: Any) -> Any:
    """An entry in its type; None stands for the default."""
    if value is None:
        return default
    if key in ("nodes", "tasks", "cpus", "throttle", "grace", "gpus", "max_gpus"):
        least = 0 if key in ("gpus", "max_gpus") else 1
        if not isinstance(value, int) or isinstance(value, bool) or value < least:
            raise ValueError(f"{key} is {value!r}, but a whole number from {least} on is wanted.")
        return value
    if key in ("modules", "setup", "sbatch"):
        lines = [value] if isinstance(value, str) else value
        if not isinstance(lines, list) or not all(isinstance(line, str) for line in lines):
            raise ValueError(f"{key} is {value!r}, but a list of lines is wanted.")
        return tuple(lines)
    if key == "time" and (not isinstance(value, str) or not TIME.fullmatch(value)):
        raise ValueError(f'time is {value!r}, but "HH:MM:SS" in quotes is wanted.')
    if "\n" in str(value):
        raise ValueError(f"{key} is {value!r}, but one line is wanted.")
    return str(value)
