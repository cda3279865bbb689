# SPDX-License-Identifier: Apache-2.0
"""The bidirectional GAN: an encoder and a generator that fool one discriminator together."""

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor

from disent.data.base import Batch
from disent.gaussian import PointMass
from disent.models.adversarial import Discriminator, check_rates, fooling, telling
from disent.models.autoencoder import named
from disent.models.base import Model, Noise, Told, Update
from disent.models.ranks import gather
from disent.networks.base import Network, make_network
from disent.networks.locatello import Locatello2019


class BiGAN(Model):
    """Adversarial learning of a generator G and an encoder E: pairs (x, E(x)) against (G(z), z).

    Donahue et al. (2017), "Adversarial feature learning", https://arxiv.org/abs/1605.09782;
    Dumoulin et al. (2017), "Adversarially learned inference", https://arxiv.org/abs/1606.00704. At
    the optimum the two kinds of pairs cannot be told apart, and E inverts G. No reconstruction is
    asked for: how far G(E(x)) is from x and E(G(z)) from z is told, and best.ckpt is where x is
    met best. There is no p(x|z), so no distortion.

    Args:
        network: Encoder, which gives D numbers, and generator, by the name of their paper.
        latent_dim: Number of latents D; their prior is N(0, 1).
        channels: Colour channels of a picture; on the command line, those of the dataset.
        lr: Learning rate of encoder and generator; Adam (0.5, 0.999), as for the discriminator.
        discriminator_lr: Learning rate of the discriminator.
        width: Of the discriminator's two hidden layers.
        seed: Of the initial weights and the noise; on the command line, --seed_everything.
        size: Height and width of a picture; on the command line, those of the dataset.
    """

    updates = (
        Update("discriminate", ("discriminator",), "discriminator_lr", (0.5, 0.999)),
        Update("fool", ("network",), "lr", (0.5, 0.999)),
    )
    best = "-squared_error"
    named_by = ()

    def __init__(
        self,
        network: Callable[[int, int, int], Network] = Locatello2019,
        latent_dim: int = 10,
        channels: int = 1,
        lr: float = 2e-4,
        discriminator_lr: float = 2e-4,
        width: int = 512,
        seed: int = 0,
        size: tuple[int, int] = (64, 64),
    ) -> None:
        super().__init__(latent_dim, seed)
        check_rates(lr=lr, discriminator_lr=discriminator_lr)
        self.channels, self.size = channels, (size[0], size[1])
        self.lr, self.discriminator_lr = lr, discriminator_lr
        values = channels * size[0] * size[1]
        with self.seeded():
            self.network = make_network(named(network), channels, latent_dim, 1, size, latent_dim)
        with self.seeded("discriminator"):
            self.discriminator = Discriminator(values + latent_dim, width)

    def draws(self) -> dict[str, int]:
        return {"prior": self.prior.draws}

    def discriminate(
        self, batch: Batch, noise: Noise, step: int | Tensor
    ) -> tuple[Float[Tensor, ""], Told]:
        """Cross-entropy of telling (x, E(x)) from (G(z), z), in nats per pair."""
        z = self.prior.sample(noise["prior"])
        with torch.no_grad():
            codes, pictures = self.encode(batch.x).mean, self.picture(z)
        return telling(self.judge(batch.x, codes), self.judge(pictures, z))

    def fool(
        self, batch: Batch, noise: Noise, step: int | Tensor
    ) -> tuple[Float[Tensor, ""], Told]:
        """Both kinds of pairs taken for the other one, in nats per pair.

        Told beside it: `squared_error` of G(E(x)), summed over pixels, and `code_error` of E(G(z)),
        summed over latents, of which no gradient is taken.
        """
        z = self.prior.sample(noise["prior"])
        codes, pictures = self.encode(batch.x).mean, self.picture(z)
        seen, made = self.judge(batch.x, codes), self.judge(pictures, z)
        loss = (fooling(-seen) + fooling(made)) / 2
        with torch.no_grad():
            error = (self.picture(codes) - batch.x).square().flatten(1).sum(1)
            code_error = (self.encode(pictures).mean - z).square().sum(1)
        told = {"squared_error": gather(error), "code_error": gather(code_error)}
        return loss, {"fooling_loss": loss, **told}

    def judge(self, x: Float[Tensor, "b c h w"], z: Float[Tensor, "b d"]) -> Float[Tensor, "b"]:
        """The discriminator's logits: above 0 where it takes a pair for a picture and its code."""
        return self.discriminator(x.flatten(1), z)

    def encode(self, x: Float[Tensor, "b c h w"]) -> PointMass:
        """The code E(x) of pictures in [0, 1], in float32."""
        return PointMass(self.network.encoder(x).float())

    def decode(self, z: Float[Tensor, "b d"]) -> Float[Tensor, "b c h w"]:
        """The logits of the pictures of latents z."""
        return self.network.decode(z)

    def picture(self, z: Float[Tensor, "b d"]) -> Float[Tensor, "b c h w"]:
        """The generated pictures G(z), in [0, 1]."""
        return self.decode(z).float().sigmoid()
