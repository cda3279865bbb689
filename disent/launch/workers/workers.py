# SPDX-License-Identifier: Apache-2.0
"""Drains a sweep: claims trials, runs each as a process of its own, and notes how it ended."""

import signal
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

from disent.launch.slurm.requeue import REQUEUE
from disent.launch.sweep.file import Sweep
from disent.launch.sweep.trials import local_command
from disent.launch.workers.heartbeat import Heartbeat
from disent.launch.workers.leases import PATIENCE
from disent.launch.workers.outcomes import Outcome
from disent.launch.workers.processes import BUSY, Process, environment_of, visible_gpus
from disent.launch.workers.status import Job, Status
from disent.launch.workers.study import Study
from disent.runs.directory import RunDir

POLL = 0.25  # seconds between two looks at the processes
LOOK = 1.0  # seconds between two looks at the whole sweep, or more where a look takes long
AGAIN = 10.0  # seconds until a run that another process has is tried again


class Workers:
    """Drains a sweep together with any number of other processes that share its folder.

    Args:
        sweep: What to run.
        runs: The folder of run directories.
        slots: Trials to run at once.
        only: Numbers of the trials to run; None: all.
        patience: Seconds without a sign of life after which another process's trial is taken over.
        extra: Options that every run gets besides its own.
        together: Whether other Slurm tasks take part in each run.

    Attributes:
        study: The trials, and how they stand.
        stopping: The SIGINT or SIGTERM that ends the work, or 0.
        requeueing: Whether SIGUSR1 asked to save all and to be started again.
    """

    def __init__(
        self,
        sweep: Sweep,
        runs: Path,
        slots: int = 1,
        *,
        only: Sequence[int] | None = None,
        patience: float = PATIENCE,
        extra: Sequence[str] = (),
        together: bool = False,
    ) -> None:
        if slots < 1:
            raise ValueError(f"workers must be at least 1, got {slots}.")
        self.sweep, self.runs, self.slots = sweep, runs, slots
        self.extra, self.together = tuple(extra), together
        self.study = study = Study(sweep, runs, only, patience)
        self.leases, self.outcomes, self.planner = study.leases, study.outcomes, study.planner
        self.gpus, self.jobs = visible_gpus(), dict[int, Job]()
        self.heartbeat = Heartbeat(patience)
        self.stopping, self.requeueing = 0, False
        self._beat, self._look_at, self._not_before = 0.0, 0.0, dict[str, float]()

    def run(self, tell: Callable[[Status], None], asked: Callable[[], int] = lambda: 0) -> Status:
        """Works until no trial is left, or until a signal.

        On SIGINT, SIGTERM or SIGUSR1 the running trials save themselves and are given back.

        Args:
            tell: Is called at every look.
            asked: The signal that came already, or 0; called when no further one can be missed.
        """
        answers = dict.fromkeys((signal.SIGINT, signal.SIGTERM), self._ended_by)
        with _answered(answers | {signal.SIGUSR1: self._saved_by}):
            signum = asked()
            if signum == signal.SIGUSR1:
                self.requeueing = True
            elif signum:
                self.stopping = signum
            while True:
                self._collect()
                ending = self._is_ending()
                if ending:
                    self._stop()
                else:
                    self._start()
                self._live()
                if not self.jobs or time.monotonic() >= self._look_at:
                    status = self._look(tell)
                    if status.is_done or (ending and not self.jobs):
                        return status
                time.sleep(POLL)

    def _look(self, tell: Callable[[Status], None]) -> Status:
        start = time.monotonic()
        tell(status := self.status())
        took = time.monotonic() - start
        self._look_at = start + max(LOOK, 10 * took)
        return status

    def status(self) -> Status:
        """How the sweep stands now."""
        return self.study.status(list(self.jobs.values()))

    def _is_ending(self) -> bool:
        return bool(self.stopping) or self.requeueing

    def _stop(self) -> None:
        """Tells the running trials once to end; those too that were starting at the signal."""
        for job in list(self.jobs.values()) if self.stopping else ():
            job.process.stop("interrupted")

    def _start(self) -> None:
        """Claims a trial for each free slot, as far as there are any, and no signal comes."""
        free = [slot for slot in range(self.slots) if slot not in self.jobs]
        if not free:
            return
        for trial in self.study.candidates(len(free), list(self.jobs.values())):
            if self._is_ending():
                return
            if time.monotonic() < self._not_before.get(trial.name, 0.0):
                continue
            lease = self.leases.claim(trial.name)
            if lease is None:
                continue
            outcome = self.study.outcome_of(trial.name)
            if outcome.state != "waiting":  # another process ended it since the look
                lease.release()
                continue
            self.heartbeat.add(trial.name, lease)
            slot = free.pop(0)
            process = Process(
                local_command(self.sweep, trial, str(self.runs), self.extra),
                environment_of(slot, self.slots, self.gpus, self.together),
                self.study.notes / "logs" / f"{trial.name}.log",
            )
            self.jobs[slot] = Job(trial, process, outcome.seconds)
            if not free:
                return

    def _collect(self) -> None:
        """Notes the outcome of every process that ended, then gives its lease back."""
        for slot, job in list(self.jobs.items()):
            if job.process.status is None:
                continue
            del self.jobs[slot]
            name, status = job.trial.name, job.process.status
            if status == BUSY:
                self._not_before[name] = time.monotonic() + AGAIN
            if self.heartbeat.is_mine(name):
                self.outcomes.write(name, _outcome(job, status, RunDir(self.runs / name)))
            self.heartbeat.release(name)

    def _live(self) -> None:
        """At every heartbeat: looks for trials that are taken over, or are to be given up early."""
        if time.monotonic() - self._beat < self.heartbeat.pause:
            return
        self._beat = time.monotonic()
        self.heartbeat.beat()
        for job in self.jobs.values():
            if self.requeueing:  # once more: a run that was only starting had no ears yet
                job.process.signal(signal.SIGUSR1)
            if not self.heartbeat.is_mine(job.trial.name):
                job.process.stop("taken over")
            elif (bracket := self.study.lost_bracket(job.trial)) is not None:
                job.process.stop(f"given up early, after {bracket} logged values of the metric")

    def _ended_by(self, signum: int, frame: FrameType | None) -> None:
        self.stopping = signum
        self._stop()

    def _saved_by(self, signum: int, frame: FrameType | None) -> None:
        self.requeueing = True
        for job in list(self.jobs.values()):
            job.process.signal(signum)


@contextmanager
def _answered(
    answers: Mapping[signal.Signals, Callable[[int, FrameType | None], None]],
) -> Iterator[None]:
    """Signals are answered as told, and as before afterwards."""
    before: dict[signal.Signals, Any] = {
        signum: signal.signal(signum, f) for signum, f in answers.items()
    }
    try:
        yield
    finally:
        for signum, handler in before.items():
            signal.signal(signum, handler)


def _outcome(job: Job, status: int, run: RunDir) -> Outcome:
    """How the end of a process is to be read: exit status, what it was asked, what its run says."""
    said, seconds = run.status(), job.before + job.process.seconds
    if status == 0 and said.get("state") in ("finished", None):
        return Outcome("finished", seconds=seconds)
    if status == 0 and said.get("state") == "stopped":  # by its own limit of time
        return Outcome("stopped", str(said.get("reason", "")), seconds)
    if job.process.asked_to_stop.startswith("given up"):
        return Outcome("stopped", job.process.asked_to_stop, seconds)
    if job.process.asked_to_stop or status in (BUSY, REQUEUE):
        return Outcome("waiting", seconds=seconds)
    reason = job.process.last_words() or str(said.get("reason", ""))
    if status - 128 in set(signal.Signals):  # a command may well say 255 of its own accord
        reason = f"killed by {signal.Signals(status - 128).name}"
    return Outcome("failed", reason or f"exit status {status}", seconds)
