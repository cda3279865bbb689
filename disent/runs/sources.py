# SPDX-License-Identifier: Apache-2.0
"""The source files of classes that are not the suite's own: kept in the run that they made."""

import hashlib
import inspect
import sys
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from disent import files
from disent.runs.classes import class_paths
from disent.runs.own_code import is_own

FOLDER = "source"


def own_files(config: Mapping[str, Any]) -> dict[str, Path]:
    """The files of the classes that a config names, and of what these import, by path in source/.

    Only what is imported already is looked at.
    """
    found: dict[str, Path] = {}
    for path in class_paths(dict(config)):
        module, _, name = path.rpartition(".")
        _visit(module, found)
        kind = getattr(sys.modules.get(module), name, None)  # may be defined elsewhere
        _visit(getattr(kind, "__module__", None) or module, found)
    return found


def keep_sources(folder: Path, config: Mapping[str, Any]) -> dict[str, str]:
    """Copies the files into RUN/source.

    Where a run goes on with another file than it was begun with, that is warned about, and the
    former one is kept beside it as NAME.HASH.py.

    Args:
        folder: Of the run.
        config: Of the run; its classes are imported.
    Returns:
        The SHA-256 of each file in RUN/source, by its path there.
    """
    kept = folder / FOLDER
    for name, file in own_files(config).items():
        content, copy = file.read_bytes(), kept / name
        if copy.exists():
            if (before := digest(copy)) == hashlib.sha256(content).hexdigest():
                continue
            former = copy.with_name(f"{copy.stem}.{before[:8]}{copy.suffix}")
            warnings.warn(
                f"{file} has changed since {folder} was begun with it: the run goes on with the "
                f"file as it is now, and keeps the former one as {former.relative_to(folder)}.",
                stacklevel=2,
            )
            copy.replace(former)
        with files.replacing(copy) as stream:
            stream.write(content)
    return {file.relative_to(kept).as_posix(): digest(file) for file in sorted(kept.rglob("*.py"))}


def warn_of_changes(folder: Path, config: Mapping[str, Any]) -> None:
    """Warns of files that are no longer what a run was made with, as its config says."""
    said = (config.get("provenance") or {}).get(FOLDER) or {}
    parts = {key: config[key] for key in ("model", "data") if key in config}
    for name, file in own_files(parts).items() if said and isinstance(said, dict) else ():
        if name in said and digest(file) != said[name]:
            warnings.warn(
                f"{file} is not what {folder} was made with: its model or data are built by the "
                f"file as it is now. The run keeps its own as {folder / FOLDER / name}.",
                stacklevel=2,
            )


def where_kept(folder: Path, class_path: str) -> str:
    """What to do where the file of a class is missing that a run keeps; empty if it does not.

    A copy is never imported unasked.
    """
    kept = folder / FOLDER
    stem = kept.joinpath(*class_path.split(".")[:-1])
    copies = [stem.with_suffix(".py"), stem / "__init__.py"]
    for copy in (copy for copy in copies if copy.is_file()):
        return (
            f" The run keeps it as {copy}: run the command in a folder that has the file, or put "
            f"PYTHONPATH={kept} before it."
        )
    return ""


def digest(file: Path) -> str:
    """The SHA-256 of a file's content."""
    return hashlib.sha256(file.read_bytes()).hexdigest()


def _visit(module: str, found: dict[str, Path]) -> None:
    """Notes a module's file, those of the packages that it is in, and of what it has imported."""
    file = _own_file(module)
    if file is None or (name := _place(module, file)) in found:
        return
    found[name] = file
    for value in vars(sys.modules[module]).values():
        if inspect.ismodule(value):
            _visit(value.__name__, found)
        elif inspect.isclass(value) or inspect.isfunction(value):
            _visit(value.__module__, found)
    while module := module.rpartition(".")[0]:
        if (file := _own_file(module)) is not None:
            found[_place(module, file)] = file


def _own_file(module: str) -> Path | None:
    """The source of a module that is neither the suite's nor installed."""
    origin = getattr(sys.modules.get(module), "__file__", None)
    file = Path(origin) if origin else None
    return file if file is not None and is_own(file) else None


def _place(module: str, file: Path) -> str:
    """Where a module's file lies below the folder that is on Python's path."""
    place = module.replace(".", "/")
    return f"{place}/__init__.py" if file.name == "__init__.py" else f"{place}.py"
