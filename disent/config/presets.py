# SPDX-License-Identifier: Apache-2.0
"""The presets in the package, and `--config NAME`."""

from collections.abc import Sequence
from pathlib import Path

from disent.documents import read_yaml
from disent.shipped import find, shipped


def presets() -> dict[str, Path]:
    """The presets in the package, by name."""
    return shipped("preset")


def resolve_presets(args: Sequence[str]) -> list[str]:
    """Replaces `--config NAME` by the preset's file, where NAME is not itself a file.

    Raises:
        FileNotFoundError: There is neither such a file nor such a preset.
        ValueError: It is no YAML that can be read.
    """
    resolved = list(args)
    for i, argument in enumerate(resolved):
        option, equals, value = argument.partition("=")
        if option not in ("--config", "-c"):
            continue
        if equals:
            resolved[i] = f"{option}={_checked(value)}"
        elif i + 1 < len(resolved):
            resolved[i + 1] = str(_checked(resolved[i + 1]))
    return resolved


def _checked(given: str) -> Path:
    """The file that is meant, which the parser reads without the limits of `read_yaml`."""
    file = find(given, "preset")
    read_yaml(file)
    return file
