# SPDX-License-Identifier: Apache-2.0
"""One line for what a parser complains of, instead of a page."""

import re
from collections.abc import Sequence

from disent.runs.classes import did_you_mean, told
from disent.runs.own_code import ON_PURPOSE, place_of

NAMES = {"int": "Expected a whole number", "bool": "Expected true or false"}


def explain(message: str, known: Sequence[str]) -> str:
    """What a parser complains of in one line, with the names nearest to a misspelling.

    Example:
        >>> explain("unrecognized arguments: --trainer.max_step 3", ["--trainer.max_steps"])
        '--trainer.max_step is no option. Did you mean --trainer.max_steps?'
    """
    key = "--" + ".".join(re.findall(r'Parser key "([\w.]+)"', message))
    if found := re.search(r"unrecognized arguments: ([^\s=]+)", message):
        return f"{found[1]} is no option.{_nearest(found[1], known)}"
    if "arguments are required: model" in message:
        return "no model is chosen. Take a preset (--config quickstart), or add --model BetaVAE."
    if found := re.search(r"arguments are required: (\w+)", message):
        return f"{key}.{found[1]} is missing, and has no default."
    if found := re.search(r"Option '([\w.]+)' is not accepted", message):
        return f"{key}.{found[1]} is no option.{_nearest(f'{key}.{found[1]}', known)}"
    if found := re.search(r"Expected a dot import path string: (\S+)", message):
        near = did_you_mean(found[1], known) or (
            " The path of one is wanted: package.module.CLASS, or FILE.CLASS of your own FILE.py."
        )
        return f"{key} {found[1]}: there is no such class.{near}"
    if found := re.search(r"(Expected .*?)\.? Got value: (.*)", message):
        return f"{key} {found[2]}: {_plain(found[1])}."
    if "Union subtypes" in message:
        return _of_several(key, message)
    if found := re.search(r"Errors:\n  - (.*)", message):
        return found[1]
    lines = [line.strip(" -") for line in message.splitlines() if line.strip()]
    return " ".join(lines[:3])


def what_was_raised(error: BaseException) -> str:
    """Why an object could not be made: what its class said, or how its code failed, and where.

    Args:
        error: What the parser made of it, whose cause, or the cause of that, is the original.
    """
    while error.__cause__ is not None and _is_of_parser(error):
        error = error.__cause__
    if _is_of_parser(error):
        return explain(str(error), [])
    if not isinstance(error, ON_PURPOSE):
        return told(error)
    place = place_of(error)  # Python raises ValueErrors, too, which say little without it
    return f"{error} ({place})" if place else str(error)


PARSER = ("Union subtypes", "Parser key", "Problem with given class_path")  # its own words


def _is_of_parser(error: BaseException) -> bool:
    return any(words in str(error) for words in PARSER)


def _of_several(key: str, message: str) -> str:
    """What is wrong with a value that may be of several types, of which none took it."""
    given = re.search(r"Given value: (.*)", message)
    said = [line.strip(" -") for line in re.findall(r"\n +- (.*)", message)]
    frame = ("Parser key", "Does not validate", "Expected a path but", "Expected a <class 'None")
    # the parser tells what its whole type is, and then what came of the value
    reasons = [
        line.rpartition(" callable class: ")[2] for line in said if not line.startswith(frame)
    ]
    reasons = [_plain(line.partition(" Got value: ")[0]).rstrip(".") for line in reasons]
    said = "; or: ".join(dict.fromkeys(reasons)) or "not accepted"
    if "Parser key" not in message:  # a class has refused it, in its own words
        return f"{said}."
    value = f" {given[1]}" if given and "NestedArg" not in given[1] else ""
    return f"{key}{value}: {said}."


def _plain(text: str) -> str:
    """Without the ways in which Python writes classes and choices."""
    text = re.sub(r"a typing\.Literal\[(.*?)\]", r"one of \1", text)
    text = re.sub(r"Expected a <class '(int|bool)'>", lambda found: NAMES[found[1]], text)
    return re.sub(r"<class '(?:[\w.]*\.)?(\w+)'>", r"\1", text)


def _nearest(word: str, known: Sequence[str]) -> str:
    return did_you_mean(word, known) or " See disent fit --help."
