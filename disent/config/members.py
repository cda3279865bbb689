# SPDX-License-Identifier: Apache-2.0
"""What the suite has to choose from, read from its files: nothing is imported."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from disent.shipped import shipped

HOUSE = Path(__file__).parents[1]
# classes and functions, by the folder of their room; load_run and the like are no members
ROOMS = {
    "models": "models",
    "networks": "networks",
    "objectives": "objectives",
    "likelihoods": "likelihoods",
    "priors": "priors",
    "datasets": "data",
    "scores": "metrics",
}
FILES = {"presets": "preset", "sweeps": "sweep", "profiles": "profile"}  # as disent.shipped says
KINDS = ("presets", *ROOMS, "sweeps", "profiles")
KEY = re.compile(r"#\s+[A-Z][a-z]+:\s|#?\s*$|#\s+disent ")  # where a header becomes a table


class Member(NamedTuple):
    """One thing to choose.

    Attributes:
        name: As options and commands take it.
        line: What it is.
        source: Its file, from the folder that holds the package.
    """

    name: str
    line: str
    source: str


def members(kind: str) -> list[Member]:
    """All of a kind, one of KINDS, in the order of their names.

    Example:
        >>> [member.name for member in members("likelihoods")]
        ['Bernoulli', 'FixedGaussian', 'LearnedGaussian']
        >>> members("objectives")[0].source
        'disent/objectives/beta.py'
    """
    found = _of_files(FILES[kind]) if kind in FILES else _of_room(kind)
    return sorted(found, key=lambda member: member.name.lower())


def _of_files(kind: str) -> Iterator[Member]:
    for name, file in shipped(kind).items():
        yield Member(name, _header(file), _shown(file))


def _header(file: Path) -> str:
    """What the comment at the beginning of a YAML file says, up to its table."""
    lines: list[str] = []
    for line in file.read_text(encoding="utf-8").splitlines():
        if not line.startswith("#") or (lines and KEY.match(line)):
            break
        lines.append(line.lstrip("# "))
    return " ".join(lines)


def _of_room(kind: str) -> Iterator[Member]:
    """The members that `__all__` of a room lists, with the first line of their docstrings."""
    tree = ast.parse((HOUSE / ROOMS[kind] / "__init__.py").read_text(encoding="utf-8"))
    wanted = ast.FunctionDef if kind == "scores" else ast.ClassDef
    for node in ast.walk(tree):
        if not isinstance(node, ast.ImportFrom):
            continue
        file = HOUSE.parent / f"{str(node.module).replace('.', '/')}.py"
        names = {alias.name for alias in node.names}
        for found in ast.parse(file.read_text(encoding="utf-8")).body:
            if isinstance(found, wanted) and found.name in names and not _is_loader(found):
                line = (ast.get_docstring(found) or "").partition("\n")[0]
                yield Member(found.name, line, _shown(file))


def _is_loader(node: ast.AST) -> bool:
    """Whether a class makes batches of any dataset, and is none itself."""
    bases = getattr(node, "bases", ())
    return any(isinstance(base, ast.Name) and base.id == "LightningDataModule" for base in bases)


def _shown(file: Path) -> str:
    return file.relative_to(HOUSE.parent).as_posix()
