# SPDX-License-Identifier: Apache-2.0
"""A sweep's folder, as all who share it see it: which trials there are, and how each stands."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from disent.launch.sweep.file import Sweep
from disent.launch.sweep.hyperband import bracket_lost
from disent.launch.sweep.identity import check_same
from disent.launch.sweep.planner import Planner
from disent.launch.sweep.trials import Trial
from disent.launch.workers.leases import PATIENCE, Leases
from disent.launch.workers.outcomes import Outcome, Outcomes, last_value, logged_values
from disent.launch.workers.status import Job, Status
from disent.runs.directory import RunDir


class Study:
    """The trials of a sweep in a folder of runs, with their leases and outcomes.

    Args:
        sweep: What is run.
        runs: The folder of run directories; the notes on them lie below it, in .sweeps/NAME.
        only: Numbers of the trials to look at; None: all.
        patience: Seconds without a sign of life after which another process's trial is taken over.
    """

    def __init__(
        self,
        sweep: Sweep,
        runs: Path,
        only: Sequence[int] | None = None,
        patience: float = PATIENCE,
    ) -> None:
        self.sweep, self.only = sweep, only
        self.notes = runs / ".sweeps" / sweep.name
        self.leases = Leases(self.notes / "leases", patience)
        self.outcomes = Outcomes(self.notes / "outcomes", runs, sweep.length)
        self.planner = Planner(sweep, self.notes / "trials", self.outcomes)
        self._ended: dict[str, Outcome] = {}  # what has ended is read once

    def check(self, *, keep: bool = True) -> None:
        """Looks whether this sweep can be run here; notes what it is, if `keep`.

        Raises:
            ValueError: The trials that were asked for do not exist, or the runs of this name are
                those of other settings.
        """
        bayes = self.sweep.method == "bayes"
        count = self.sweep.cap if bayes else len(self.planner.trials())
        if self.only and count is not None and min(self.only) >= count:
            raise ValueError(
                f"there is no trial {min(self.only)}: {self.sweep.name} has {count}, "
                "counted from 0."
            )
        check_same(self.sweep, self.notes / "sweep.json", keep=keep)

    def trials(self) -> list[Trial]:
        """Those to look at, as far as they are known."""
        return [t for t in self.planner.trials() if self.only is None or t.index in self.only]

    def to_come(self) -> int:
        """How many trials a search by results has still to choose."""
        if not self.planner.proposes:
            return 0
        unknown = range(len(self.planner.trials()), self.sweep.cap or 0)
        return sum(self.only is None or index in self.only for index in unknown)

    def outcome_of(self, name: str) -> Outcome:
        """How a trial stands; from memory once it has ended."""
        if name in self._ended:
            return self._ended[name]
        outcome = self.outcomes.read(name)
        if outcome.state != "waiting":
            self._ended[name] = outcome
        return outcome

    def status(self, here: Sequence[Job] = ()) -> Status:
        """How the sweep stands now, for a process that runs the jobs `here`."""
        to_come = self.to_come()  # before the trials: one that is chosen meanwhile is not missed
        trials = self.trials()
        status = Status(len(trials), here=list(here), to_come=to_come)
        mine = {job.trial.name for job in here}
        for trial in trials:
            if trial.name in mine:
                continue
            outcome = self.outcome_of(trial.name)
            if outcome.state in ("finished", "stopped"):
                status.finished.append(trial.name)
                status.seconds.append(outcome.seconds)
            elif outcome.state == "failed":
                status.failed[trial.name] = outcome.reason
            elif self.leases.is_held(trial.name):
                status.elsewhere.append(trial.name)
            else:
                status.waiting.append(trial)
        return status

    def without_metric(self, names: Sequence[str]) -> str:
        """What to say where none of these trials has a value of the sweep's metric; else empty."""
        metric, runs = self.sweep.metric, [RunDir(self.outcomes.runs / name) for name in names]
        if metric is None or not runs or any(last_value(run, metric) is not None for run in runs):
            return ""
        return (
            f"none of the runs has a value of {metric.name}, which metric: names. It is a score in "
            "their metrics.json, or a column of metrics.csv or evaluations.csv."
        )

    def candidates(self, count: int, here: Sequence[Job]) -> Iterator[Trial]:
        """Trials that may wait; for a search by results, at least `count` where it has so many."""
        known = len(self.planner.trials())
        if self.only:
            self.planner.propose(max(self.only) + 1 - known)
        elif self.planner.proposes:
            self.planner.propose(count - len(self.status(here).waiting))
        mine = {job.trial.name for job in here}
        for trial in self.trials():
            if trial.name not in mine and self.outcome_of(trial.name).state == "waiting":
                yield trial

    def lost_bracket(self, trial: Trial) -> int | None:
        """The bracket at which a trial that runs should be given up; None: it goes on."""
        early, metric = self.sweep.early, self.sweep.metric
        if early is None or metric is None:
            return None
        values = {
            other.name: logged_values(RunDir(self.outcomes.runs / other.name), metric)
            for other in self.planner.trials()
        }
        mine = values.pop(trial.name, [])
        return bracket_lost(mine, list(values.values()), early, metric.goal)

    def retry(self) -> list[str]:
        """Lets failed trials be run again; returns their names."""
        failed = list(self.status().failed)
        for name in failed:
            del self._ended[name]
            self.outcomes.write(name, Outcome("waiting", seconds=self.outcomes.read(name).seconds))
        return failed
