# SPDX-License-Identifier: Apache-2.0
"""Several optimisation steps in one call: nothing of the trainer's between them."""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Protocol

import torch
from jaxtyping import Float, Int
from torch import Tensor

from disent.training.captured import CapturedStep
from disent.objectives.base import Terms

if TYPE_CHECKING:
    from disent.models.vae import VAE


class Batches(Protocol):
    """What a burst comes as: indices of each step's pictures, and what makes them pictures."""

    indices: Int[Tensor, "steps b"]
    draw: Callable[[Int[Tensor, "b"]], Float[Tensor, "b c 64 64"]]


def train_burst(model: "VAE", batches: Batches) -> tuple[Tensor, Terms]:
    """Takes a step for each of the batches; returns loss and terms of the last, in nats per image.

    The arithmetic is that of one step at a time, with the same noise: on a CPU the weights are the
    same, bit for bit. There, a step whose loss is not finite is the last that is taken. On one GPU
    the whole step is one CUDA graph. The trainer counts every step.
    """
    start, (count, size) = model.global_step, batches.indices.shape
    noise = torch.stack([model.draw_noise(size, start + step) for step in range(count)])
    noise = noise.to(model.device, non_blocking=True)
    progress = model.trainer.fit_loop.epoch_loop.manual_optimization.optim_step_progress
    take, pictures = _step_of(model, batches)
    cached, loss, terms = torch.is_autocast_cache_enabled(), None, None
    torch.set_autocast_cache_enabled(False)  # or each step would see the first one's weights
    try:
        for step, (x, drawn) in enumerate(zip(pictures, noise, strict=True), start):
            loss, terms = take(x, drawn, step)
            progress.increment_ready()
            progress.increment_completed()
            if model.device.type == "cpu" and not torch.isfinite(loss):
                break
    finally:
        torch.set_autocast_cache_enabled(cached)
    if loss is None or terms is None:
        raise ValueError("a burst without steps came, but at least one is wanted.")
    return loss, terms


def _step_of(
    model: "VAE", batches: Batches
) -> tuple[Callable[[Tensor, Tensor, int], tuple[Tensor, Terms]], Iterable[Tensor]]:
    """What takes a step, and the pictures: on a GPU all at once, elsewhere one batch at a time."""
    optimizer: Any = model.optimizers(use_pl_optimizer=False)
    graph = model.device.type == "cuda" and model.trainer.world_size == 1
    graph = graph and "capturable" in optimizer.defaults  # Adagrad is not
    for group in optimizer.param_groups if "capturable" in optimizer.defaults else ():
        group["capturable"] = graph  # the checkpoint may come from another kind of device
    if not graph:
        return lambda *inputs: _take(model, optimizer, *inputs), map(batches.draw, batches.indices)
    if model.captured is None:
        model.captured = CapturedStep(model.forward, optimizer)
    pictures = batches.draw(batches.indices.flatten())
    return model.captured, pictures.view(*batches.indices.shape, *pictures.shape[1:])


def _take(
    model: "VAE", optimizer: torch.optim.Optimizer, x: Tensor, noise: Tensor, step: int
) -> tuple[Tensor, Terms]:
    """One step, through the trainer's strategy: devices that train together share gradients."""
    loss, terms = model(x, noise, step)
    optimizer.zero_grad()
    with torch.autocast(x.device.type, enabled=False):  # as the trainer's own backward pass
        model.manual_backward(loss)
    optimizer.step()
    return loss.detach(), Terms(terms.distortion.detach(), terms.rate.detach())
