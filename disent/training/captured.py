# SPDX-License-Identifier: Apache-2.0
"""One optimisation step as a CUDA graph: forward, backward and update in one launch."""

from collections.abc import Callable

import torch
from torch import Tensor

from disent.objectives.base import Terms

Forward = Callable[[Tensor, Tensor, Tensor], tuple[Tensor, Terms]]
WARM = 3  # steps before the capture: compilers choose and the optimizer makes its state


class CapturedStep:
    """A training step on one GPU without work of the host but small copies and a launch.

    The forward and backward passes are compiled; after a few ordinary steps the whole step, from
    the pictures to the optimizer's update, is captured once and then replayed. Nothing waits for
    the device. What a call returns is overwritten by the next one.

    Args:
        forward: (pictures, noise, step) -> loss and terms, pure.
        optimizer: Of the parameters; `capturable`.
    """

    def __init__(self, forward: Forward, optimizer: torch.optim.Optimizer) -> None:
        self._forward: Forward = torch.compile(forward, dynamic=False)
        # the first steps are ordinary ones; torch would advise against `capturable` for them
        optimizer._warned_capturable_if_run_uncaptured = True  # pyright: ignore[reportAttributeAccessIssue]
        self._optimizer, self._taken = optimizer, 0
        self._inputs: tuple[Tensor, Tensor, Tensor] | None = None
        self._replay: tuple[torch.cuda.CUDAGraph, tuple[Tensor, Terms]] | None = None

    def __call__(self, x: Tensor, noise: Tensor, step: int) -> tuple[Tensor, Terms]:
        """Takes one step; returns loss and terms, in nats per image, valid until the next call."""
        if self._inputs is None:
            counter = torch.zeros((), dtype=torch.int64, device=x.device)
            self._inputs = (torch.empty_like(x), torch.empty_like(noise), counter)
        pictures, drawn, counter = self._inputs
        pictures.copy_(x, non_blocking=True)
        drawn.copy_(noise, non_blocking=True)
        counter.fill_(step)
        if self._taken < WARM:
            self._taken += 1
            return self._warm(self._inputs)
        if self._replay is None:
            self._replay = self._capture(self._inputs)
        graph, result = self._replay
        graph.replay()
        return result

    def _take(self, inputs: tuple[Tensor, Tensor, Tensor]) -> tuple[Tensor, Terms]:
        loss, terms = self._forward(*inputs)
        with torch.autocast("cuda", enabled=False):  # as the trainer's own backward pass
            loss.backward()
        self._optimizer.step()
        return loss.detach(), Terms(terms.distortion.detach(), terms.rate.detach())

    def _warm(self, inputs: tuple[Tensor, Tensor, Tensor]) -> tuple[Tensor, Terms]:
        """An ordinary step, on a stream of its own, as a capture wants it before."""
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            self._optimizer.zero_grad(set_to_none=True)
            result = self._take(inputs)
        torch.cuda.current_stream().wait_stream(stream)
        return result

    def _capture(
        self, inputs: tuple[Tensor, Tensor, Tensor]
    ) -> tuple[torch.cuda.CUDAGraph, tuple[Tensor, Terms]]:
        """Records a step without running it."""
        self._optimizer.zero_grad(set_to_none=True)  # the graph makes its gradients, once
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            result = self._take(inputs)
        return graph, result
