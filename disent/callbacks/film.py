# SPDX-License-Identifier: Apache-2.0
"""Keeps frames of a film while a model trains: what each latent does, every n steps."""

import warnings
from typing import Any

from lightning.pytorch import Callback, LightningModule, Trainer

from disent.data.base import PictureDataset
from disent.latents.film import Frame, frame_files, step_of
from disent.runs.directory import RunDir


class KeepFrames(Callback):
    """Writes a frame into RUN/film before the first step, every n steps and after the last one.

    It must come before the callback that saves: what is killed in between comes again, with its
    frame. A run that goes on drops the frames after the step from which it does, and that of an end
    which is none any more; so it ends with the frames of a run that never stopped. What cannot be
    drawn or written costs the frame, not the run: it is warned about. A frame of ten latents of
    dSprites takes half a second of one CPU thread, most of it for the rates, and 20 to 45 kB.

    Args:
        run: Where to write.
        dataset: Where pictures come from.
        every_n_steps: Steps between two frames.
    """

    def __init__(self, run: RunDir, dataset: PictureDataset, every_n_steps: int) -> None:
        if every_n_steps < 1:
            raise ValueError(f"every_n_steps must be >= 1, got {every_n_steps}.")
        self.run, self.dataset, self.every_n_steps = run, dataset, every_n_steps
        self._last = -1

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if trainer.is_global_zero:
            self._drop(trainer.global_step)
        self._keep_every(trainer, pl_module)

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        self._keep_every(trainer, pl_module)

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._keep(trainer, pl_module)

    def _keep_every(self, trainer: Trainer, model: LightningModule) -> None:
        if trainer.global_step % self.every_n_steps == 0:
            self._keep(trainer, model)

    def _keep(self, trainer: Trainer, model: Any) -> None:
        """Writes the frame of now, unless it is there; the ranks wait for the first."""
        step = trainer.global_step
        if step == self._last:
            return
        self._last = step
        if trainer.is_global_zero and step not in map(step_of, frame_files(self.run.film)):
            try:
                Frame.of(model, self.dataset, step).save(self.run.film)
            except (OSError, ValueError, RuntimeError) as error:  # also what a model cannot draw
                warnings.warn(
                    f"the film's frame of step {step} was not kept: {error} Training goes on.",
                    stacklevel=2,
                )
        trainer.strategy.barrier()

    def _drop(self, step: int) -> None:
        """Leaves the frames that a run which never stopped would have at this step."""
        for left in self.run.film.glob(".*.tmp"):  # of a killed process
            left.unlink(missing_ok=True)
        for file in frame_files(self.run.film):
            at = step_of(file)
            if at > step or (at == step and step % self.every_n_steps):
                file.unlink(missing_ok=True)
