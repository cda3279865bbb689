# SPDX-License-Identifier: Apache-2.0
"""Lightning's private parts, as far as the suite needs them: no other file touches them.

Each function names what it does; tests/test_internals.py shows each on a real trainer, so that a
new version of Lightning which moves one of them is noticed there.
"""

from typing import Any

from lightning.pytorch import LightningModule, Trainer


def count_step(trainer: Trainer) -> None:
    """Counts one step of a model that steps its optimizers itself, however many it has."""
    progress = trainer.fit_loop.epoch_loop.manual_optimization.optim_step_progress
    progress.increment_ready()
    progress.increment_completed()


def count_alike(checkpoint: dict[str, Any]) -> None:
    """Lets a checkpoint's steps count for both kinds of training.

    Lightning counts those of its own loop and those of models that step themselves apart, so that
    a run that began in one way would go on in the other from step 0.
    """
    loops = checkpoint.get("loops", {}).get("fit_loop")
    if loops is None or "global_step" not in checkpoint:
        return
    done = checkpoint["global_step"]
    manual = loops["epoch_loop.manual_optimization.optim_step_progress"]
    manual["total"] = dict.fromkeys(manual["total"], done)
    own = loops["epoch_loop.automatic_optimization.optim_progress"]["optimizer"]["step"]
    own["total"] = dict.fromkeys(own["total"], done)


def leave_signals(trainer: Trainer) -> Trainer:
    """Keeps Lightning from handling signals: its handler may end the process at any moment."""
    trainer._signal_connector.register_signal_handlers = lambda: None
    return trainer


def leave_gradients(trainer: Trainer) -> None:
    """Keeps DistributedDataParallel from sharing gradients: models do that for each update."""
    if hasattr(trainer.strategy.model, "require_backward_grad_sync"):
        trainer.strategy.model.require_backward_grad_sync = False  # pyright: ignore


def is_part_of_step(trainer: Trainer) -> bool:
    """Whether the batch that just ended was one of several parts of a step, and not the last."""
    return trainer.fit_loop.epoch_loop._should_accumulate()


def is_inside_step(trainer: Trainer) -> bool:
    """Whether a batch has been drawn that has not been trained on yet."""
    batches = trainer.fit_loop.epoch_loop.batch_progress.current.state_dict()
    return batches["ready"] != batches["processed"]


def whole_checkpoint(trainer: Trainer) -> dict[str, Any]:
    """What `trainer.save_checkpoint` would write, optimizers included."""
    # the optimizers too, not the weights alone; nothing is loaded here
    return trainer._checkpoint_connector.dump_checkpoint(weights_only=False)


def trainer_of(module: LightningModule) -> Trainer | None:
    """The trainer that a module belongs to, or None."""
    return module._trainer
