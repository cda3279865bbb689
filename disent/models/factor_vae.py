# SPDX-License-Identifier: Apache-2.0
"""FactorVAE: a VAE whose total correlation a discriminator estimates."""

from itertools import pairwise
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from disent.data.base import Batch
from disent.models.base import Noise, Told, Update
from disent.models.ranks import gather
from disent.models.vae import VAE


class FactorVAE(VAE):
    """distortion + rate + gamma * TC(z), TC by the density ratio of a discriminator, in nats.

    Kim & Mnih (2018), "Disentangling by Factorising", eq. 2 and algorithm 2,
    https://arxiv.org/abs/1802.05983. The discriminator learns to tell codes from codes whose
    latents come from different pictures of a second batch; its two logits differ by
    ln q(z) - ln prod_j q(z_j). Six layers of 1000 with leaky ReLUs (0.2), Adam (0.5, 0.9).

    Args:
        gamma: Weight of the total correlation; the paper takes 35 on dSprites.
        discriminator_lr: Learning rate of the discriminator.
        width: Of the discriminator's layers.
        **vae: Network, likelihood and the rest, as `VAE` takes them.
    """

    updates = (
        Update("step_loss"),
        Update("discriminate", ("discriminator",), "discriminator_lr", (0.5, 0.9)),
    )
    views = ("own", "independent")
    strength = ("gamma", "gamma")
    named_by = ("gamma",)
    gamma: Tensor

    def __init__(
        self, gamma: float = 35.0, discriminator_lr: float = 1e-4, width: int = 1000, **vae: Any
    ) -> None:
        super().__init__(None, **vae)
        if not 0 <= gamma < float("inf"):
            raise ValueError(f"gamma must be >= 0, got {gamma}. 35 is usual on dSprites.")
        if not 0 < discriminator_lr < float("inf") or width < 1:
            raise ValueError(
                f"got discriminator_lr {discriminator_lr} and width {width}, but numbers > 0 are "
                "wanted: 1e-4 and 1000 are usual."
            )
        self.knob("gamma", gamma)
        self.discriminator_lr = discriminator_lr
        with self.seeded("discriminator"):
            self.discriminator = discriminator(self.latent_dim, width)

    def draws(self) -> dict[str, int]:
        return dict.fromkeys(("posterior", "second", "permutation"), self.latent_dim)

    def step_loss(
        self, batch: Batch, noise: Noise, step: int | Tensor
    ) -> tuple[Float[Tensor, ""], Told]:
        """The ELBO and gamma times the total correlation that the discriminator sees."""
        terms = self.terms(batch.x, noise["posterior"])
        logits = self.discriminator(terms.z)
        correlation = (logits[:, 0] - logits[:, 1]).float().mean()
        loss = self.objective(terms, step) + self.gamma * correlation
        return loss, {**self.told(terms), "total_correlation": correlation}

    def discriminate(
        self, batch: Batch, noise: Noise, step: int | Tensor
    ) -> tuple[Float[Tensor, ""], Told]:
        """Cross-entropy of telling codes (0) from permuted codes of a second batch (1), in nats.

        Without a second batch, the codes of the same one are permuted, as Locatello et al. (2019)
        do. The codes are those of the encoder that the step has just updated.
        """
        second = batch if batch.other is None else batch.other
        with torch.no_grad():
            z = gather(self.encode(batch.x).sample(noise["posterior"]))
            other = gather(self.encode(second.x).sample(noise["second"]))
            order = gather(noise["permutation"]).argsort(0)  # of each latent apart, uniform
        return told_apart(self.discriminator, z, other.gather(0, order))


def discriminator(numbers: int, width: int, layers: int = 6) -> nn.Sequential:
    """Layers of one width with leaky ReLUs (0.2), from so many numbers to two logits."""
    hidden: list[nn.Module] = []
    for fan_in, fan_out in pairwise([numbers, *[width] * layers]):
        hidden += [nn.Linear(fan_in, fan_out), nn.LeakyReLU(0.2)]
    return nn.Sequential(*hidden, nn.Linear(width, 2))


def told_apart(
    judge: nn.Module, codes: Float[Tensor, "b n"], permuted: Float[Tensor, "b n"]
) -> tuple[Float[Tensor, ""], Told]:
    """Cross-entropy, in nats, of telling codes (0) from permuted ones (1), and the share right."""
    logits = judge(torch.cat([codes, permuted])).float()
    label = torch.arange(2, device=codes.device).repeat_interleave(len(codes))
    loss = cross_entropy(logits, label)
    right = (logits.argmax(1) == label).float().mean()
    return loss, {"discriminator_loss": loss, "discriminator_accuracy": right}
