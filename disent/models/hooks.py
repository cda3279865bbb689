# SPDX-License-Identifier: Apache-2.0
"""What callbacks and engines ask of a training: which steps are logged, who has a part in each."""

from typing import Any

from lightning.pytorch import Trainer

from disent.data.base import Batch

STEP_HOOKS = (
    "training_step", "configure_optimizers", "optimizer_step", "optimizer_zero_grad", "backward",
    "configure_gradient_clipping", "lr_scheduler_step", "on_before_zero_grad", "on_before_backward",
    "on_after_backward", "on_before_optimizer_step",
)  # fmt: skip


def steps_in_its_own_way(part: Any, base: type) -> list[str]:
    """Which hooks of a trainer's loop a model or a callback has of its own; by `take_step` alone
    they would not be called.

    Example:
        >>> from disent.models.base import Model
        >>> class Noisy(Model):
        ...     def on_after_backward(self): ...
        >>> steps_in_its_own_way(Noisy, Model)
        ['on_after_backward']
    """
    hooks = [name for name in STEP_HOOKS if hasattr(base, name)]
    return [name for name in hooks if getattr(part, name) is not getattr(base, name)]


def is_logged(trainer: Trainer, step: int) -> bool:
    """Whether a step is one of those that are logged; steps are counted from 1."""
    every: int = trainer.log_every_n_steps  # pyright: ignore[reportAttributeAccessIssue]
    return every > 0 and step % every == 0


def pictures_of_step(trainer: Trainer, batch: Any) -> int:
    """How many pictures a step takes, of all its parts and all ranks."""
    parts = trainer.accumulate_grad_batches * getattr(getattr(batch, "taken_by", None), "parts", 1)
    own = len(batch.x) if isinstance(batch, Batch) else len(batch)
    return own * trainer.world_size * parts
