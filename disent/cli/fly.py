# SPDX-License-Identifier: Apache-2.0
"""Trains the trials of a sweep in fleets; what remains of each run is left to `disent fit`."""

import tempfile
import time
from collections import defaultdict
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from lightning.pytorch import Trainer

from disent.callbacks.fleet_record import KEY, FleetRecord
from disent.callbacks.progress import Progress
from disent.cli.fit import prepare_process, write_config
from disent.cli.flights import Planned, plan
from disent.cli.train import make_trainer
from disent.data import FactorDataModule
from disent.data.base import FactorDataset
from disent.fleet import FleetData, Member, Stack, join
from disent.fleet.speed import measure
from disent.fleet.stack import kind_of
from disent.launch.children import cores
from disent.launch.heart import Heart
from disent.launch.outcome import Outcome
from disent.launch.workers import Workers
from disent.models import VAE
from disent.models.load import load_step
from disent.runs.build import make
from disent.runs.directory import RunDir
from disent.stops import InterruptedRunError, StopRequest


@dataclass(frozen=True)
class Fleets:
    """How fleets are to be trained.

    Attributes:
        workers: Whose sweep, ledger and leases they are.
        size: Members at once; None: measured.
        stop: Notes the signals.
        compiled: Whether the step is compiled, on an accelerator.
    """

    workers: Workers
    size: int | None
    stop: StopRequest
    compiled: bool = False

    def fly(self) -> None:
        """Trains all that can be trained together, until nothing waits or a signal comes."""
        prepare_process()
        workers = self.workers
        waiting = list(workers.ledger.candidates(0, []))
        flights = plan(workers.sweep, waiting, workers.runs, workers.extra)
        for reason, names in flights.reasons.items():
            several = f"{len(names)} trials are" if len(names) > 1 else f"{names[0]} is"
            print(f"{several} run alone: {reason.splitlines()[0]}", flush=True)
        for group in flights.groups:
            size = self.size or self._measured(group)
            while size > 1 and not self.stop.signum and self._fly_some(group, size):
                pass

    def _measured(self, group: Sequence[Planned]) -> int:
        """The size of the fastest fleet; 0 where separate processes are faster."""
        config = group[0].config
        dataset = make(config, "data", FactorDataset)
        device = make_trainer(config["trainer"]).strategy.root_device
        processes = min(self.workers.slots, cores(), len(group))
        print(f"measuring fleets of up to {len(group)} ...", flush=True)

        def member(i: int) -> Member:
            return _member(group[i % len(group)], dataset)

        measured = measure(member, len(group), device, processes)
        print(measured, flush=True)
        return measured.size

    def _fly_some(self, group: Sequence[Planned], size: int) -> bool:
        """Claims up to `size` trials and trains them; False if nothing came of it."""
        workers, leases, mine = self.workers, {}, list[Planned]()
        with ExitStack() as locks:
            for planned in group:
                name = planned.trial.name
                if len(mine) == size or self.stop.signum:
                    break
                if workers.ledger.outcome_of(name).state != "waiting" or _is_trained(self, planned):
                    continue
                if (lease := workers.leases.claim(name)) is None:
                    continue
                try:
                    locks.enter_context(RunDir(workers.runs / name).lock())
                except BlockingIOError:  # a `disent fit` that somebody started by hand
                    lease.release()
                    continue
                leases[name] = lease
                mine.append(planned)
            with Heart(leases, workers.leases.patience) as heart:
                by_step = defaultdict(list)
                for planned in mine:
                    by_step[self._step(planned)].append(planned)
                trained = [
                    _Flight(self, together, step, heart).train()
                    for step, together in sorted(by_step.items())
                    if len(together) > 1 and not self.stop.signum
                ]
        return any(trained)

    def _step(self, planned: Planned) -> int:
        run = RunDir(self.workers.runs / planned.trial.name)
        return load_step(run.path) if run.last.exists() else 0


class _Flight:
    """One fleet from start, or from its members' last checkpoints, to the end of its training."""

    def __init__(self, fleets: Fleets, planned: Sequence[Planned], step: int, heart: Heart) -> None:
        self.fleets, self.step, self.heart = fleets, step, heart
        self.ledger, self.runs = fleets.workers.ledger, fleets.workers.runs
        self.config: dict[str, Any] = planned[0].config
        dataset = make(self.config, "data", FactorDataset)
        both = [(one, _member(one, dataset)) for one in planned]
        both.sort(key=lambda pair: kind_of(pair[1].model.objective))  # those of a kind side by side
        self.planned, self.members = [one for one, _ in both], [member for _, member in both]
        self.folders = [RunDir(self.runs / member.name) for member in self.members]

    def train(self) -> bool:
        """Trains; members that break are noted as failed, all others are left to be scored.

        Returns:
            Whether the training came to its end.
        """
        start, stop = time.monotonic(), self.fleets.stop
        record = FleetRecord(
            self.members, self.folders, self.config["checkpoint_every_n_steps"], stop,
            self.heart.is_mine, self._say,
        )  # fmt: skip
        for planned, folder in zip(self.planned, self.folders, strict=True):
            write_config(folder, planned.config, planned.argv)
            folder.write_status("running", reason=f"in a fleet of {len(self.members)}")
            self._say(folder.path.name, f"in a fleet of {len(self.members)} from step {self.step}")
        print(f"a fleet of {len(self.members)} from step {self.step}", flush=True)
        try:
            self._fit(self._trainer(record), record)
            return True
        except InterruptedRunError as error:
            print(error, flush=True)
        except (RuntimeError, OSError) as error:
            print(f"the fleet failed, its runs go on alone: {error}", flush=True)
        finally:
            self._note(record, (time.monotonic() - start) / len(self.members))
        return False

    def _trainer(self, record: FleetRecord) -> Trainer:
        options = dict(self.config["trainer"])
        pictures = len(self.members) * self.config["loader"]["batch_size"]
        callbacks = [] if options["enable_progress_bar"] is False else [Progress(pictures)]
        return make_trainer({**options, "callbacks": [*callbacks, record]})

    def _fit(self, trainer: Trainer, record: FleetRecord) -> None:
        batched = trainer.strategy.root_device.type != "cpu"
        models = [member.model for member in self.members]
        stack = Stack(models, batched=batched, compiled=batched and self.fleets.compiled)
        data = FleetData(self.members)
        with tempfile.TemporaryDirectory() as folder:
            whole = None
            if self.step:
                parts = [torch.load(f.last, map_location="cpu", weights_only=True)
                         for f in self.folders]  # fmt: skip
                journals = [part["callbacks"][KEY] for part in parts]
                whole = Path(folder) / "fleet.ckpt"
                torch.save(join(parts, stack, {record.state_key: {"journals": journals}}), whole)
                del parts
            trainer.fit(stack, datamodule=data, ckpt_path=whole, weights_only=True)

    def _note(self, record: FleetRecord, seconds: float) -> None:
        """Outcomes: failed, or waiting for `disent fit` to score what is trained."""
        for member in self.members:
            if not self.heart.is_mine(member.name):
                continue
            total = self.ledger.outcomes.read(member.name).seconds + seconds
            outcome = Outcome("waiting", seconds=total)
            if member.name in record.failed:
                outcome = Outcome("failed", f"disent: error: {record.failed[member.name]}", total)
            self.ledger.outcomes.write(member.name, outcome)

    def _say(self, name: str, text: str) -> None:
        """Adds a line to the log of a trial."""
        log = self.ledger.notes / "logs" / f"{name}.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("a", encoding="utf-8") as stream:
            stream.write(text + "\n")


def _member(planned: Planned, dataset: FactorDataset) -> Member:
    """As `disent fit` would build it."""
    config = planned.config
    data = FactorDataModule(dataset, seed=config["seed_everything"], **config["loader"])
    return Member(planned.trial.name, make(config, "model", VAE), data)


def _is_trained(fleets: Fleets, planned: Planned) -> bool:
    """Whether nothing is left but to score the run."""
    run = RunDir(fleets.workers.runs / planned.trial.name)
    return run.last.exists() and load_step(run.path) >= planned.config["trainer"]["max_steps"]
