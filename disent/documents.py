# SPDX-License-Identifier: Apache-2.0
"""YAML and JSON from outside: read without trusting them, and refused in one line."""

import json
from pathlib import Path
from typing import Any

import yaml

LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # ten times faster, where libyaml is
LARGEST = 1_000_000  # entries, those behind aliases counted wherever they stand
DEEPEST = 100  # levels
OPENERS = "[{-:?"  # a level needs one of them; libyaml makes nodes by a recursion that may crash
MANY = 5_000  # of them, below which it cannot
# PyYAML's own, and what tags that do not fit their values lead it to
YAML_ERRORS = (yaml.YAMLError, ValueError, LookupError, TypeError, AttributeError, ArithmeticError)


def read_text(file: Path) -> str:
    """The text of a file in UTF-8.

    Raises:
        OSError: It cannot be read.
        ValueError: It is no such text.
    """
    try:
        return file.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(f"{file} is no text in UTF-8: {error}") from None


def read_yaml(file: Path) -> Any:
    """What a YAML file holds; nothing in it is executed.

    Raises:
        OSError: It cannot be read.
        ValueError: It is no YAML, or unfolds into more than anybody would write; in one line.
    """
    try:
        return parse_yaml(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{file} is not YAML: {error}") from None


def parse_yaml(text: str) -> Any:
    """What a text holds as YAML; raises ValueError, in one line, as `read_yaml` does.

    Example:
        >>> parse_yaml("a: [1, 2]")
        {'a': [1, 2]}
        >>> parse_yaml("&a [*a]")
        Traceback (most recent call last):
        ValueError: it is nested more than 100 levels deep
    """
    loader = None
    try:
        if sum(map(text.count, OPENERS)) > MANY:
            _check_events(text)
        loader = LOADER(text)  # which looks at the first characters
        node = loader.get_single_node()
        if node is None:
            return None
        _unfolded(node, {}, DEEPEST)
        return loader.construct_document(node)
    except RecursionError:
        raise ValueError(f"it is nested more than {DEEPEST} levels deep") from None
    except YAML_ERRORS as error:
        raise ValueError(" ".join(str(error).split()) or type(error).__name__) from None
    finally:
        if loader is not None:
            loader.dispose()


def read_json(file: Path) -> Any:
    """What a JSON file holds.

    Raises:
        OSError: It cannot be read.
        ValueError: It is no JSON, or nested too deeply; in one line.
    """
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
        _check_depth(content, DEEPEST)
    except ValueError as error:
        raise ValueError(f"{file} is not JSON: {error}") from None
    except RecursionError:
        raise ValueError(f"{file} is not JSON: it is nested too deeply") from None
    return content


def _check_events(text: str) -> None:
    """Raises ValueError where collections stand in each other too deeply; by no recursion."""
    depth = 0
    for event in yaml.parse(text, Loader=LOADER):
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > DEEPEST:
            raise ValueError(f"it is nested more than {DEEPEST} levels deep")


def _unfolded(node: yaml.Node, known: dict[int, tuple[int, int]], left: int) -> tuple[int, int]:
    """How many entries a node becomes, and levels; ValueError where either are too many."""
    if id(node) not in known and left > 0:
        found = node.value if isinstance(node, yaml.CollectionNode) else ()
        parts = [part for each in found for part in (each if isinstance(each, tuple) else (each,))]
        inside = [_unfolded(part, known, left - 1) for part in parts]
        deepest = max((levels for _, levels in inside), default=0)
        known[id(node)] = 1 + sum(entries for entries, _ in inside), 1 + deepest
    entries, levels = known.get(id(node), (0, DEEPEST + 1))
    if levels > DEEPEST:
        raise ValueError(f"it is nested more than {DEEPEST} levels deep")
    if entries > LARGEST:
        raise ValueError(f"its aliases unfold into more than {LARGEST:,} entries")
    return entries, levels


def _check_depth(value: Any, levels: int) -> None:
    if levels < 0:
        raise ValueError(f"it is nested more than {DEEPEST} levels deep")
    if isinstance(value, dict | list):
        for part in value.values() if isinstance(value, dict) else value:
            _check_depth(part, levels - 1)
