# SPDX-License-Identifier: Apache-2.0
"""What every objective is: a scalar loss from a batch's terms and the step."""

from abc import ABC, abstractmethod
from typing import ClassVar, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn

from disent.gaussian import Posterior


class Terms(NamedTuple):
    """The terms of a batch, in nats per image.

    Attributes:
        distortion: Float[B], -log p(x|z), summed over pixels.
        rate: Float[B, D], KL(q(z_j|x) || p(z_j)) of each latent.
        posterior: What the rate is of, for objectives that look at the codes of a batch together.
        z: Float[B, D], the samples that the distortion is of.
        noise: Float[B, D], from N(0, 1), that made them.
    """

    distortion: Float[Tensor, "b"]
    rate: Float[Tensor, "b d"]
    posterior: Posterior | None = None
    z: Float[Tensor, "b d"] | None = None
    noise: Float[Tensor, "b d"] | None = None

    def elbo(self) -> Float[Tensor, ""]:
        """-(distortion + rate), averaged over the batch."""
        return -(self.distortion.mean() + self.rate.sum(-1).mean())


class Objective(nn.Module, ABC):
    """A pure function of (terms, step). Knobs are buffers: write no Python `if` on a knob.

    The terms are those of the whole batch, also where several devices share it.

    Attributes:
        strength: Name of the knob that a study varies, and its symbol in tables; None: none.
    """

    strength: ClassVar[tuple[str, str] | None] = None

    @abstractmethod
    def forward(self, terms: Terms, step: int | Tensor) -> Float[Tensor, ""]:
        """The loss, in nats per image."""

    def schedule(self, step: int | Tensor) -> dict[str, Tensor]:
        """Values that change with the step and are logged beside the loss, by name."""
        return {}

    def tell(self, terms: Terms) -> dict[str, Tensor]:
        """Further terms of a batch to be logged, by name: such as a total correlation."""
        return {}

    def knob(self, name: str, value: float) -> None:
        """Keeps a setting as a buffer outside the checkpoint: the config is the only truth."""
        self.register_buffer(name, torch.tensor(float(value)), persistent=False)
