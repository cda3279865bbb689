# SPDX-License-Identifier: Apache-2.0
"""Values of options as Python prints them, which is how a sweep's agent writes them."""

import ast
import json
from collections.abc import Sequence


def as_yaml(words: Sequence[str]) -> list[str]:
    """A command line with Python's None, and lists and dictionaries with it, as YAML has them.

    Example:
        >>> as_yaml(["--a=None", "--b", "None", "--c={'d': [1, None]}", "--e=NoneSuch"])
        ['--a=null', '--b', 'null', '--c={"d": [1, null]}', '--e=NoneSuch']
    """
    said = []
    for word in words:
        option, equals, value = word.partition("=")
        if not (word.startswith("--") and equals):
            option, equals, value = "", "", word
        said.append(f"{option}{equals}{_as_yaml(value)}" if "None" in value else word)
    return said


def as_word(value: object) -> str:
    """A value as it is typed on a command line: false, null, 3.

    Example:
        >>> as_word(False), as_word(None), as_word("x")
        ('false', 'null', 'x')
    """
    return value if isinstance(value, str) else json.dumps(value, default=str)


def _as_yaml(value: str) -> str:
    try:
        parsed = ast.literal_eval(value)
        return json.dumps(parsed) if parsed is None or isinstance(parsed, list | dict) else value
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return value
