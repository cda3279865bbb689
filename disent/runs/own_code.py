# SPDX-License-Identifier: Apache-2.0
"""Errors in code that is not the suite's own: one line with file and line; the rest is kept."""

import os
import sysconfig
import traceback
from contextlib import suppress
from pathlib import Path

from disent.files import write_text

HOUSE = Path(__file__).parents[1]
INSTALLED = {"site-packages", "dist-packages"}  # what is there, versions tell
WHOLE = "DISENT_TRACEBACK"  # set in the environment, it shows tracebacks, not lines
LONGEST = 400  # characters that are told of an error
ON_PURPOSE = (ValueError, OSError, ArithmeticError)  # what the suite says to its user


def is_own(file: Path) -> bool:
    """Whether a source file is somebody's own: neither the suite's, nor Python's, nor installed."""
    if file.suffix != ".py" or not file.is_file() or file.is_relative_to(HOUSE):
        return False
    library = sysconfig.get_path("stdlib")
    return not INSTALLED & set(file.parts) and not file.is_relative_to(library)


def place_of(error: BaseException) -> str | None:
    """Where in somebody's own code an error came up, the last of such places; None: in none.

    Example:
        >>> place_of(ValueError("raised nowhere")) is None
        True
    """
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if is_own(Path(frame.filename))]
    return f"{Path(own[-1].filename).name}, line {own[-1].lineno}" if own else None


def in_one_line(error: BaseException) -> str | None:
    """What to say of an error to who typed the command; None: its traceback.

    That is kept for what the suite itself did wrong, and for who asked for it: DISENT_TRACEBACK=1.

    Example:
        >>> in_one_line(ValueError("no such run"))
        'no such run'
        >>> in_one_line(KeyError("a mistake of the suite")) is None
        True
    """
    if os.environ.get(WHOLE):
        return None
    if (place := place_of(error)) is None:
        return str(error) if isinstance(error, ON_PURPOSE) else None
    where = getattr(error, "__notes__", None) or [f"{WHOLE}=1 before the command shows it whole"]
    return f"{what(error)} ({place}; {where[-1]})"


def what(error: BaseException) -> str:
    """Class and words of an error, in one line."""
    words = " ".join(str(error).split())
    words = words if len(words) <= LONGEST else f"{words[:LONGEST]} ..."  # torch lists overloads
    return f"{type(error).__name__}: {words}".strip(": ")


def keep_traceback(error: BaseException, file: Path) -> None:
    """Writes the traceback of an error in own code into a file, which its line then names."""
    if place_of(error) is None:
        return
    with suppress(OSError):  # such as of a full disk
        write_text(file, "".join(traceback.format_exception(error)))
        error.add_note(f"whole in {file}")
