# SPDX-License-Identifier: Apache-2.0
"""The stopwatch as a callback of Lightning, which ours and one of the peers train with."""

from typing import Any

from lightning.pytorch import Callback, LightningModule, Trainer
from stopwatch import Stopwatch, tell


class Watch(Callback):
    """Times the steps of a Trainer, and tells the figures at their end.

    Args:
        begun: When the process was started, in seconds of time.time().
        warm: Steps that are left out of the speed.
    """

    def __init__(self, begun: float, warm: int) -> None:
        self.stopwatch = Stopwatch(begun, warm)

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        self.stopwatch.step(trainer.global_step, float(outputs["loss"].detach()))

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        tell(self.stopwatch.figures(sum(p.numel() for p in pl_module.parameters())))
