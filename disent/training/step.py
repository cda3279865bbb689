# SPDX-License-Identifier: Apache-2.0
"""How the steps of one run are taken: one by one or in bursts, always by `take_step`."""

from collections.abc import Iterator
from functools import partial
from typing import Any, Literal

import torch
from torch import Tensor
from torch.nn.utils import clip_grad_norm_, clip_grad_value_

from disent import internals
from disent.data.base import Batch
from disent.data.bursts import Burst
from disent.models.base import Model, Told, take_step
from disent.training.captured import CapturedStep

Clip = Literal["norm", "value"]


class Steps:
    """Takes the steps that a burst of batches is for; the trainer counts each of them.

    The arithmetic is that of one step at a time, with the same noise: on a CPU the weights are the
    same, bit for bit, however many steps a burst has. In one process there, a step whose loss is
    not finite is the last that is taken.

    Args:
        parts: Batches of a step, whose gradients are averaged.
        clip: Bound on the norm, or on each value, of the gradients of an update; None: none.
        by: What of the gradients is bounded.
        captured: Whether one GPU takes the whole step as one CUDA graph.
    """

    def __init__(
        self,
        parts: int = 1,
        clip: float | None = None,
        by: Clip = "norm",
        *,
        captured: bool = False,
    ) -> None:
        if parts < 1:
            raise ValueError(f"a step has at least 1 batch, got {parts}.")
        if by not in ("norm", "value"):
            raise ValueError(f"gradients are clipped by 'norm' or 'value', got {by!r}.")
        self.parts, self.captured = parts, captured
        how = clip_grad_norm_ if by == "norm" else clip_grad_value_
        self.clip = partial(_clip, how, clip) if clip else None
        self._graph: CapturedStep | None = None

    def __call__(self, model: Model, burst: Burst) -> tuple[Tensor, Told]:
        """The loss of the last step and what it tells, in nats per image."""
        start, n = model.global_step, len(burst.indices)
        first = start * self.parts
        drawn = torch.stack([model.draw_noise(len(burst), first + k) for k in range(n)])
        batches, noise = iter(burst), drawn.to(model.device, non_blocking=True)
        optimizers = optimizers_of(model)
        alone = model.device.type == "cpu" and model.trainer.world_size == 1  # ranks stop together
        loss, told = torch.empty(0), Told()
        for step, part in enumerate(range(0, n, self.parts), start):
            loss, told = self._take(model, optimizers, batches, noise[part:][: self.parts], step)
            internals.count_step(model.trainer)
            if alone and not is_finite(loss, told):
                break
        return loss, told

    def _take(
        self,
        model: Model,
        optimizers: list[torch.optim.Optimizer],
        batches: Iterator[Batch],
        noise: Tensor,
        step: int,
    ) -> tuple[Tensor, Told]:
        if self._is_captured(model, optimizers):
            if self._graph is None or self._graph.optimizers != optimizers:
                self._graph = CapturedStep(model, optimizers)
            return self._graph(next(batches), noise[0], step)
        if self.parts == 1:
            return take_step(model, optimizers, next(batches), noise[0], step, clip=self.clip)
        parts = [next(batches) for _ in range(len(noise))]
        return take_step(model, optimizers, parts, list(noise), step, clip=self.clip)

    def _is_captured(self, model: Model, optimizers: list[torch.optim.Optimizer]) -> bool:
        """Whether a graph takes the steps; sets the optimizers up for it, or for none."""
        graph = self.captured and model.device.type == "cuda" and model.trainer.world_size == 1
        graph = graph and self.parts == 1 and self.clip is None
        graph = graph and all("capturable" in each.defaults for each in optimizers)  # not Adagrad
        for each in optimizers:
            for group in each.param_groups if "capturable" in each.defaults else ():
                group["capturable"] = graph  # the checkpoint may come from another kind of device
        return graph


def optimizers_of(model: Model) -> list[torch.optim.Optimizer]:
    """The plain optimizers of a model in training, one for each update."""
    found: Any = model.optimizers(use_pl_optimizer=False)
    return found if isinstance(found, list) else [found]


def is_finite(loss: Tensor, told: Told) -> bool:
    """Whether a loss and the losses beside it are; makes the host wait for an accelerator."""
    return bool(loss.isfinite()) and all(bool(v.isfinite().all()) for v in told.values())


def _clip(how: Any, bound: float, weights: list[Tensor]) -> None:
    how(weights, bound)
