# SPDX-License-Identifier: Apache-2.0
"""What every network is: an encoder into a diagonal Gaussian and a decoder back to pixels."""

from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor, nn

from disent.gaussian import DiagonalGaussian


class Network(nn.Module):
    """An encoder and a decoder of one paper.

    Members keep `forward` of the VAE pure: no batch statistics, no `.item()`, no
    branch on data.

    Args:
        channels: Colour channels of a picture, 1 or 3.
        latent_dim: Number of latents D.
        outputs: Numbers that the decoder gives per pixel and channel (the likelihood's `outputs`).
    """

    encoder: nn.Module  # [B, C, 64, 64] -> [B, 2 D], means then log-variances
    decoder: nn.Module  # [B, D] -> [B, outputs * C, 64, 64]

    def __init__(self, channels: int = 1, latent_dim: int = 10, outputs: int = 1) -> None:
        super().__init__()
        if min(channels, latent_dim, outputs) < 1:
            raise ValueError(
                f"channels, latent_dim and outputs must be >= 1, got {channels}, {latent_dim} and "
                f"{outputs}."
            )
        self.channels, self.latent_dim, self.outputs = channels, latent_dim, outputs

    def encode(self, x: Float[Tensor, "b c 64 64"]) -> DiagonalGaussian:
        """The posterior q(z|x)."""
        return DiagonalGaussian(*self.encoder(x).chunk(2, dim=-1))

    def decode(self, z: Float[Tensor, "b d"]) -> Float[Tensor, "b o 64 64"]:
        """The likelihood's parameters."""
        return self.decoder(z)


class Linear32(nn.Linear):
    """A linear layer that computes in float32 under autocast, too: those near the latents.

    A latent of 3 nats has a posterior of standard deviation 0.03, but bfloat16 tells numbers
    between 2 and 4 apart by 0.016 only: the code would be blurred. In bfloat16, the dense layers
    of convolutional networks, which take 2 % of the time of a step, also delay the moment at which
    training finds the first factors, or prevent it.
    """

    def forward(self, input: Float[Tensor, "b i"]) -> Float[Tensor, "b o"]:  # noqa: A002
        with torch.autocast(input.device.type, enabled=False):
            return super().forward(input.float())


def dense(widths: list[int], activation: type[nn.Module], latents: int) -> list[nn.Module]:
    """Fully connected layers with an activation after each but the last.

    Args:
        widths: Numbers that come, that go between, and that go.
        activation: Class of the activations.
        latents: Which layer is at the latents: 0 the first, -1 the last.
    """
    pairs = list(pairwise(widths))
    kinds: list[type[nn.Linear]] = [nn.Linear] * len(pairs)
    kinds[latents] = Linear32
    layers: list[nn.Module] = []
    for kind, (fan_in, fan_out) in zip(kinds, pairs, strict=True):
        layers += [kind(fan_in, fan_out), activation()]
    return layers[:-1]


def initialise_glorot(module: nn.Module) -> None:
    """Glorot-uniform weights and zero biases, TensorFlow's defaults (Glorot & Bengio, 2010)."""
    for layer in module.modules():
        if isinstance(layer, nn.Linear | nn.Conv2d | nn.ConvTranspose2d):
            nn.init.xavier_uniform_(layer.weight)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
