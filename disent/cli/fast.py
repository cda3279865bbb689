# SPDX-License-Identifier: Apache-2.0
"""What --fast changes in a run: the arithmetic, and how often the trainer is asked in between."""

import math

import torch
from jsonargparse import Namespace

PRECISION = "bf16-mixed"


def choose_arithmetic(config: Namespace) -> None:
    """Gives a run that asks for --fast its precisions; those that the user has set stay."""
    strategy = str(config.trainer.strategy)
    if config.fast and not strategy.startswith(("auto", "ddp")):
        raise ValueError(
            f"--trainer.strategy is {strategy}, but --fast steps the optimizer itself: leave one "
            "of the two out, or take ddp."
        )
    if not config.fast or _has_bfloat16(str(config.trainer.accelerator)) is None:
        return
    if config.trainer.precision is None:
        config.trainer.precision = PRECISION
    if config.trainer.precision == PRECISION:
        config.evaluate.precision = "bfloat16"


def set_bursts(config: Namespace, made: Namespace) -> None:
    """Lets a fast run take as many steps at once as nothing has to happen between.

    A burst ends at each step that is logged, saved, scored or drawn. Accumulation, clipping and the
    scaling of float16's losses are the trainer's own, step by step, so there bursts are not taken.
    """
    if not config.fast or _is_stepwise(config):
        return
    made.loader.burst = burst_of(config)
    made.model.automatic_optimization = False


def burst_of(config: Namespace) -> int:
    """The largest number of steps that divides all the distances between events."""
    trainer = config.trainer
    events = [config.checkpoint_every_n_steps, trainer.log_every_n_steps]
    events += [config.evaluate.every_n_steps, config.pictures.every_n_steps]
    return math.gcd(*(int(steps or 0) for steps in events))


def describe(config: Namespace) -> str:
    """One line: what --fast means for this run on this machine."""
    has = _has_bfloat16(str(config.trainer.accelerator))
    precision = config.trainer.precision or "32-true"
    why = has or "this processor has no bfloat16, which would be slower"
    bursts = "one step at a time" if _is_stepwise(config) else f"{burst_of(config)} steps at a time"
    return f"fast: precision {precision} ({why}), {bursts}, {torch.get_num_threads()} threads"


def _is_stepwise(config: Namespace) -> bool:
    trainer = config.trainer
    scaled = str(trainer.precision).startswith("16")
    return trainer.accumulate_grad_batches != 1 or bool(trainer.gradient_clip_val) or scaled


def _has_bfloat16(accelerator: str) -> str | None:
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
