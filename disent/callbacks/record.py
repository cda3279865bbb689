# SPDX-License-Identifier: Apache-2.0
"""Writes a run's directory while it trains: status, logged steps, checkpoints."""

import signal
import time
from typing import Any

import torch
from lightning.pytorch import Callback, LightningModule, Trainer

from disent.models.vae import is_logged
from disent.runs.directory import RunDir
from disent.stops import REQUEUE, InterruptedRunError, StopRequest


class Record(Callback):
    """Keeps status.json, metrics.csv and the checkpoints of a run true at every moment.

    A signal is answered at the end of the batch, by all ranks: checkpoint, status, then an
    `InterruptedRunError`.
    `best.ckpt` is the checkpoint before which the mean logged elbo was highest.

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
        self.best_elbo = -float("inf")
        self._elbos: list[float] = []
        self.stop, self._owns_stop = stop or StopRequest(), stop is None
        self._mark = (0.0, 0)

    def state_dict(self) -> dict[str, Any]:
        return {"best_elbo": self.best_elbo, "elbos": list(self._elbos)}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.best_elbo, self._elbos = state_dict["best_elbo"], list(state_dict["elbos"])

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self.stop.at_once = False
        self.stop.listen()
        self._mark = (time.monotonic(), trainer.global_step)
        if trainer.is_global_zero:
            self.run.truncate(trainer.global_step)
            self.run.write_status("running", step=trainer.global_step, max_steps=trainer.max_steps)

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        step = trainer.global_step
        if trainer.fit_loop.epoch_loop._should_accumulate():
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
        if not trainer.is_global_zero:
            return
        interrupted = isinstance(exception, InterruptedRunError)
        state = exception.state if interrupted else "failed"
        reason = str(exception) if interrupted else _describe(exception)
        self.run.write_status(state, reason=reason, step=trainer.global_step)

    def teardown(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        if self._owns_stop:
            self.stop.release()

    def _asked(self, trainer: Trainer) -> int:
        """The signal that any rank got, the same on all of them; 0: none."""
        mine, either = self.stop.signum, trainer.strategy.reduce_boolean_decision
        if not either(mine > 0, all=False):
            return 0
        return REQUEUE if either(mine == REQUEUE, all=False) else mine or signal.SIGTERM

    def _log(self, trainer: Trainer, batch: torch.Tensor) -> None:
        now, step = time.monotonic(), trainer.global_step
        seconds, steps = now - self._mark[0], step - self._mark[1]
        self._mark = (now, step)
        logged = {name: float(value) for name, value in trainer.callback_metrics.items()}
        pictures = len(batch) * trainer.world_size * trainer.accumulate_grad_batches
        row = {"step": step, **logged, "images_per_second": steps * pictures / max(seconds, 1e-9)}
        self._elbos.append(logged["elbo"])
        if trainer.is_global_zero:
            self.run.append_row(self.run.metrics, row)

    def _checkpoint(self, trainer: Trainer) -> None:
        best = False
        if self._elbos:
            elbo = sum(self._elbos) / len(self._elbos)
            best = elbo > self.best_elbo
            self.best_elbo = max(elbo, self.best_elbo)
            self._elbos.clear()
        for file in (self.run.last, self.run.best) if best else (self.run.last,):
            file.parent.mkdir(parents=True, exist_ok=True)
            temporary = file.with_name(f".{file.name}.tmp")
            try:
                trainer.save_checkpoint(temporary)
                if trainer.is_global_zero:
                    temporary.replace(file)
            except OSError:  # such as a full disk: half a checkpoint is of no use
                temporary.unlink(missing_ok=True)
                raise
        if trainer.is_global_zero:
            self.run.write_status("running", step=trainer.global_step, max_steps=trainer.max_steps)


def _describe(exception: BaseException) -> str:
    return f"{type(exception).__name__}: {exception}".strip(": ")
