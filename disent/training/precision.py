# SPDX-License-Identifier: Apache-2.0
"""What --fast changes in a run: the arithmetic, and how often the trainer is asked in between."""

import math

import torch
from jsonargparse import Namespace

from disent.models import VAE
from disent.runs.directory import RunDir

PRECISION = "bf16-mixed"
LONGEST = 100  # steps of a burst: signals wait for its end, and a GPU draws its pictures at once


def choose_arithmetic(config: Namespace) -> None:
    """Gives a run its precisions where the user has set none: bfloat16 with --fast, if it pays."""
    strategy = str(config.trainer.strategy)
    if config.fast and not strategy.startswith(("auto", "ddp")):
        raise ValueError(
            f"--trainer.strategy is {strategy}, but --fast steps the optimizer itself: leave one "
            "of the two out, or take ddp."
        )
    fast = config.fast and has_bfloat16(str(config.trainer.accelerator)) is not None
    if fast and config.trainer.precision is None:
        config.trainer.precision = PRECISION
    fast = fast and config.trainer.precision == PRECISION
    config.evaluate.precision = config.evaluate.precision or ("bfloat16" if fast else "float32")


def keep_arithmetic(config: Namespace, folder: RunDir) -> bool:
    """Goes on with the precisions that a fast run began with, perhaps on another machine.

    Returns:
        Whether they are others than those that this machine would have chosen.
    """
    if not config.fast or not folder.config.exists():
        return False
    old = folder.read_config()
    chosen = (None, PRECISION)
    before, now = (old.get("trainer") or {}).get("precision"), config.trainer.precision
    if not old.get("fast") or before == now or before not in chosen or now not in chosen:
        return False
    config.trainer.precision = before
    config.evaluate.precision = old["evaluate"]["precision"]
    return True


def set_bursts(config: Namespace, made: Namespace) -> None:
    """Lets a fast run take as many steps at once as nothing has to happen between.

    A burst ends at each step that is logged, saved, scored or drawn. Where the trainer has a part
    in each step, or counts batches, bursts are not taken: accumulation, clipping, the scaling of
    float16's losses, limits in epochs or batches, models with a step or optimizer of their own.
    """
    trainer, kind = config.trainer, type(made.model)
    stepwise = (
        trainer.accumulate_grad_batches != 1
        or bool(trainer.gradient_clip_val)
        or str(trainer.precision).startswith("16")
        or trainer.max_epochs not in (None, -1)
        or trainer.limit_train_batches not in (None, 1.0)
        or kind.training_step is not VAE.training_step
        or kind.configure_optimizers is not VAE.configure_optimizers
    )
    if config.fast and not stepwise:
        made.loader.burst = burst_of(config)
        made.model.automatic_optimization = False


def burst_of(config: Namespace) -> int:
    """The largest number of steps, up to LONGEST, that divides all the distances between events."""
    events = [config.checkpoint_every_n_steps, config.trainer.log_every_n_steps]
    events += [config.evaluate.every_n_steps, config.pictures.every_n_steps]
    common = math.gcd(*(int(steps or 0) for steps in events))
    return next(steps for steps in range(LONGEST, 0, -1) if common % steps == 0)


def describe(config: Namespace, burst: int) -> str:
    """One line: what --fast means for this run on this machine."""
    has = has_bfloat16(str(config.trainer.accelerator))
    precision = config.trainer.precision or "32-true"
    why = has or "this processor does not compute in bfloat16"
    steps = f"{burst} steps at a time" if burst else "one step at a time"
    return (
        f"fast: precision {precision} ({why}), scores in {config.evaluate.precision}, {steps}, "
        f"{torch.get_num_threads()} threads"
    )


def has_bfloat16(accelerator: str) -> str | None:
    """What computes in bfloat16 here; None where it would be emulated."""
    if accelerator in ("auto", "gpu", "cuda") and torch.cuda.is_available():
        return torch.cuda.get_device_name() if torch.cuda.is_bf16_supported(False) else None
    if accelerator not in ("auto", "cpu"):
        return None
    for name, supported in (
        ("AMX", torch.cpu._is_amx_tile_supported),
        ("AVX512-bf16", torch.cpu._is_avx512_bf16_supported),
    ):
        if supported():
            return name
    return None
