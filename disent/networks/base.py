# SPDX-License-Identifier: Apache-2.0
"""What every network is: an encoder into a diagonal Gaussian and a decoder back to pixels."""

from collections.abc import Callable
from itertools import pairwise
from typing import Any

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
        size: Height and width of a picture.
        numbers: That the encoder gives of a picture; None: 2 D, means then log-variances.
    """

    encoder: nn.Module  # [B, C, H, W] -> [B, numbers]
    decoder: nn.Module  # [B, D] -> [B, outputs * C, H, W]

    def __init__(
        self,
        channels: int = 1,
        latent_dim: int = 10,
        outputs: int = 1,
        size: tuple[int, int] = (64, 64),
        numbers: int | None = None,
    ) -> None:
        super().__init__()
        numbers = 2 * latent_dim if numbers is None else numbers
        if min(channels, latent_dim, outputs, numbers, *size) < 1:
            raise ValueError(
                f"channels, latent_dim, outputs, numbers and size must be >= 1, got {channels}, "
                f"{latent_dim}, {outputs}, {numbers} and {tuple(size)}."
            )
        self.channels, self.latent_dim, self.outputs = channels, latent_dim, outputs
        self.size, self.numbers = (size[0], size[1]), numbers

    @property
    def pixels(self) -> int:
        """Values of a picture: channels times height times width."""
        return self.channels * self.size[0] * self.size[1]

    def wants_64(self) -> None:
        """Raises ValueError unless pictures are of 64 x 64, as those of most convolutions are."""
        if self.size != (64, 64):
            raise ValueError(
                f"{type(self).__name__} takes pictures of 64 x 64, but these are of "
                f"{self.size[0]} x {self.size[1]}: take MLP or Linear."
            )

    def encode(self, x: Float[Tensor, "b c h w"]) -> DiagonalGaussian:
        """The posterior q(z|x)."""
        return DiagonalGaussian(*self.encoder(x).chunk(2, dim=-1))

    def decode(self, z: Float[Tensor, "b d"]) -> Float[Tensor, "b o h w"]:
        """The likelihood's parameters."""
        return self.decoder(z)


def make_network(
    network: Callable[..., Network],
    channels: int,
    latent_dim: int,
    outputs: int,
    size: tuple[int, int] = (64, 64),
    numbers: int | None = None,
) -> Network:
    """What a network's class, or whoever makes one, gives for these pictures.

    Size and numbers are told only where they are not the usual ones: a network of three arguments
    is one for pictures of 64 x 64 with a diagonal posterior.

    Raises:
        ValueError: Such a network is asked for something else.
    """
    more: dict[str, Any] = {}
    if tuple(size) != (64, 64):
        more["size"] = (size[0], size[1])
    if numbers not in (None, 2 * latent_dim):
        more["numbers"] = numbers
    try:
        made = network(channels, latent_dim, outputs, **more)
    except TypeError as error:
        if not any(f"'{name}'" in str(error) for name in more):
            raise
        asked = " and ".join(f"{name}={value}" for name, value in more.items())
        raise ValueError(
            f"this network cannot be made with {asked}: {error}. Give it arguments `size` and "
            "`numbers`, as disent.networks.MLP has them."
        ) from error
    for part, method in (("encoder", "encode"), ("decoder", "decode")):
        inherits = getattr(type(made), method, None) is getattr(Network, method)
        if inherits and not hasattr(made, part):
            raise ValueError(
                f"{type(made).__name__} has no {part}: a network's `__init__` makes `encoder` "
                "and `decoder`, as that of disent.networks.Linear does."
            )
    return made


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
