# SPDX-License-Identifier: Apache-2.0
"""One fault tried: the tests of a file, in a forked process that imports another source for it."""

import ast
import importlib.abc
import importlib.util
import os
import re
import signal
import sys
import time
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
PATIENCE = 200.0  # seconds; what hangs is noticed
WORDS = ["-x", "-q", "-W", "ignore::pytest.PytestAssertRewriteWarning", "-p", "no:cacheprovider"]
WORDS += ["-m", "not slow", "--rootdir", str(ROOT)]
HEAVY = (
    "numpy",
    "scipy.stats",
    "torch",
    "pandas",
    "sklearn.linear_model",
    "hypothesis",
    "lightning",
)


def tests_of(file: Path) -> list[str]:
    """The file itself, for its examples; its room's contract; and the tests called after it.

    Where none are called so, those that import what it defines.
    """
    room = ROOT / "tests" / "contracts" / f"test_{file.parent.name}.py"
    found = [str(file), *([str(room)] if room.exists() else [])]
    every = sorted((ROOT / "tests").rglob("test_*.py"))
    beside = ROOT / "tests" / file.parent.relative_to(ROOT / "disent")
    if own := [str(test) for test in every if test.parent == beside and _is_named(test, file)]:
        return [*found, *own]
    any_name = "|".join([*_members(file), file.stem])
    named = re.compile(rf"^(from disent|import disent).*\b({any_name})\b", re.MULTILINE)
    others = [test for test in every if named.search(test.read_text(encoding="utf-8"))]
    return [*found, *(str(test) for test in others if test != room)]


def _is_named(test: Path, file: Path) -> bool:
    return f"{test.stem}_".startswith(f"test_{file.stem}_")


def notices(file: Path, source: str, tests: list[str]) -> bool:
    """Whether the tests fail where `file` has another source; all is as before afterwards."""
    for name in HEAVY:
        importlib.import_module(name)  # once, for all the processes that follow
    child = os.fork()
    if child == 0:
        _run(file, source, tests)
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status) != 0
        time.sleep(0.05)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return True


def _run(file: Path, source: str, tests: list[str]) -> None:
    """In the child; ends it."""
    code = 1
    try:
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, 1)
        os.dup2(null, 2)
        name = ".".join(file.relative_to(ROOT).with_suffix("").parts)
        sys.meta_path.insert(0, _Other(name, file, compile(source, str(file), "exec")))
        importlib.import_module(name)  # before pytest, which would read the file itself
        for words in _calls(file, tests):
            code = int(pytest.main([*WORDS, *words]))
            if code not in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
                break
            code = 0
    finally:
        os._exit(code)


def _calls(file: Path, tests: list[str]) -> list[list[str]]:
    """What pytest is told: the tests; of the room's contract, what is of the file's members."""
    contract = [test for test in tests if Path(test).parent.name == "contracts"]
    whole = [test for test in tests if test not in contract]
    chosen = [*contract, "-k", " or ".join(_members(file))]
    return [whole, *([chosen] if contract and _members(file) else [])]


def _members(file: Path) -> list[str]:
    """The public functions and classes of a file."""
    body = ast.parse(file.read_text(encoding="utf-8")).body
    found = [n.name for n in body if isinstance(n, (ast.FunctionDef, ast.ClassDef))]
    return [name for name in found if not name.startswith("_")]


class _Other(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds one module, and runs other code for it."""

    def __init__(self, name: str, file: Path, code: CodeType) -> None:
        self.name, self.file, self.code = name, file, code

    def find_spec(self, fullname: str, path: Any, target: Any = None) -> ModuleSpec | None:
        if fullname != self.name:
            return None
        return importlib.util.spec_from_file_location(fullname, self.file, loader=self)  # type: ignore[arg-type]

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return None

    def exec_module(self, module: ModuleType) -> None:
        exec(self.code, module.__dict__)
