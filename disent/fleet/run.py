# SPDX-License-Identifier: Apache-2.0
"""One fleet: trains claimed trials to their end, as one program."""

import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from lightning.fabric.plugins.environments.lightning import LightningEnvironment
from lightning.pytorch import Trainer

from disent import internals
from disent.callbacks.progress import Progress
from disent.config.provenance import write_config
from disent.data.base import PictureDataset
from disent.data.datamodule import FactorDataModule
from disent.fleet import FleetData, Member, Stack, join
from disent.fleet.groups import Planned
from disent.fleet.record import KEY, FleetRecord
from disent.launch.workers.heartbeat import Heartbeat
from disent.launch.workers.outcomes import Outcome
from disent.launch.workers.study import Study
from disent.models.base import Model
from disent.runs.build import make
from disent.runs.directory import RunDir
from disent.runs.own_code import place_of
from disent.runs.run import Run
from disent.stops import InterruptedRunError, StopRequest


def trainer_of(options: dict[str, Any]) -> Trainer:
    """A trainer in this process alone: a fleet has no ranks, whatever Slurm's variables say."""
    return internals.leave_signals(Trainer(**{**options, "plugins": [LightningEnvironment()]}))


class FleetRun:
    """One fleet from start, or from its members' last checkpoints, to the end of its training."""

    def __init__(
        self,
        study: Study,
        planned: Sequence[Planned],
        step: int,
        heartbeat: Heartbeat,
        stop: StopRequest,
        *,
        compiled: bool = False,
    ) -> None:
        self.study, self.step, self.heartbeat, self.stop = study, step, heartbeat, stop
        self.compiled, runs = compiled, study.outcomes.runs
        self.config: dict[str, Any] = planned[0].config
        dataset = make(self.config, "data", PictureDataset)
        self.planned = list(planned)
        self.members = [member_of(one, dataset) for one in planned]
        self.folders = [RunDir(runs / member.name) for member in self.members]

    def train(self) -> bool:
        """Trains; members that break are noted as failed, all others are left to be scored.

        Returns:
            Whether the training came to its end.
        """
        start, trained = time.monotonic(), False
        record = FleetRecord(
            self.members, self.folders, self.config["checkpoint_every_n_steps"], self.stop,
            self.heartbeat.is_mine, self._say,
        )  # fmt: skip
        for planned, folder in zip(self.planned, self.folders, strict=True):
            write_config(folder, planned.config, planned.argv)
            folder.write_status("running", reason=f"in a fleet of {len(self.members)}")
            self._say(folder.path.name, f"in a fleet of {len(self.members)} from step {self.step}")
        names = ", ".join(member.name for member in self.members)
        print(f"a fleet of {len(self.members)} from step {self.step}: {names}", flush=True)
        try:
            self._fit(self._make_trainer(record), record)
            trained = True
            print("trained; its runs are scored when nothing is left to train", flush=True)
        except InterruptedRunError as error:
            print(error, flush=True)
        except Exception as error:
            if not isinstance(error, RuntimeError | OSError) and place_of(error) is None:
                raise
            print(f"the fleet failed, its runs go on alone: {error}", flush=True)
        finally:
            self._note(record, (time.monotonic() - start) / len(self.members), trained)
        return trained

    def _make_trainer(self, record: FleetRecord) -> Trainer:
        options = dict(self.config["trainer"])
        pictures = len(self.members) * self.config["loader"]["batch_size"]
        callbacks = [] if options["enable_progress_bar"] is False else [Progress(pictures)]
        return trainer_of({**options, "callbacks": [*callbacks, record]})

    def _fit(self, trainer: Trainer, record: FleetRecord) -> None:
        batched = trainer.strategy.root_device.type != "cpu"
        models = [member.model for member in self.members]
        stack = Stack(models, batched=batched, compiled=batched and self.compiled)
        data = FleetData(self.members)
        with tempfile.TemporaryDirectory() as folder:
            whole = None
            if self.step:
                parts = [Run(folder, {}).checkpoint() for folder in self.folders]
                journals = [part["callbacks"][KEY] for part in parts]
                whole = Path(folder) / "fleet.ckpt"
                torch.save(join(parts, stack, {record.state_key: {"journals": journals}}), whole)
                del parts
            trainer.fit(stack, datamodule=data, ckpt_path=whole, weights_only=True)

    def _note(self, record: FleetRecord, seconds: float, trained: bool) -> None:
        """Outcomes: failed, or waiting for `disent fit` to score what is trained."""
        for member, folder in zip(self.members, self.folders, strict=True):
            if not self.heartbeat.is_mine(member.name):
                continue
            total = self.study.outcomes.read(member.name).seconds + seconds
            outcome = Outcome("waiting", seconds=total)
            if member.name in record.failed:
                outcome = Outcome("failed", f"disent: error: {record.failed[member.name]}", total)
            elif trained:
                folder.write_status("requeued", reason="trained in a fleet, waits for its scores")
            elif folder.status().get("state") == "running":
                folder.write_status("requeued", reason="its fleet ended, waits to go on alone")
            self.study.outcomes.write(member.name, outcome)

    def _say(self, name: str, text: str) -> None:
        """Adds a line to the log of a trial."""
        log = self.study.notes / "logs" / f"{name}.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("a", encoding="utf-8") as stream:
            stream.write(text + "\n")


def member_of(planned: Planned, dataset: PictureDataset) -> Member:
    """As `disent fit` would build it."""
    config = planned.config
    data = FactorDataModule(dataset, seed=config["seed_everything"], **config["loader"])
    model = make(config, "model", Model)
    model.check_data(dataset)
    return Member(planned.trial.name, model, data)
