# SPDX-License-Identifier: Apache-2.0
"""Writes a run's directory while it trains: status, logged steps, checkpoints."""

import signal
from typing import Any

from lightning.pytorch import Callback, LightningModule, Trainer

from disent import internals
from disent.callbacks.journal import Journal
from disent.models.hooks import is_logged, pictures_of_step
from disent.runs.directory import RunDir
from disent.stops import REQUEUE, InterruptedRunError, StopRequest


class Record(Callback):
    """Keeps status.json, metrics.csv and the checkpoints of a run true at every moment.

    A signal is answered at the end of the batch, by all ranks: checkpoint, status, then an
    `InterruptedRunError`.
    `best.ckpt` is the checkpoint before which the mean of what the model names its `best` (the
    elbo; the loss, negated) was highest.

    Args:
        run: Where to write.
        checkpoint_every_n_steps: Steps between two checkpoints.
        stop: Notes the signals; None: one of the callback's own, while it trains.
    """

    def __init__(
        self,
        run: RunDir,
        checkpoint_every_n_steps: int = 1000,
        stop: StopRequest | None = None,
    ) -> None:
        if checkpoint_every_n_steps < 1:
            raise ValueError(
                f"checkpoint_every_n_steps must be >= 1, got {checkpoint_every_n_steps}."
            )
        self.run, self.checkpoint_every_n_steps = run, checkpoint_every_n_steps
        self.journal = Journal(run)
        self.stop, self._owns_stop = stop or StopRequest(), stop is None

    def state_dict(self) -> dict[str, Any]:
        return self.journal.state_dict()

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.journal.load_state_dict(state_dict)

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self.stop.at_once = False
        self.stop.listen()
        write = trainer.is_global_zero
        self.journal.judge = getattr(pl_module, "best", "-loss")
        self.journal.begin(trainer.global_step, trainer.max_steps, write=write)

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        step = trainer.global_step
        if internals.is_part_of_step(trainer):
            return
        if is_logged(trainer, step):
            self._log(trainer, batch)
        signum = self._asked(trainer)
        if signum or step % self.checkpoint_every_n_steps == 0:
            self._checkpoint(trainer)
        if signum:
            raise InterruptedRunError(signum, step)

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if trainer.global_step % self.checkpoint_every_n_steps:
            self._checkpoint(trainer)

    def on_exception(
        self, trainer: Trainer, pl_module: LightningModule, exception: BaseException
    ) -> None:
        if trainer.is_global_zero:
            self.journal.end(exception, trainer.global_step)

    def teardown(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        if self._owns_stop:
            self.stop.release()

    def _asked(self, trainer: Trainer) -> int:
        """The signal that any rank got, the same on all of them; 0: none."""
        mine, either = self.stop.signum, trainer.strategy.reduce_boolean_decision
        if not either(mine > 0, all=False):
            return 0
        return REQUEUE if either(mine == REQUEUE, all=False) else mine or signal.SIGTERM

    def _log(self, trainer: Trainer, batch: Any) -> None:
        logged = {name: float(value) for name, value in trainer.callback_metrics.items()}
        pictures = pictures_of_step(trainer, batch)
        self.journal.log(trainer.global_step, logged, pictures, write=trainer.is_global_zero)

    def _checkpoint(self, trainer: Trainer) -> None:
        step, write = trainer.global_step, trainer.is_global_zero
        self.journal.checkpoint(trainer.save_checkpoint, step, trainer.max_steps, write=write)
