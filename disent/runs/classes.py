# SPDX-License-Identifier: Apache-2.0
"""From the path of a class, as a config has it, to the class; and what is wrong where none is."""

import difflib
import importlib
import inspect
import traceback
from collections.abc import Iterable, Iterator
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

from disent.runs.own_code import place_of, what


class NoSuchModuleError(ValueError):
    """The file of a class cannot be found from where one stands."""


def find_class(path: str) -> Any:
    """What stands at a path such as disent.models.BetaVAE, or mine.Tiny of mine.py.

    Raises:
        NoSuchModuleError: There is no such file.
        ValueError: It cannot be imported, or has nothing of that name; in one line.
    """
    module, _, name = path.rpartition(".")
    if not module or not all(part.isidentifier() for part in path.split(".")):
        raise ValueError(
            f"there is no class {path!r}. A path such as package.module.Class is wanted, or "
            "FILE.CLASS of a FILE.py in the working folder."
        )
    loaded = _load(module)
    if not hasattr(loaded, name):
        own = inspect.getmembers(loaded, lambda o: getattr(o, "__module__", None) == module)
        names = getattr(loaded, "__all__", None) or [n for n, _ in own if not n.startswith("_")]
        has = f" It has: {', '.join(names[:30])}." if names else ""
        where = getattr(loaded, "__file__", None) or module
        raise ValueError(f"there is no class {name} in {where}.{did_you_mean(name, names)}{has}")
    return getattr(loaded, name)


def class_paths(section: Any) -> Iterator[str]:
    """The paths of all classes that a section of a config names, at any depth."""
    if isinstance(section, dict):
        if isinstance(path := section.get("class_path"), str):
            yield path
        for value in section.values():
            yield from class_paths(value)
    elif isinstance(section, list):
        for value in section:
            yield from class_paths(value)


def did_you_mean(word: str, known: Iterable[str], most: int = 3) -> str:
    """' Did you mean A or B?', of the names nearest to a word; empty where none is near.

    Example:
        >>> did_you_mean("FactorVae", ["BetaVAE", "FactorVAE"])
        ' Did you mean FactorVAE?'
    """
    names = list(dict.fromkeys(name for name in known if name != word))
    same = [name for name in names if name.lower() == word.lower()]
    near = difflib.get_close_matches(word.lower(), [n.lower() for n in names], most, cutoff=0.6)
    found = same or [next(n for n in names if n.lower() == name) for name in dict.fromkeys(near)]
    return f" Did you mean {' or '.join(found)}?" if found else ""


def _load(module: str) -> ModuleType:
    """The module; ValueError, in one line, where it cannot be found or imported."""
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name and f"{module}.".startswith(f"{error.name}."):
            files = [file.stem for file in Path.cwd().glob("*.py")]
            raise NoSuchModuleError(
                f"there is no file {error.name.replace('.', '/')}.py in {Path.cwd()}, and no "
                f"module {error.name} is installed.{did_you_mean(error.name, files)}"
            ) from None
        raise ValueError(_why(module, error)) from error
    except (Exception, SystemExit) as error:
        raise ValueError(_why(module, error)) from error


def told(error: BaseException) -> str:
    """An exception in one line, with its type and place: of code that says nothing on purpose."""
    frames = traceback.extract_tb(error.__traceback__)
    passed = (__file__, importlib.__file__, "<")
    lines = [frame for frame in frames if not frame.filename.startswith(passed)]
    last = f"{Path(lines[-1].filename).name}, line {lines[-1].lineno}" if lines else None
    place = place_of(error) or last
    return f"{what(error)} ({place})" if place else what(error)


def _why(module: str, error: BaseException) -> str:
    """Which file was found where, and what happened when it was imported."""
    file = _file_of(module)
    found = f"{file.name} was found in {file.parent}" if file else f"{module} was found"
    return f"{found}, but importing it failed: {told(error)}"


def _file_of(module: str) -> Path | None:
    for name in (module, module.partition(".")[0]):
        try:
            spec = find_spec(name)
        except Exception:  # a package that cannot be imported itself
            continue
        if spec and spec.origin:
            return Path(spec.origin)
    return None
