# SPDX-License-Identifier: Apache-2.0
"""The network that everyone trains, in plain PyTorch: the layers of disent.networks.Burgess2018.

The peers have no such network. Theirs take a module of the user's; these are wrapped as each of
them asks. It runs in the peers' environments, where this suite is not.
"""

from typing import TypeVar

import numpy as np
import torch
from torch import nn

Model = TypeVar("Model", bound=nn.Module)

LATENTS = 10
BETA, LR, BATCH = 4.0, 1e-4, 64
FACTORS = {"shape": 3, "scale": 6, "orientation": 40, "position_x": 32, "position_y": 32}


def encoder() -> nn.Sequential:
    """Pictures [b, 1, 64, 64] to means and log-variances [b, 20]."""
    layers: list[nn.Module] = []
    for channels in (1, 32, 32, 32):
        layers += [nn.Conv2d(channels, 32, 4, 2, 1), nn.ReLU()]
    layers += [nn.Flatten(), nn.Linear(512, 256), nn.ReLU(), nn.Linear(256, 256), nn.ReLU()]
    return initialised(nn.Sequential(*layers, nn.Linear(256, 2 * LATENTS)))


def decoder() -> nn.Sequential:
    """Latents [b, 10] to logits [b, 1, 64, 64]."""
    layers = [nn.Linear(LATENTS, 256), nn.ReLU(), nn.Linear(256, 256), nn.ReLU()]
    layers += [nn.Linear(256, 512), nn.Unflatten(1, (32, 4, 4))]
    for channels in (32, 32, 32, 1):
        layers += [nn.ReLU(), nn.ConvTranspose2d(32, channels, 4, 2, 1)]
    return initialised(nn.Sequential(*layers))


def initialised(network: nn.Sequential) -> nn.Sequential:
    """He-normal weights and zero biases, as ours, so that the losses can be compared."""
    for layer in network.modules():
        if isinstance(layer, nn.Linear | nn.Conv2d | nn.ConvTranspose2d):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
            nn.init.zeros_(layer.bias)  # pyright: ignore[reportArgumentType]
    return network


def arranged(model: Model, channels_last: bool) -> Model:
    """The model in PyTorch's default memory layout, or in ours."""
    return model.to(memory_format=torch.channels_last) if channels_last else model  # pyright: ignore[reportCallIssue]


def mapped(path: str) -> np.ndarray:
    """All pictures, uint8 [737280, 64, 64] of 0 and 255, mapped: read when they are wanted."""
    return np.load(path, mmap_mode="c").view(np.ndarray)
