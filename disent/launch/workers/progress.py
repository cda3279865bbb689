# SPDX-License-Identifier: Apache-2.0
"""How a sweep stands, in words: a live table on a terminal, a line per change in a log."""

import statistics
from typing import Self

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from disent.launch.workers.outcomes import last_step
from disent.launch.workers.status import Job, Status
from disent.runs.directory import RunDir


class Board:
    """Shows the status of a sweep, look after look.

    Args:
        runs: The folder of run directories.
        slots: Trials that this process runs at once; for the time that is left.
    """

    def __init__(self, name: str, runs: str, slots: int) -> None:
        self.name, self.runs, self.slots = name, runs, slots
        self.console = Console()
        self._live = Live(console=self.console, refresh_per_second=2, transient=True)
        self._said = ""

    def __enter__(self) -> Self:
        if self.console.is_terminal:
            self._live.start()
        return self

    def __exit__(self, *exception: object) -> None:
        if self.console.is_terminal:
            self._live.stop()

    def show(self, status: Status) -> None:
        """Redraws the table; in a log, adds a line if the numbers have changed."""
        if self.console.is_terminal:
            self._live.update(self._table(status))
            return
        line = counts(status)
        if line != self._said:
            self._said = line
            print(f"{self.name}: {line}{self._left(status)}", flush=True)

    def _table(self, status: Status) -> Table:
        title = Text(f"{self.name}: {counts(status)}{self._left(status)}", "table.title")
        table = Table("running", "step", "seconds", title=title, title_justify="left")
        for job in status.here:
            table.add_row(job.trial.name, self._step(job), f"{job.process.seconds:,.0f}")
        for name in status.elsewhere:
            table.add_row(name, "", "elsewhere")
        for name, reason in status.failed.items():
            # as text: square brackets in an error are no orders to the table
            table.add_row(Text(name, style="red"), "failed", Text(reason[:60]))
        return table

    def _step(self, job: Job) -> str:
        run = RunDir(f"{self.runs}/{job.trial.name}")
        step, last = last_step(run), run.status().get("max_steps")
        return "" if step is None else f"{step:,}" + (f" of {last:,}" if last else "")

    def _left(self, status: Status) -> str:
        seconds = [s for s in status.seconds if s > 0]
        if not seconds or status.is_done:
            return ""
        each = statistics.fmean(seconds)
        work = each * (len(status.waiting) + status.to_come)
        work += sum(max(each - job.process.seconds - job.before, 0) for job in status.here)
        return f"; about {duration(work / self.slots)} left"


def counts(status: Status) -> str:
    """The numbers of a sweep in one line."""
    parts = [f"{len(status.finished)} of {status.total} done"]
    if status.here:
        parts.append(f"{len(status.here)} running")
    if status.elsewhere:
        parts.append(f"{len(status.elsewhere)} running elsewhere")
    if status.waiting:
        parts.append(f"{len(status.waiting)} waiting")
    if status.to_come:
        parts.append(f"{status.to_come} to come")
    if status.failed:
        parts.append(f"{len(status.failed)} failed")
    return ", ".join(parts)


def duration(seconds: float) -> str:
    """In the unit that a reader would choose.

    Example:
        >>> duration(40), duration(600), duration(10_000)
        ('40 s', '10 min', '2.8 h')
    """
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"
