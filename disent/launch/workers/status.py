# SPDX-License-Identifier: Apache-2.0
"""How a sweep stands: what has ended, what runs here and elsewhere, what waits."""

from dataclasses import dataclass, field

from disent.launch.sweep.trials import Trial
from disent.launch.workers.processes import Process


@dataclass
class Job:
    """A trial that this process runs."""

    trial: Trial
    process: Process
    before: float  # seconds of earlier attempts


@dataclass(frozen=True)
class Status:
    """How a sweep stands.

    Attributes:
        total: Trials, as far as they are known.
        finished: Names, stopped ones included.
        failed: Name -> reason.
        here: Jobs of this process.
        elsewhere: Names of trials that other processes run.
        waiting: Names of trials that nobody runs.
        seconds: Of each finished trial.
        to_come: How many a search by results has still to choose.
    """

    total: int
    finished: list[str] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)
    here: list[Job] = field(default_factory=list)
    elsewhere: list[str] = field(default_factory=list)
    waiting: list[Trial] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    to_come: int = 0

    @property
    def is_done(self) -> bool:
        """Whether no trial is left to run, here or elsewhere."""
        return not (self.here or self.elsewhere or self.waiting or self.to_come)
