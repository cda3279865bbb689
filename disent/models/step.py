# SPDX-License-Identifier: Apache-2.0
"""What a step of training is: updates in turn, each by the gradient of a pure loss."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import torch
from torch import Tensor

from disent.data.base import Batch
from disent.models.ranks import average_gradients

Told = dict[str, Tensor]  # what a loss tells of its terms, by the name it is logged under
Noise = Mapping[str, Tensor]  # Float[B, n] of N(0, 1), by what it is for


class Update(NamedTuple):
    """One of the updates that a step consists of, in their order.

    Attributes:
        loss: Name of the method (batch, noise, step) -> (loss, told). Pure: nothing is drawn or
            counted inside, nothing read back from the device.
        moves: Names of the submodules, such as "network.encoder", whose weights follow its
            gradient, all others stay; (): all weights that no other update names.
        lr: Name of the attribute that holds its learning rate.
        betas: Of Adam.
    """

    loss: str
    moves: tuple[str, ...] = ()
    lr: str = "lr"
    betas: tuple[float, float] = (0.9, 0.999)


def take_step(
    model: Any,
    optimizers: Sequence[torch.optim.Optimizer],
    batch: Batch | Sequence[Batch],
    noise: Tensor | Sequence[Tensor],
    step: int | Tensor,
    *,
    clip: Callable[[list[Tensor]], Any] | None = None,
) -> tuple[Tensor, Told]:
    """One step of training: every update in turn, each with the weights that the last one left.

    The gradient of a loss flows to the weights of its own optimizer alone.

    Args:
        model: A Model, or what has its `updates` and is called as it is.
        optimizers: One for each update.
        batch: The pictures; or a list of parts, whose gradients are averaged (accumulation).
        noise: Of the pictures; or a list, one for each part.
        step: Counted from 0.
        clip: Changes the gradients of the weights that it is given, before they are used.
    Returns:
        The loss of the first update, and what all updates tell, of the last part; detached.
    """
    parts = list(zip(batch, noise, strict=True)) if isinstance(batch, list) else [(batch, noise)]
    first, told = None, Told()
    with _fresh_casts():
        for update, optimizer in zip(model.updates, optimizers, strict=True):
            moved = [weight for group in optimizer.param_groups for weight in group["params"]]
            optimizer.zero_grad()
            loss, more = _backward(model, update, moved, parts, step)
            average_gradients(moved)
            if clip is not None:
                clip(moved)
            optimizer.step()
            first = loss.detach() if first is None else first
            told |= {name: value.detach() for name, value in more.items()}
    assert first is not None, "a model has at least one update"
    return first, told


def _backward(
    model: Any, update: Update, moved: list[Tensor], parts: list[Any], step: int | Tensor
) -> tuple[Tensor, Told]:
    """Adds the gradients of all parts; the loss of the last one and what it tells."""
    loss, told = torch.empty(0), Told()
    for batch, noise in parts:
        loss, told = model(batch, noise, step, update.loss)
        share = loss if len(parts) == 1 else loss / len(parts)
        with torch.autocast(loss.device.type, enabled=False):  # as a trainer's own backward pass
            torch.autograd.backward(share, inputs=moved)
    return loss, told


@contextmanager
def _fresh_casts() -> Iterator[None]:
    """Autocast does not remember weights: an update would see those before the last one."""
    cached = torch.is_autocast_cache_enabled()
    torch.set_autocast_cache_enabled(False)
    try:
        yield
    finally:
        torch.set_autocast_cache_enabled(cached)
