# SPDX-License-Identifier: Apache-2.0
"""What the files of a run must hold where they hold it: each entry of the kind that is read."""

import reprlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

Content = Mapping[str, Any]
Check = Callable[[Any], bool]


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_count(value: Any) -> bool:
    return type(value) is int and 0 <= value < 2**63


def _may_lack(check: Check) -> Check:
    return lambda value: value is None or check(value)


def _table(check: Check) -> Check:
    return lambda value: isinstance(value, dict) and all(map(check, value.values()))


def _list(check: Check) -> Check:
    return lambda value: isinstance(value, list) and all(map(check, value))


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _names_classes(value: Any) -> bool:
    """Whether whatever has a class_path has a path there, and arguments beside it by name."""
    if isinstance(value, list):
        return all(map(_names_classes, value))
    if not isinstance(value, dict):
        return True
    right = "class_path" not in value or (
        isinstance(value["class_path"], str) and isinstance(value.get("init_args") or {}, dict)
    )
    return right and all(map(_names_classes, value.values()))


def _is_score(value: Any) -> bool:
    """Whether an entry has a value, and numbers beside it where it has them."""
    beside = ("value", "spread", "error", "chance", "untrained", "pca")
    return (
        isinstance(value, dict)
        and "value" in value
        and all(NUMBER(value[part]) for part in beside if part in value)
    )


NUMBER, NUMBERS = _may_lack(_is_number), _may_lack(_list(_may_lack(_is_number)))
STATUS: dict[str, tuple[Check, str]] = {
    "state": (_is_text, "a word"),
    "reason": (_is_text, "words"),
    "step": (_may_lack(_is_count), "a number of steps"),
    "max_steps": (_is_count, "a number of steps"),
    "pid": (lambda value: type(value) is int and 0 < value < 2**31, "a number of a process"),
}
CONFIG: dict[str, tuple[Check, str]] = {
    **dict.fromkeys(("model", "data"), (_names_classes, "a class_path, perhaps with init_args")),
    **dict.fromkeys(
        ("loader", "trainer", "evaluate", "pictures", "wandb", "provenance"),
        (_may_lack(lambda value: isinstance(value, dict)), "entries"),
    ),
}
SCORES: dict[str, tuple[Check, str]] = {
    "scores": (_table(_is_score), "an entry with a value for each score"),
    "points": (_is_count, "a number of pictures"),
    "step": (_may_lack(_is_count), "a number of steps"),
    "active_latents": (_may_lack(_is_count), "a number of latents"),
    "factors": (_may_lack(_table(_table(NUMBER))), "numbers by factor"),
    "rates": (NUMBERS, "a list of numbers"),
    "factor_entropy": (NUMBERS, "a list of numbers"),
    "information": (_may_lack(_list(NUMBERS)), "a list of rows of numbers"),
    "rate_distortion": (_may_lack(lambda value: isinstance(value, dict)), "entries"),
    "drawn": (_may_lack(_table(lambda v: isinstance(v, dict))), "entries by kind of picture"),
    "held_out": (_may_lack(lambda value: isinstance(value, dict)), "entries"),
}


def check_status(file: Path, content: Content) -> None:
    """Raises ValueError where an entry of a status.json is of another kind."""
    _check(file, content, STATUS)


def check_config(file: Path, content: Content) -> None:
    """Raises ValueError where a section of a config.yaml is none."""
    _check(file, content, CONFIG)


def check_scores(file: Path, content: Content) -> None:
    """Raises ValueError where an entry of a metrics.json is of another kind."""
    _check(file, content, SCORES)


def _check(file: Path, content: Content, wanted: Mapping[str, tuple[Check, str]]) -> None:
    for name, (check, what) in wanted.items():
        if name in content and not check(content[name]):
            raise ValueError(
                f"{file}: {name} is {reprlib.repr(content[name])}, but {what} is wanted. It was "
                "changed, or made by something else: restore it, or move it away."
            )
