# SPDX-License-Identifier: Apache-2.0
"""What adversarial models share: a discriminator, its loss, and the loss of those who fool it."""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import softplus

from disent.models.ranks import gather
from disent.models.step import Told
from disent.networks.base import dense


class Discriminator(nn.Module):
    """One logit of a row of numbers: above 0 where it is thought to be of the wanted kind.

    Two hidden layers with ReLUs, in float32 under autocast where the row comes in.

    Args:
        numbers: In a row.
        width: Of the hidden layers.
    """

    def __init__(self, numbers: int, width: int) -> None:
        super().__init__()
        if width < 1:
            raise ValueError(f"width must be >= 1, got {width}. 256 to 1000 is usual.")
        self.layers = nn.Sequential(*dense([numbers, width, width, 1], nn.ReLU, 0))

    def forward(self, *parts: Float[Tensor, "b _"]) -> Float[Tensor, "b"]:
        """Of rows in parts that stand beside each other; float32."""
        return self.layers(torch.cat(parts, 1)).float()[:, 0]


def telling(wanted: Float[Tensor, "b"], made: Float[Tensor, "b"]) -> tuple[Float[Tensor, ""], Told]:
    """The discriminator's loss: cross-entropy of its logits, in nats per row; ln 2 by guessing.

    Goodfellow et al. (2014), "Generative adversarial networks", eq. 1,
    https://arxiv.org/abs/1406.2661; here the mean of both kinds, not their sum.
    """
    wanted, made = gather(wanted), gather(made)
    loss = (softplus(-wanted).mean() + softplus(made).mean()) / 2
    right = ((wanted > 0).float().mean() + (made < 0).float().mean()) / 2
    return loss, {"discriminator_loss": loss, "discriminator_accuracy": right}


def fooling(made: Float[Tensor, "b"]) -> Float[Tensor, ""]:
    """The other player's loss, -log of what is thought probable of its rows, in nats per row.

    The form whose gradient does not vanish where the discriminator is sure (Goodfellow et al.,
    2014, section 3).
    """
    return softplus(-gather(made)).mean()


def check_rates(**rates: float) -> None:
    """Raises ValueError unless all learning rates are numbers > 0."""
    for name, rate in rates.items():
        if not 0 < rate < float("inf"):
            raise ValueError(f"{name} must be > 0, got {rate}. 1e-4 to 1e-3 is usual.")
