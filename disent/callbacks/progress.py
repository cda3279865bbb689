# SPDX-License-Identifier: Apache-2.0
"""A bar over the steps of a run, with its terms and its speed."""

import sys
import time
from typing import Any

from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.callbacks import ProgressBar
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

from disent.models.hooks import is_logged, pictures_of_step

SHOWN = ("loss", "rate", "distortion")
PAUSE = 0.2  # seconds: a bar costs two milliseconds, as long as some steps of training
SPEED_OF = 3600.0  # seconds: time left is by the speed of the last hour, or of 1,000 logged steps


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
        self._bar: Bar | None = None
        self._start = (0.0, 0)
        self._tenth = 0  # of the run, said last
        self._drawn = float("-inf")  # when the bar was drawn last

    def disable(self) -> None:
        self._enabled = False

    def enable(self) -> None:
        self._enabled = True

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._start = (time.monotonic(), trainer.global_step)
        self._tenth = 10 * trainer.global_step // max(trainer.max_steps, 1)
        console = Console(stderr=True)
        if self._enabled and sys.stderr.isatty() and not console.is_dumb_terminal:
            total = trainer.max_steps if trainer.max_steps > 0 else None
            self._bar = _bar(console)
            self._bar.add_task("step", total=total, completed=trainer.global_step, terms="")
            self._bar.start()

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        step, now = trainer.global_step, time.monotonic()
        if not self._enabled or not is_logged(trainer, step):
            return
        if self._bar is not None:
            if now - self._drawn >= PAUSE or step == trainer.max_steps:
                self._drawn = now
                terms = self._terms(trainer, batch, now)
                self._bar.update(self._bar.task_ids[0], completed=step, terms=terms, refresh=True)
        elif (tenth := 10 * step // max(trainer.max_steps, 1)) > self._tenth:
            self._tenth = tenth
            terms = self._terms(trainer, batch, now)
            print(f"step {step} of {trainer.max_steps}: {terms}", file=sys.stderr, flush=True)

    def _terms(self, trainer: Trainer, batch: Any, now: float) -> str:
        """What was logged of the terms, and the speed since the start."""
        metrics = trainer.callback_metrics
        shown = {name: f"{float(metrics[name]):.2f}" for name in SHOWN if name in metrics}
        seconds, steps = now - self._start[0], trainer.global_step - self._start[1]
        pictures = self._pictures or pictures_of_step(trainer, batch)
        shown["images/s"] = f"{steps * pictures / max(seconds, 1e-9):,.0f}"
        return ", ".join(f"{name} {value}" for name, value in shown.items())

    def on_exception(
        self, trainer: Trainer, pl_module: LightningModule, exception: BaseException
    ) -> None:
        self._stop()  # Lightning leaves teardown out

    def teardown(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        self._stop()

    def _stop(self) -> None:
        """Gives the terminal back: its cursor, and what is printed to it."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None


def _bar(console: Console) -> Bar:
    """Drawn by hand at logged steps: no thread of its own takes time from the training."""
    return Bar(
        TextColumn("{task.description}"),
        MofNCompleteColumn(),
        BarColumn(bar_width=20),
        TextColumn("{task.fields[terms]}"),
        TimeRemainingColumn(),
        console=console,
        auto_refresh=False,
        get_time=time.monotonic,
        speed_estimate_period=SPEED_OF,
    )
