# SPDX-License-Identifier: Apache-2.0
"""Several optimisation steps in one call: nothing of the trainer's between them."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

import torch
from jaxtyping import Float, Int
from torch import Tensor

from disent.models.captured import CapturedStep
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
    start, size = model.global_step, batches.indices.shape[1]
    steps = range(start, start + len(batches.indices))
    noise = torch.stack([model.draw_noise(size, position) for position in steps])
    noise = noise.to(model.device, non_blocking=True)
    progress = model.trainer.fit_loop.epoch_loop.manual_optimization.optim_step_progress
    captured = _captured(model, batches, size)
    cached = torch.is_autocast_cache_enabled()
    torch.set_autocast_cache_enabled(False)  # or each step would see the first one's weights
    result: tuple[Tensor, Terms] | None = None
    try:
        for step, index, drawn in zip(steps, batches.indices, noise, strict=True):
            if captured is not None:
                result = captured(index, drawn, step)
            else:
                result = _take(model, batches.draw(index), drawn, step)
            progress.increment_ready()
            progress.increment_completed()
            if model.device.type == "cpu" and not torch.isfinite(result[0]):
                break
    finally:
        torch.set_autocast_cache_enabled(cached)
    if result is None:
        raise ValueError("a burst without steps came, but at least one is wanted.")
    return result


def _take(model: "VAE", x: Tensor, noise: Tensor, step: int) -> tuple[Tensor, Terms]:
    """One step, through the trainer's strategy: devices that train together share gradients."""
    optimizer: Any = model.optimizers(use_pl_optimizer=False)
    loss, terms = model(x, noise, step)
    optimizer.zero_grad()
    model.manual_backward(loss)
    optimizer.step()
    return loss.detach(), Terms(terms.distortion.detach(), terms.rate.detach())


def _captured(model: "VAE", batches: Batches, size: int) -> CapturedStep | None:
    """The step as a CUDA graph, made once a training; None where none can be made."""
    optimizer: Any = model.optimizers(use_pl_optimizer=False)
    capturable = optimizer.defaults.get("capturable", False)  # Adagrad is not
    if model.device.type != "cuda" or model.trainer.world_size > 1 or not capturable:
        return None
    if model.captured is None:
        shape = (size, model.latent_dim)
        model.captured = CapturedStep(model.forward, optimizer, batches.draw, shape, model.device)
    return model.captured
