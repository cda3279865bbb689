# SPDX-License-Identifier: Apache-2.0
"""Writes the run directory of every member of a fleet while they train together."""

import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from lightning.pytorch import Callback, LightningModule, Trainer

from disent import internals
from disent.callbacks.guard import Guard, NotFiniteError, not_finite
from disent.callbacks.journal import Journal
from disent.fleet import Member, Stack, part
from disent.models.hooks import is_logged
from disent.runs.directory import RunDir
from disent.stops import InterruptedRunError, StopRequest

KEY = "Record"  # under which `disent fit` keeps the same state


class FleetRecord(Callback):
    """Keeps each member's directory as `Guard` and `Record` would in its run alone.

    A member whose loss is not finite is left as its last checkpoint has it: the others go on. On
    the CPU every step is looked at; on an accelerator those that are logged or saved.

    Args:
        members: In the order of the stack.
        runs: The directory of each.
        checkpoint_every_n_steps: Steps between two checkpoints.
        stop: Notes the signals.
        is_mine: Whether a member, by its name, is still this process's to write.
        say: Is given a member's name and what there is to say of it.

    Attributes:
        failed: Name -> error of each member that broke.
    """

    def __init__(
        self,
        members: Sequence[Member],
        runs: Sequence[RunDir],
        checkpoint_every_n_steps: int,
        stop: StopRequest,
        is_mine: Callable[[str], bool] = lambda name: True,
        say: Callable[[str, str], None] = lambda name, text: None,
    ) -> None:
        self.members, self.stop, self.is_mine, self.say = list(members), stop, is_mine, say
        best = [member.model.best for member in members]
        self.journals = [Journal(*both) for both in zip(runs, best, strict=True)]
        self.guards = [Guard() for _ in members]
        self.checkpoint_every_n_steps = checkpoint_every_n_steps
        self.failed: dict[str, NotFiniteError] = {}

    def state_dict(self) -> dict[str, Any]:
        return {"journals": [journal.state_dict() for journal in self.journals]}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        for journal, state in zip(self.journals, state_dict["journals"], strict=True):
            journal.load_state_dict(state)

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        for i in self._going():
            self.journals[i].begin(trainer.global_step, trainer.max_steps)

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        step, logged = trainer.global_step, is_logged(trainer, trainer.global_step)
        signum = self.stop.signum
        save = bool(signum) or step % self.checkpoint_every_n_steps == 0
        last = step == trainer.max_steps
        if logged or save or last or pl_module.device.type == "cpu":
            self._leave_broken(outputs["told"], step)
        if logged:
            self._log(outputs["told"], step)
        if save:
            self._checkpoint(trainer, pl_module)
        if signum:
            raise InterruptedRunError(signum, step)
        if not self._going():
            trainer.should_stop = True

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if trainer.global_step % self.checkpoint_every_n_steps:
            self._checkpoint(trainer, pl_module)

    def on_exception(
        self, trainer: Trainer, pl_module: LightningModule, exception: BaseException
    ) -> None:
        for i in self._going():
            self.journals[i].end(exception, trainer.global_step)

    def _going(self) -> list[int]:
        """The members that are trained on and written."""
        names = [member.name for member in self.members]
        return [i for i, n in enumerate(names) if n not in self.failed and self.is_mine(n)]

    def _leave_broken(self, told: list[dict[str, Any]], step: int) -> None:
        for i in self._going():
            if not all(value.isfinite().all() for value in told[i].values()):
                error = not_finite(told[i], step)
                self.failed[self.members[i].name] = error
                self.journals[i].end(error, step)
                self.say(self.members[i].name, f"disent: error: {error}")

    def _log(self, told: list[dict[str, Any]], step: int) -> None:
        for i in self._going():
            terms = {name: value.cpu() for name, value in told[i].items()}
            report = self.members[i].model.report(terms.pop("loss"), terms, step - 1)
            row = {name: float(value) for name, value in report.items()}
            self.journals[i].log(step, row, self.members[i].data.batch_size)
            with warnings.catch_warnings(record=True) as seen:
                warnings.simplefilter("always")
                self.guards[i].look(row, step)
            for warning in seen:
                self.say(self.members[i].name, f"warning: {warning.message}")

    def _checkpoint(self, trainer: Trainer, stack: LightningModule) -> None:
        assert isinstance(stack, Stack)
        whole = internals.whole_checkpoint(trainer)
        for i in self._going():
            journal = self.journals[i]

            def save(file: Path, i: int = i, journal: Journal = journal) -> None:
                callbacks = {KEY: journal.state_dict()}
                cut = part(whole, stack, self.members, i, callbacks)
                trainer.strategy.save_checkpoint(cut, file)

            journal.checkpoint(save, trainer.global_step, trainer.max_steps)
