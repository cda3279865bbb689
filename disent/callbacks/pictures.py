# SPDX-License-Identifier: Apache-2.0
"""Draws a model's pictures into its run, during training and at its end."""

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lightning.pytorch import Callback, LightningModule, Trainer

from disent.data.base import PictureDataset
from disent.runs.directory import RunDir


class Pictures(Callback):
    """Replaces the pictures in the run's figures folder, every n steps and at the end.

    A folder that cannot be written costs the pictures, not the run: it is warned about.

    Args:
        run: Where to write.
        dataset: Where pictures come from.
        every_n_steps: Steps between two drawings; 0: only at the end of training.
        tell: Is given the paths of each drawing too.

    Attributes:
        paths: What the last drawing wrote.
    """

    def __init__(
        self,
        run: RunDir,
        dataset: PictureDataset,
        every_n_steps: int = 0,
        tell: Callable[[list[Path]], None] | None = None,
    ) -> None:
        if every_n_steps < 0:
            raise ValueError(
                f"every_n_steps must be >= 0, got {every_n_steps}. 0 draws only at the end."
            )
        self.run, self.dataset, self.every_n_steps = run, dataset, every_n_steps
        self.paths: list[Path] = []
        self.tell, self._last = tell, 0

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        if self.every_n_steps and trainer.global_step % self.every_n_steps == 0:
            self._draw(trainer, pl_module)

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._draw(trainer, pl_module)

    def _draw(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Draws, unless this step is drawn already; the ranks wait for the first."""
        step = trainer.global_step
        if step == self._last:
            return
        self._last = step
        if trainer.is_global_zero:
            self._write(pl_module, step)
        trainer.strategy.barrier()

    def _write(self, model: Any, step: int) -> None:
        # here: the first step of a training need not wait for what draws
        from disent.latents.pictures import draw_pictures, save_pictures
        from disent.runs.histories import read_log

        try:
            metrics = read_log(self.run.metrics)
            drawn = draw_pictures(model, self.dataset, metrics=metrics)
            self.paths = save_pictures(drawn, self.run.figures)
            if self.tell:
                self.tell(self.paths)
        except (OSError, ValueError) as error:
            warnings.warn(
                f"the pictures of step {step} were not written: {error}. Training goes on; "
                f"`disent traverse {self.run.path}` draws them later.",
                stacklevel=2,
            )
