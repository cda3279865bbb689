# SPDX-License-Identifier: Apache-2.0
"""A bar over the steps of a run, with its terms and its speed."""

import sys
import time
from typing import Any

from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.callbacks import ProgressBar
from tqdm import tqdm

from disent.models.vae import is_logged

SHOWN = ("loss", "rate", "distortion")


class Progress(ProgressBar):
    """Steps done, loss, rate and distortion (nats per image), images per second, time left.

    On a terminal a bar; elsewhere (a log file) a line at every tenth of the run.

    Args:
        pictures: Of a step; None: as the batch has them.
    """

    def __init__(self, pictures: int | None = None) -> None:
        super().__init__()
        self._pictures = pictures
        self._enabled = True
        self._bar: tqdm | None = None
        self._start = (0.0, 0)
        self._tenth = 0  # of the run, said last

    def disable(self) -> None:
        self._enabled = False

    def enable(self) -> None:
        self._enabled = True

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._start = (time.monotonic(), trainer.global_step)
        self._tenth = 10 * trainer.global_step // max(trainer.max_steps, 1)
        if self._enabled and sys.stderr.isatty():
            total = trainer.max_steps if trainer.max_steps > 0 else None
            self._bar = tqdm(
                total=total, initial=trainer.global_step, unit="step", dynamic_ncols=True
            )

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        step = trainer.global_step
        if not self._enabled or not is_logged(trainer, step):
            return
        metrics = trainer.callback_metrics
        shown = {name: f"{float(metrics[name]):.2f}" for name in SHOWN if name in metrics}
        seconds, steps = time.monotonic() - self._start[0], step - self._start[1]
        pictures = len(batch) * trainer.world_size * trainer.accumulate_grad_batches
        pictures = self._pictures or pictures
        shown["images/s"] = f"{steps * pictures / max(seconds, 1e-9):,.0f}"
        if self._bar is not None:
            self._bar.n = step
            self._bar.set_postfix(shown)
        elif (tenth := 10 * step // max(trainer.max_steps, 1)) > self._tenth:
            self._tenth = tenth
            terms = ", ".join(f"{name} {value}" for name, value in shown.items())
            print(f"step {step} of {trainer.max_steps}: {terms}", file=sys.stderr, flush=True)

    def teardown(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        if self._bar is not None:
            self._bar.close()
            self._bar = None
