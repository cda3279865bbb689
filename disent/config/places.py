# SPDX-License-Identifier: Apache-2.0
"""Paths in a config: absolute, so that what is stored does not depend on where one stood."""

import inspect
import os
import pydoc
import re
from collections.abc import Mapping
from typing import Any

from disent.files import expanded

PATH = re.compile(r"\bPath(Like|_\w+)?\b")  # in an annotation: pathlib's, os's, jsonargparse's


def make_absolute(section: Any) -> None:
    """Makes absolute the paths among the arguments of a class, and of those among its arguments.

    Which arguments take paths, their annotations say: `str | os.PathLike[str]`, or such.

    Args:
        section: Namespace or dictionary with class_path and init_args; anything else has no paths.
            Changed in place.
    """
    if not (isinstance(section, Mapping) or hasattr(section, "class_path")):
        return
    given = section.get("init_args")
    if section.get("class_path") is None or given is None:
        return
    # the values of a Namespace itself would be its leaves
    parts = dict(getattr(given, "__dict__", given))
    for name in path_arguments(pydoc.locate(section["class_path"])) & parts.keys():
        if parts[name] and isinstance(parts[name], str | os.PathLike):
            given[name] = str(expanded(parts[name]).absolute())
    for value in parts.values():
        make_absolute(value)


def path_arguments(kind: Any) -> set[str]:
    """The arguments of a class that take paths, those that it hands on to its bases among them.

    Example:
        >>> from disent.data import ScreamDSprites
        >>> sorted(path_arguments(ScreamDSprites))
        ['path', 'picture']
    """
    names: set[str] = set()
    for part in kind.__mro__ if isinstance(kind, type) else ():
        if "__init__" not in vars(part):
            continue
        parameters = inspect.signature(part.__init__).parameters.values()
        names |= {p.name for p in parameters if PATH.search(str(p.annotation))}
        if not any(p.kind is p.VAR_KEYWORD for p in parameters):
            break  # it hands nothing on
    return names
