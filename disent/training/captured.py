# SPDX-License-Identifier: Apache-2.0
"""One optimisation step as a CUDA graph: forward, backward and update in one launch."""

from typing import Any

import torch
from torch import Tensor

from disent.data.base import Batch
from disent.models.base import Model, Told, take_step

NOISE = "noise"  # its place among the inputs
WARM = 3  # steps before the capture: compilers choose and the optimizers make their state

Result = tuple[Tensor, Told]


class CapturedStep:
    """A training step on one GPU without work of the host but small copies and a launch.

    The losses are compiled; after a few ordinary steps the whole step, from the pictures to the
    last optimizer's update, is captured once and then replayed. Nothing waits for the device. What
    a call returns is overwritten by the next one.

    Args:
        model: What is trained.
        optimizers: One for each of its updates; `capturable`.
    """

    def __init__(self, model: Model, optimizers: list[torch.optim.Optimizer]) -> None:
        self.updates, self.optimizers = model.updates, optimizers
        self._forward = torch.compile(model.forward, dynamic=False)
        for optimizer in optimizers:  # the first steps are ordinary; torch would advise against it
            optimizer._warned_capturable_if_run_uncaptured = True  # pyright: ignore
        self._taken, self._inputs = 0, dict[str, Tensor]()
        self._step: Tensor | None = None
        self._replay: tuple[torch.cuda.CUDAGraph, Result] | None = None

    def __call__(self, batch: Batch, noise: Tensor, step: int) -> Result:
        """Takes one step; returns loss and what is told, valid until the next call."""
        given = batch.tensors() | {NOISE: noise}
        if self._step is None:
            self._inputs = {name: torch.empty_like(tensor) for name, tensor in given.items()}
            self._step = torch.zeros((), dtype=torch.int64, device=noise.device)
        for name, new in given.items():
            self._inputs[name].copy_(new, non_blocking=True)
        self._step.fill_(step)
        batch = Batch.of(self._inputs)
        if self._taken < WARM:
            self._taken += 1
            return self._warm(batch, self._step)
        if self._replay is None:
            graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(graph):
                result = self._take(batch, self._step)
            self._replay = graph, result
        graph, result = self._replay
        graph.replay()
        return result

    def _take(self, batch: Batch, step: Tensor) -> Result:
        return take_step(_Compiled(self), self.optimizers, batch, self._inputs[NOISE], step)

    def _warm(self, batch: Batch, step: Tensor) -> Result:
        """An ordinary step, on a stream of its own, as a capture wants it before."""
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            result = self._take(batch, step)
        torch.cuda.current_stream().wait_stream(stream)
        return result


class _Compiled:
    """A model as `take_step` asks for one, with compiled losses."""

    def __init__(self, captured: CapturedStep) -> None:
        self.updates, self._forward = captured.updates, captured._forward

    def __call__(self, *given: Any) -> Any:
        return self._forward(*given)
