# SPDX-License-Identifier: Apache-2.0
"""One optimisation step as a CUDA graph: gather, forward, backward and update in one launch."""

from collections.abc import Callable

import torch
from torch import Tensor

from disent.objectives.base import Terms

Forward = Callable[[Tensor, Tensor, Tensor], tuple[Tensor, Terms]]
WARM = 3  # steps before the capture: compilers choose and the optimizer makes its state


class CapturedStep:
    """A training step on one GPU without work of the host but three small copies and a launch.

    The forward and backward passes are compiled; after a few ordinary steps the whole step, from
    the pictures' indices to the optimizer's update, is captured once and then replayed. Nothing
    waits for the device. What a call returns is overwritten by the next one.

    Args:
        forward: (pictures, noise, step) -> loss and terms, pure.
        optimizer: Of the parameters; made with `capturable`.
        draw: Flat indices [B] -> pictures [B, C, 64, 64], on the device.
        shape: [B, D], of the noise.
        device: The GPU.
    """

    def __init__(
        self,
        forward: Forward,
        optimizer: torch.optim.Optimizer,
        draw: Callable[[Tensor], Tensor],
        shape: tuple[int, int],
        device: torch.device,
    ) -> None:
        self._forward: Forward = torch.compile(forward, dynamic=False)
        self._optimizer, self._draw = optimizer, draw
        self._index = torch.zeros(shape[0], dtype=torch.int64, device=device)
        self._noise = torch.zeros(shape, device=device)
        self._step = torch.zeros((), dtype=torch.int64, device=device)
        self._graph: torch.cuda.CUDAGraph | None = None
        self._result: tuple[Tensor, Terms] | None = None
        self._taken = 0

    def __call__(self, index: Tensor, noise: Tensor, step: int) -> tuple[Tensor, Terms]:
        """Takes one step; returns loss and terms, in nats per image, valid until the next call."""
        self._index.copy_(index, non_blocking=True)
        self._noise.copy_(noise, non_blocking=True)
        self._step.fill_(step)
        if self._graph is not None and self._result is not None:
            self._graph.replay()
            return self._result
        if self._taken < WARM:
            self._taken += 1
            return self._warm()
        return self._capture()

    def _take(self) -> tuple[Tensor, Terms]:
        loss, terms = self._forward(self._draw(self._index), self._noise, self._step)
        loss.backward()
        self._optimizer.step()
        return loss.detach(), Terms(terms.distortion.detach(), terms.rate.detach())

    def _warm(self) -> tuple[Tensor, Terms]:
        """An ordinary step, on a stream of its own, as a capture wants it before."""
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            self._optimizer.zero_grad(set_to_none=True)
            result = self._take()
        torch.cuda.current_stream().wait_stream(stream)
        return result

    def _capture(self) -> tuple[Tensor, Terms]:
        """Records the step, which does not run it, and runs it."""
        self._optimizer.zero_grad(set_to_none=True)  # the graph makes its gradients, once
        self._graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self._graph):
            self._result = self._take()
        self._graph.replay()
        return self._result
