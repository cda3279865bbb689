# SPDX-License-Identifier: Apache-2.0
"""Who takes the steps of a run: the suite's own `Steps`, or, where it must, Lightning's loop."""

from typing import Any

from lightning.pytorch import Callback
from lightning.pytorch.callbacks import GradientAccumulationScheduler, StochasticWeightAveraging

from disent.config.fit import Built, FitConfig
from disent.models.base import Model
from disent.models.hooks import steps_in_its_own_way
from disent.training.precision import burst_of
from disent.training.step import Steps

TAKEN = ("accumulate_grad_batches", "gradient_clip_val", "gradient_clip_algorithm")


def take_steps(config: FitConfig, built: Built) -> dict[str, Any]:
    """Sets model and loader up for `Steps`; returns the options that are left for the trainer.

    Lightning's own loop is left to step what only it can: float16 with its scaled losses,
    strategies that own the weights, and models or callbacks with a part of their own in a step.
    (Fast runs take many steps at once: callbacks see the last of them only.)

    Raises:
        ValueError: That is wanted of a model with several updates, which it cannot step.
    """
    options, model = dict(built.trainer), built.model
    if (why := _only_lightning(options, model, config.fast)) is not None:
        if len(model.updates) > 1:
            raise ValueError(
                f"{why}, which Lightning's own loop steps, and that knows one update: "
                f"{type(model).__name__} has {len(model.updates)}. Leave it out."
            )
        return options
    parts = options["accumulate_grad_batches"]
    if not isinstance(parts, int) or parts < 1:
        raise ValueError(
            f"--trainer.accumulate_grad_batches is {parts!r}, but a number from 1 on is wanted."
        )
    steps = burst_of(config) if config.fast else 1
    by = str(options["gradient_clip_algorithm"] or "norm")
    engine = Steps(parts, options["gradient_clip_val"], by, captured=config.fast)  # type: ignore
    model.automatic_optimization = False
    built.loader.burst, built.loader.train = steps * parts, engine
    built.loader.until = options["max_steps"] * parts
    return {name: value for name, value in options.items() if name not in TAKEN}


def steps_at_once(built: Built) -> int:
    """How many steps are taken before the trainer looks up."""
    train = built.loader.train
    return built.loader.burst // train.parts if isinstance(train, Steps) else 1


def _only_lightning(options: dict[str, Any], model: Model, fast: bool) -> str | None:
    """What of a run only Lightning's own loop can step, in words; None: nothing."""
    precision, strategy = str(options["precision"]), options["strategy"]
    if precision.startswith("16"):
        return f"--trainer.precision is {precision}"
    if not str(strategy).startswith(("auto", "ddp")) and type(strategy).__name__ != "DDPStrategy":
        return f"--trainer.strategy is {strategy}"
    if own := steps_in_its_own_way(type(model), Model):
        return f"{type(model).__name__} has its own {', '.join(own)}"
    for callback in _listed(options.get("callbacks")):
        if isinstance(callback, GradientAccumulationScheduler | StochasticWeightAveraging):
            return f"{type(callback).__name__} changes the trainer's own steps"
        if not fast and (own := steps_in_its_own_way(type(callback), Callback)):
            return f"{type(callback).__name__} has its {', '.join(own)}"
    return None


def _listed(parts: Any) -> list[Any]:
    return [] if parts is None else list(parts) if isinstance(parts, list | tuple) else [parts]
