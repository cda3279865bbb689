# SPDX-License-Identifier: Apache-2.0
"""Trains the trials of a sweep in fleets; what remains of each run is left to `disent fit`."""

import gc
from collections import defaultdict
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass

import torch
from lightning.fabric.utilities.exceptions import MisconfigurationException

from disent.data.base import PictureDataset
from disent.fleet import Member
from disent.fleet.groups import Planned, plan
from disent.fleet.run import FleetRun, member_of, trainer_of
from disent.fleet.speed import measure
from disent.launch.workers.heartbeat import Heartbeat
from disent.launch.workers.processes import cores
from disent.launch.workers.workers import Workers
from disent.runs.build import make
from disent.runs.directory import RunDir
from disent.runs.mistakes import explain
from disent.runs.own_code import place_of
from disent.runs.run import Run
from disent.stops import InterruptedRunError, StopRequest
from disent.training.start import prepare_process


@dataclass(frozen=True)
class Fleets:
    """How fleets are to be trained.

    Attributes:
        workers: Whose sweep, study and leases they are.
        size: Members at once; None: measured.
        stop: Notes the signals.
        compiled: Whether the step is compiled, on an accelerator.
    """

    workers: Workers
    size: int | None
    stop: StopRequest
    compiled: bool = False

    def train(self) -> None:
        """Trains all that can be trained together, until nothing waits or a signal comes.

        A group that cannot be trained together, for whatever reason, is left to the workers.
        """
        prepare_process()
        workers = self.workers
        waiting = list(workers.study.candidates(0, []))
        groups = plan(workers.sweep, waiting, workers.runs, workers.extra, self._is_stopping)
        for reason, names in groups.reasons.items():
            several = f"{len(names)} trials are" if len(names) > 1 else f"{names[0]} is"
            print(f"{several} run alone: {reason.splitlines()[0]}", flush=True)
        for group in groups.together:
            try:
                self._train_all(group)
            except InterruptedRunError:
                raise
            except Exception as error:
                expected = (ValueError, OSError, RuntimeError, MisconfigurationException)
                if not isinstance(error, expected) and place_of(error) is None:
                    raise
                reason = explain(str(error), [])
                print(f"{len(group)} trials are run alone: {reason}", flush=True)
            _give_back_memory(self.compiled)

    def _is_stopping(self) -> bool:
        return bool(self.stop.signum)

    def _train_all(self, group: Sequence[Planned]) -> None:
        size = 0 if self._is_stopping() else self.size or self._measured(group)
        while size > 1 and not self._is_stopping() and self._train_some(group, size):
            _give_back_memory(self.compiled)

    def _measured(self, group: Sequence[Planned]) -> int:
        """The size of the fastest fleet; 0 where separate processes are faster, as on any CPU."""
        config = group[0].config
        device = trainer_of(config["trainer"]).strategy.root_device
        if device.type == "cpu":
            print("on a CPU separate processes are faster than a fleet", flush=True)
            return 0
        dataset = make(config, "data", PictureDataset)
        processes = min(self.workers.slots, cores(), len(group))
        print(f"measuring fleets of up to {len(group)} ...", flush=True)

        def member(i: int) -> Member:
            return member_of(group[i % len(group)], dataset)

        most, stopping = len(group), self._is_stopping
        measured = measure(
            member, most, device, processes, compiled=self.compiled, stopping=stopping
        )
        print(measured, flush=True)
        return measured.size

    def _train_some(self, group: Sequence[Planned], size: int) -> bool:
        """Claims up to `size` trials and trains them; False if nothing came of it."""
        workers = self.workers
        by_step = defaultdict[int, list[Planned]](list)
        with Heartbeat(workers.leases.patience) as heartbeat, ExitStack() as locks:
            for planned in group:
                if sum(map(len, by_step.values())) == size or self._is_stopping():
                    break
                step = self._claim(planned, heartbeat, locks)
                if step is not None:
                    by_step[step].append(planned)
            trained = [
                FleetRun(
                    workers.study, together, step, heartbeat, self.stop, compiled=self.compiled
                ).train()
                for step, together in sorted(by_step.items())
                if len(together) > 1 and not self._is_stopping()
            ]
        return any(trained)

    def _claim(self, planned: Planned, heartbeat: Heartbeat, locks: ExitStack) -> int | None:
        """Takes a trial; the step that it has come to, or None if it is not to be trained here."""
        workers, name = self.workers, planned.trial.name
        if workers.study.outcome_of(name).state != "waiting":
            return None
        lease = workers.leases.claim(name)
        if lease is None:
            return None
        heartbeat.add(name, lease)
        run = RunDir(workers.runs / name)
        try:
            lock = run.lock()
        except BlockingIOError:  # a `disent fit` that somebody started by hand
            heartbeat.release(name)
            return None
        try:  # now that it is ours: what it was before may be over
            step = Run.load(run.path).step() if run.last.exists() else 0
        except (ValueError, FileNotFoundError):  # damaged: `disent fit` says how
            step = planned.config["trainer"]["max_steps"]
        waits = workers.study.outcomes.read(name).state == "waiting"
        if not waits or step >= planned.config["trainer"]["max_steps"]:
            lock.lock.release()
            heartbeat.release(name)
            return None
        locks.enter_context(lock)
        return step


def _give_back_memory(compiled: bool) -> None:
    """Leaves a GPU's memory to the processes that come after."""
    gc.collect()
    if compiled:
        torch.compiler.reset()  # its graphs, and its count of the sizes that it has compiled for
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
