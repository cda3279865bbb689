# SPDX-License-Identifier: Apache-2.0
"""What --fast changes in a run: the arithmetic, and how often the trainer is asked in between."""

import math

import torch

from disent.config.fit import FitConfig
from disent.runs.directory import RunDir

PRECISION = "bf16-mixed"
LONGEST = 100  # steps of a burst: signals wait for its end, and a GPU draws its pictures at once


def choose_arithmetic(config: FitConfig) -> None:
    """Gives a run its precisions where the user has set none: bfloat16 with --fast, if it pays."""
    strategy = str(config.trainer["strategy"])
    if config.fast and not strategy.startswith(("auto", "ddp")):
        raise ValueError(
            f"--trainer.strategy is {strategy}, but --fast steps the optimizer itself: leave one "
            "of the two out, or take ddp."
        )
    fast = config.fast and has_bfloat16(str(config.trainer["accelerator"])) is not None
    precision = config.trainer["precision"]
    if fast and precision is None:
        precision = PRECISION
    fast = fast and precision == PRECISION
    scores = config.evaluate.precision or ("bfloat16" if fast else "float32")
    config.take_precision(precision, scores)


def keep_arithmetic(config: FitConfig, folder: RunDir) -> None:
    """Goes on with the precisions that a fast run began with, perhaps on another machine."""
    if not config.fast or not folder.config.exists():
        return
    old = folder.read_config()
    chosen = (None, PRECISION)
    before, now = (old.get("trainer") or {}).get("precision"), config.trainer["precision"]
    if not old.get("fast") or before == now or before not in chosen or now not in chosen:
        return
    config.take_precision(before, old["evaluate"]["precision"])


def burst_of(config: FitConfig) -> int:
    """The largest number of steps, up to LONGEST, that divides all the distances between events.

    A burst ends at each step that is logged, saved, scored or drawn.
    """
    events = [config.checkpoint_every_n_steps, config.trainer["log_every_n_steps"]]
    events += [config.evaluate.every_n_steps, config.pictures.every_n_steps]
    events += [config.pictures.film_every_n_steps]
    common = math.gcd(*(int(steps or 0) for steps in events))
    return next(steps for steps in range(LONGEST, 0, -1) if common % steps == 0)


def describe(config: FitConfig, steps: int) -> str:
    """One line: what --fast means for this run on this machine, with so many steps at a time."""
    has = has_bfloat16(str(config.trainer["accelerator"]))
    precision = config.trainer["precision"] or "32-true"
    why = has or "this processor does not compute in bfloat16"
    at_once = f"{steps} steps at a time" if steps > 1 else "one step at a time"
    threads = torch.get_num_threads()
    return (
        f"fast: precision {precision} ({why}), scores in {config.evaluate.precision}, {at_once}, "
        f"{threads} thread{'s' if threads > 1 else ''}"
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
