# SPDX-License-Identifier: Apache-2.0
"""The presets in the package, and `--config NAME`."""

import difflib
from collections.abc import Sequence
from importlib import resources
from pathlib import Path


def presets() -> dict[str, Path]:
    """The presets in the package, by name."""
    folder = Path(str(resources.files("disent"))) / "presets"
    return {file.stem: file for file in sorted(folder.glob("*.yaml"))}


def resolve_presets(args: Sequence[str]) -> list[str]:
    """Replaces `--config NAME` by the preset's file, where NAME is not itself a file.

    Raises:
        ValueError: There is neither such a file nor such a preset.
    """
    resolved = list(args)
    for i, argument in enumerate(resolved):
        option, equals, value = argument.partition("=")
        if option not in ("--config", "-c"):
            continue
        if equals:
            resolved[i] = f"{option}={_find(value)}"
        elif i + 1 < len(resolved):
            resolved[i + 1] = _find(resolved[i + 1])
    return resolved


def _find(name: str) -> str:
    if Path(name).is_file():
        return name
    known = presets()
    if name in known:
        return str(known[name])
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.4)
    hint = f" Did you mean {near[0]}?" if near else ""
    raise ValueError(
        f"--config {name}: there is no such file, and no such preset.{hint} "
        f"The presets are: {', '.join(known)}."
    )
