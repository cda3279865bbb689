# SPDX-License-Identifier: Apache-2.0
"""What can be wrong in a JSON or YAML document that parses, and in YAML that tries to do harm."""

import copy
import json
import math
import os
import random
import tempfile
from pathlib import Path
from typing import Any

import yaml

# what code in a file would make; never made
MARKER = Path(tempfile.gettempdir(), f"disent-faults-{os.getpid()}")
VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, 1, -1, 2**31, -(2**63), 2**64, 10**400, 1e300, math.inf, math.nan),
    *(
        "",
        "x",
        "\0",
        "a\nb",
        "NaN",
        "../../x",
        "/",
        "é" * 300,
        "x" * 100_000,
        "%s",
        "{0}",
        "[bold]",
    ),
    *([], {}, [None], [[]], [1, "x", None], {"": {}}, {"a": {"b": {"c": 1}}}, [[1, 2], [3]], -0.0),
    *({"class_path": "os.system"}, {"value": {}}, {"value": "x"}, {"values": "x"}, {"min": 0}),
)
KEYS: tuple[Any, ...] = ("", "x", "value", 1, None, True, 2.5, "a.b", "__class__")


def changed(draw: random.Random, content: Any) -> Any:
    """The document with one of its places changed, and now and then two."""
    content = copy.deepcopy(content)
    for _ in range(draw.choice((1, 1, 1, 2))):
        content = _change(draw, content)
    return content


def as_json(draw: random.Random, content: Any) -> bytes:
    text = json.dumps(changed(draw, content), ensure_ascii=draw.random() < 0.5)
    if draw.random() < 0.1 and text.startswith("{"):  # a key twice
        text = '{"state": [], "scores": 3, ' + text[1:]
    return text.encode("utf-8", "surrogatepass")


def as_yaml(draw: random.Random, content: Any) -> bytes:
    text = yaml.safe_dump(changed(draw, content), sort_keys=False)
    what = draw.random()
    if what < 0.1:
        return text.encode() + text.encode()  # keys twice
    if what < 0.4:
        return _trapped(draw, text)
    return text.encode()


def _change(draw: random.Random, content: Any) -> Any:
    places = list(_places(content))
    if not places or draw.random() < 0.05:
        return draw.choice(VALUES)
    parent, key = draw.choice(places)
    what = draw.random()
    if what < 0.6:
        parent[key] = copy.deepcopy(draw.choice(VALUES))
    elif what < 0.8:
        del parent[key]
    elif isinstance(parent, dict):
        parent[draw.choice(KEYS)] = parent.pop(key) if draw.random() < 0.5 else parent[key]
    else:
        parent[key] = [parent[key]]
    return content


def _places(content: Any) -> Any:
    if isinstance(content, dict | list):
        for key, value in content.items() if isinstance(content, dict) else enumerate(content):
            yield content, key
            yield from _places(value)


def _bomb(names: str = "abcdefghij") -> str:
    """Billion laughs: ten lists of ten, each of the one before."""
    lists = [f"&{n} [{', '.join([f'*{before}'] * 10 if before else ['x'] * 10)}]"
             for before, n in zip(["", *names], names, strict=False)]  # fmt: skip
    return f"[{', '.join(lists)}]"


def _merges(names: str = "abcdefghij") -> str:
    """The same by merge keys, which are unfolded while the document is built."""
    maps = [f"&{n} {{<<: [{', '.join([f'*{before}'] * 9)}]}}" if before else f"&{n} {{k: v}}"
            for before, n in zip(["", *names], names, strict=False)]  # fmt: skip
    return f"[{', '.join(maps)}]"


def traps() -> list[str]:
    """Values, each on one line, that a reader must not follow; code would make MARKER."""
    order = f"touch {MARKER}"
    return [
        _bomb(),
        _merges(),
        "&a [*a]",
        "&a {x: *a}",
        "&a {<<: *a}",
        f"!!python/object/apply:os.system ['{order}']",
        f"!!python/object/new:os.system ['{order}']",
        f"!!python/object/apply:subprocess.check_output [['touch', '{MARKER}']]",
        "!!python/name:os.system",
        "!!python/module:os",
        "!!timestamp x",
        "!!bool perhaps",
        "!!int ''",
        "!!int x",
        "!!float x",
        "!!binary é",
        "!!omap [x]",
        "!!set {a, b}",
        "!!pairs [a: b]",
        "!unknown x",
        "*nobody",
        "{? [a, b] : c}",
        "{? {a: b} : c}",
        "{<<: 3}",
        "=",
        "{=: 1}",
        "2001-01-01",
        "190:20:30",
    ]


def _trapped(draw: random.Random, text: str) -> bytes:
    """The text with a trap as its whole, as one more entry, or as the value of an entry."""
    trap, what = draw.choice(traps()), draw.randrange(3)
    if what == 0:
        return trap.encode()
    if what == 1:
        return f"{text}\nextra: {trap}\n".encode()
    found = text.splitlines()
    at = draw.choice([i for i, line in enumerate(found) if ": " in line] or [0])
    found[at] = f"{found[at].partition(': ')[0]}: {trap}"
    return "\n".join(found).encode()
