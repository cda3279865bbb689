# SPDX-License-Identifier: Apache-2.0
"""Drains a sweep: claims trials, runs each as a process of its own, and notes how it ended."""

import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

from disent.launch.children import BUSY, Child, environment_of, visible_gpus
from disent.launch.hyperband import bracket_lost
from disent.launch.lease import HEARTBEAT, PATIENCE, Leases
from disent.launch.outcome import Outcome, Outcomes, logged_values
from disent.launch.planner import Planner
from disent.launch.requeue import REQUEUE
from disent.launch.standing import Job, Standing
from disent.launch.sweep import Sweep
from disent.launch.trials import Trial, local_command
from disent.runs.directory import RunDir

POLL = 0.25  # seconds between two looks at the children
LOOK = 1.0  # seconds between two looks at the whole sweep, or more where a look takes long
AGAIN = 10.0  # seconds until a run that another process has is tried again


class Workers:
    """Drains a sweep together with any number of other processes that share its folder.

    Args:
        sweep: What to run.
        runs: The folder of run directories; what the workers note lies below it, in .sweeps/NAME.
        slots: Trials to run at once.
        only: Numbers of the trials to run; None: all.
        patience: Seconds without a sign of life after which another process's trial is taken over.
        extra: Options that every run gets besides its own.
        together: Whether other Slurm tasks take part in each run.

    Attributes:
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
        self.sweep, self.runs, self.slots, self.only = sweep, runs, slots, only
        self.extra, self.together = tuple(extra), together
        self.notes = runs / ".sweeps" / sweep.name
        self.leases = Leases(self.notes / "leases", patience)
        self.outcomes = Outcomes(self.notes / "outcomes", runs)
        self.planner = Planner(sweep, self.notes / "trials", self.outcomes)
        self.gpus, self.jobs = visible_gpus(), dict[int, Job]()
        self.stopping, self.requeueing = 0, False
        self._beat, self._look_at, self._not_before = 0.0, 0.0, dict[str, float]()
        self._ended: dict[str, Outcome] = {}  # what has ended is read once

    def check(self) -> None:
        """Raises ValueError if the trials that were asked for do not exist."""
        bayes = self.sweep.method == "bayes"
        count = self.sweep.cap if bayes else len(self.planner.trials())
        if self.only and count is not None and min(self.only) >= count:
            raise ValueError(
                f"there is no trial {min(self.only)}: {self.sweep.name} has {count}, "
                "counted from 0."
            )

    def run(self, tell: Callable[[Standing], None]) -> Standing:
        """Works until no trial is left, or until a signal; `tell` is called at every look.

        On SIGINT, SIGTERM or SIGUSR1 the running trials save themselves and are given back.
        """
        with self._signals():
            while True:
                self._collect()
                ending = bool(self.stopping) or self.requeueing
                if not ending:
                    self._start()
                self._live()
                if not self.jobs or time.monotonic() >= self._look_at:
                    standing = self._look(tell)
                    if standing.is_done or (ending and not self.jobs):
                        return standing
                time.sleep(POLL)

    def _look(self, tell: Callable[[Standing], None]) -> Standing:
        start = time.monotonic()
        tell(standing := self.standing())
        took = time.monotonic() - start
        self._look_at = start + max(LOOK, 10 * took)
        return standing

    def standing(self) -> Standing:
        """How the sweep stands now."""
        trials = self._trials()
        standing = Standing(len(trials), here=list(self.jobs.values()))
        mine = {job.trial.name for job in self.jobs.values()}
        for trial in trials:
            if trial.name in mine:
                continue
            outcome = self._outcome_of(trial.name)
            if outcome.state in ("finished", "stopped"):
                standing.finished.append(trial.name)
                standing.seconds.append(outcome.seconds)
            elif outcome.state == "failed":
                standing.failed[trial.name] = outcome.reason
            elif self.leases.is_held(trial.name):
                standing.elsewhere.append(trial.name)
            else:
                standing.waiting.append(trial)
        return standing

    def retry(self) -> list[str]:
        """Lets failed trials be run again; returns their names."""
        failed = list(self.standing().failed)
        for name in failed:
            del self._ended[name]
            self.outcomes.write(name, Outcome("waiting", seconds=self.outcomes.read(name).seconds))
        return failed

    def _start(self) -> None:
        """Claims a trial for each free slot, as far as there are any."""
        free = [slot for slot in range(self.slots) if slot not in self.jobs]
        if not free:
            return
        for trial in self._candidates(len(free)):
            if time.monotonic() < self._not_before.get(trial.name, 0.0):
                continue
            lease = self.leases.claim(trial.name)
            if lease is None:
                continue
            outcome = self._outcome_of(trial.name)
            if outcome.state != "waiting":  # another process ended it since the look
                lease.release()
                continue
            slot = free.pop(0)
            child = Child(
                local_command(self.sweep, trial, str(self.runs), self.extra),
                environment_of(slot, self.slots, self.gpus, self.together),
                self.notes / "logs" / f"{trial.name}.log",
            )
            self.jobs[slot] = Job(trial, lease, child, outcome.seconds)
            if not free:
                return

    def _candidates(self, count: int) -> Iterator[Trial]:
        """Trials that may wait; for a search by results, at least `count` where it has so many."""
        known = len(self.planner.trials())
        if self.only:
            self.planner.propose(max(self.only) + 1 - known)
        elif self.planner.proposes:
            self.planner.propose(count - len(self.standing().waiting))
        mine = {job.trial.name for job in self.jobs.values()}
        for trial in self._trials():
            if trial.name not in mine and self._outcome_of(trial.name).state == "waiting":
                yield trial

    def _trials(self) -> list[Trial]:
        return [t for t in self.planner.trials() if self.only is None or t.index in self.only]

    def _outcome_of(self, name: str) -> Outcome:
        """How a trial stands; from memory once it has ended."""
        if name in self._ended:
            return self._ended[name]
        outcome = self.outcomes.read(name)
        if outcome.state != "waiting":
            self._ended[name] = outcome
        return outcome

    def _collect(self) -> None:
        """Notes the outcome of every child that ended, then gives its lease back."""
        for slot, job in list(self.jobs.items()):
            if job.child.status is None:
                continue
            del self.jobs[slot]
            if job.child.asked_to_stop == "taken over":
                continue
            if job.child.status == BUSY:
                self._not_before[job.trial.name] = time.monotonic() + AGAIN
            self.outcomes.write(
                job.trial.name, _outcome(job, job.child.status, RunDir(self.runs / job.trial.name))
            )
            job.lease.release()

    def _live(self) -> None:
        """Every few seconds: touches the leases, and looks for trials to give up early."""
        if time.monotonic() - self._beat < min(HEARTBEAT, self.leases.patience / 4):
            return
        self._beat = time.monotonic()
        for job in self.jobs.values():
            if self.requeueing:  # once more: a run that was only starting had no ears yet
                job.child.signal(signal.SIGUSR1)
            if not job.lease.beat():
                job.child.stop("taken over")
            elif self.sweep.early and self.sweep.metric:
                self._give_up(job)

    def _give_up(self, job: Job) -> None:
        assert self.sweep.early
        assert self.sweep.metric
        values = {
            trial.name: logged_values(RunDir(self.runs / trial.name), self.sweep.metric)
            for trial in self.planner.trials()
        }
        mine = values.pop(job.trial.name, [])
        goal = self.sweep.metric.goal
        bracket = bracket_lost(mine, list(values.values()), self.sweep.early, goal)
        if bracket is not None:
            job.child.stop(f"given up early, after {bracket} logged values of the metric")

    @contextmanager
    def _signals(self) -> Iterator[None]:
        """Signals end the work in good order."""

        def stop(signum: int, frame: FrameType | None) -> None:
            self.stopping = signum
            for job in self.jobs.values():
                job.child.stop("interrupted")

        def save(signum: int, frame: FrameType | None) -> None:
            self.requeueing = True
            for job in self.jobs.values():
                job.child.signal(signum)

        answers: dict[int, Any] = dict.fromkeys((signal.SIGINT, signal.SIGTERM), stop)
        answers[signal.SIGUSR1] = save
        before: dict[int, Any] = {signum: signal.signal(signum, f) for signum, f in answers.items()}
        try:
            yield
        finally:
            for signum, handler in before.items():
                signal.signal(signum, handler)


def _outcome(job: Job, status: int, run: RunDir) -> Outcome:
    """How a child's end is to be read: exit status, what it was asked, what its run says."""
    said, seconds = run.status(), job.before + job.child.seconds
    if status == 0 and said.get("state") in ("finished", None):
        return Outcome("finished", seconds=seconds)
    if job.child.asked_to_stop.startswith("given up"):
        return Outcome("stopped", job.child.asked_to_stop, seconds)
    if job.child.asked_to_stop or status in (BUSY, REQUEUE):
        return Outcome("waiting", seconds=seconds)
    reason = job.child.last_words() or str(said.get("reason", ""))
    if status > 128:
        reason = f"killed by {signal.Signals(status - 128).name}"
    return Outcome("failed", reason or f"exit status {status}", seconds)
