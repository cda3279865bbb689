# SPDX-License-Identifier: Apache-2.0
"""Watches training: stops on NaN, warns of a collapsed posterior or a missed capacity."""

import warnings
from collections.abc import Mapping
from typing import Any

import torch
from lightning.pytorch import Callback, LightningModule, Trainer

from disent.models.hooks import is_logged


class NotFiniteError(ArithmeticError):
    """A term of the loss became NaN or infinite."""


class Guard(Callback):
    """Stops a run whose loss is not finite; says once, in words, what else looks wrong.

    On the CPU every step is checked; on an accelerator the steps that are logged or saved, since a
    look at the loss makes the host wait for the device.

    Args:
        patience: Logged steps in a row before a warning.
        collapsed: Rate in nats per image below which the posterior counts as collapsed.
        missed: Gap between rate and capacity, as a share of the capacity, that counts as missed.
    """

    def __init__(self, patience: int = 10, collapsed: float = 0.05, missed: float = 0.2) -> None:
        self.patience, self.collapsed, self.missed = patience, collapsed, missed
        self._low = self._short = 0
        self._outputs: dict[str, torch.Tensor] | None = None  # of the last step

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        self._outputs, logged = outputs, is_logged(trainer, trainer.global_step)
        if logged or pl_module.device.type == "cpu":
            self._check_finite(outputs, trainer.global_step)
        if logged:
            self.look(trainer.callback_metrics, trainer.global_step)

    def on_save_checkpoint(
        self, trainer: Trainer, pl_module: LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        if self._outputs is not None:
            self._check_finite(self._outputs, trainer.global_step)

    def look(self, logged: Mapping[str, torch.Tensor | float], step: int) -> None:
        """Warns of what the terms of a logged step tell."""
        if "rate" in logged:
            self._check_collapse(float(logged["rate"]), step)
            if "capacity" in logged:
                self._check_capacity(float(logged["rate"]), float(logged["capacity"]))

    def _check_finite(self, outputs: dict[str, torch.Tensor], step: int) -> None:
        if not all(torch.isfinite(value).all() for value in outputs.values()):
            raise not_finite(outputs, step)

    def _check_collapse(self, rate: float, step: int) -> None:
        self._low = self._low + 1 if rate < self.collapsed else 0
        if self._low == self.patience:
            warnings.warn(
                f"the rate is {rate:.3f} nats per image and was below {self.collapsed} at the last "
                f"{self.patience} logged steps (now step {step}): the posterior has collapsed onto "
                "the prior, and the code says nothing of the picture. Lower beta, or raise the "
                "capacity.",
                stacklevel=2,
            )

    def _check_capacity(self, rate: float, capacity: float) -> None:
        short = capacity > 1 and abs(rate - capacity) > self.missed * capacity
        self._short = self._short + 1 if short else 0
        if self._short == self.patience:
            warnings.warn(
                f"the rate, {rate:.2f} nats per image, has missed the capacity, {capacity:.2f}, by "
                f"more than {self.missed:.0%} at the last {self.patience} logged steps. This "
                "network cannot follow that capacity: lower it, raise gamma, or anneal for longer.",
                stacklevel=2,
            )


def not_finite(outputs: Mapping[str, torch.Tensor], step: int) -> NotFiniteError:
    """The error of a step whose loss is not finite, given its loss and its terms."""
    broken = [
        f"the {name} ({value.mean().item()})"
        for name, value in outputs.items()
        if name != "loss" and not torch.isfinite(value).all()
    ]
    what = " and ".join(broken) or "the objective, of terms that are finite"
    return NotFiniteError(
        f"the loss is {outputs['loss'].item()} at step {step}: what broke is {what}. "
        "Lower --model.lr, or clip with --trainer.gradient_clip_val 1."
    )
