# SPDX-License-Identifier: Apache-2.0
"""The presets in the package, and `--config NAME`."""

from collections.abc import Sequence
from pathlib import Path

from disent.shipped import find, shipped


def presets() -> dict[str, Path]:
    """The presets in the package, by name."""
    return shipped("preset")


def resolve_presets(args: Sequence[str]) -> list[str]:
    """Replaces `--config NAME` by the preset's file, where NAME is not itself a file.

    Raises:
        FileNotFoundError: There is neither such a file nor such a preset.
    """
    resolved = list(args)
    for i, argument in enumerate(resolved):
        option, equals, value = argument.partition("=")
        if option not in ("--config", "-c"):
            continue
        if equals:
            resolved[i] = f"{option}={find(value, 'preset')}"
        elif i + 1 < len(resolved):
            resolved[i + 1] = str(find(resolved[i + 1], "preset"))
    return resolved
