# SPDX-License-Identifier: Apache-2.0
"""One reading of one damaged file: what came of it, within a few seconds and a little memory."""

import contextlib
import io
import os
import resource
import signal
import time
import traceback
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from disent.runs.own_code import ON_PURPOSE
from tests.faults.damage import clear
from tests.faults.documents import MARKER

SECONDS = 5.0
ROOM = 2 * 2**30  # bytes that a reading may take beside what the process has


class Hang(BaseException):
    """It took too long."""


@dataclass(frozen=True)
class Outcome:
    """What came of a reading.

    Attributes:
        what: result, refused (one line), pages (a refusal of many lines), traceback, hang, left
            (files that were not there before), or code (the file's code was run).
        told: The message, or where it came from.
    """

    what: str
    told: str = ""


def attempt(read: Callable[[Path], object], file: Path, folder: Path, lines: int = 1) -> Outcome:
    """Reads a file in a folder as a command would, which turns some errors into one line.

    Args:
        read: A reader.
        file: What it reads.
        folder: Where no file may be left.
        lines: That a refusal may have.
    """
    before, start = listing(folder), time.process_time()
    try:
        with _alarm(SECONDS), _silently():
            read(file)
        outcome = Outcome("result")
    except Hang:
        outcome = Outcome("hang")
    except ON_PURPOSE as error:
        told = str(error)
        outcome = Outcome("refused" if told.strip() and told.count("\n") < lines else "pages", told)
    except Exception as error:
        frames = traceback.extract_tb(error.__traceback__)
        own = [frame for frame in frames if "/disent/" in frame.filename] or frames
        at = f"{Path(own[-1].filename).name}:{own[-1].lineno}"
        outcome = Outcome("traceback", f"{at} {type(error).__name__}: {str(error)[:200]}")
    if time.process_time() - start > SECONDS:
        outcome = Outcome("hang", outcome.told)
    if left := listing(folder) - before:
        outcome = Outcome("left", ", ".join(sorted(left)))
    if MARKER.exists():
        clear(MARKER)
        outcome = Outcome("code")
    return outcome


def listing(folder: Path) -> set[str]:
    """All names below a folder."""
    return {os.path.join(at, name) for at, *names in os.walk(folder) for name in chain(*names)}


@contextlib.contextmanager
def little_memory() -> Iterator[None]:
    """Within it the process may grow by ROOM only: what claims more is refused by the system."""
    before = resource.getrlimit(resource.RLIMIT_AS)
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + ROOM, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)


@contextlib.contextmanager
def _alarm(seconds: float) -> Iterator[None]:
    """Ends what takes more seconds of the processor, or waits for a minute."""

    def ring(*_: object) -> None:
        raise Hang

    timers = {
        signal.SIGPROF: (signal.ITIMER_PROF, seconds),
        signal.SIGALRM: (signal.ITIMER_REAL, 60),
    }
    former = {signum: signal.signal(signum, ring) for signum in timers}
    try:
        for timer, limit in timers.values():
            signal.setitimer(timer, limit)
        yield
    finally:
        for signum, (timer, _) in timers.items():
            signal.setitimer(timer, 0)
            signal.signal(signum, former[signum])


@contextlib.contextmanager
def _silently() -> Iterator[None]:
    """Warnings and tables are no faults."""
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        yield
