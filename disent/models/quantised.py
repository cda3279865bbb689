# SPDX-License-Identifier: Apache-2.0
"""Autoencoders whose latents take few values each: QLAE, and FactorQVAE."""

from collections.abc import Sequence
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from disent.data.base import Batch
from disent.gaussian import PointMass
from disent.likelihoods.bernoulli import Bernoulli
from disent.models.autoencoder import AutoEncoder
from disent.models.base import Noise, Told, Update
from disent.models.codebook import Categorical, check_settings, nearest
from disent.models.factor_vae import discriminator, told_apart
from disent.models.ranks import gather


class QLAE(AutoEncoder):
    """The quantised-latent autoencoder: each latent takes one of few values of its own codebook.

    Hsu et al. (2023), "Disentanglement via Latent Quantization", sections 3.1 and 3.2,
    https://arxiv.org/abs/2305.18378. Loss: distortion + n * (quantization * |sg(c) - z|^2 +
    commitment * |c - sg(z)|^2), in nats per image; c is what the encoder gives, z the nearest
    values, through which the gradient goes straight to c. The squares are averaged over latents;
    the paper averages the distortion over the n numbers of a picture, hence n here. Weights of the
    network decay (AdamW), biases and codebooks do not. Codes are the values themselves, of which
    many pictures share each; a code between two is decoded as the nearer.

    Args:
        values: In each codebook, evenly spaced from -1/2 to 1/2 at first.
        weight_decay: Decoupled, as AdamW has it; the paper's is unusually strong.
        quantization: Weight of what draws values to the numbers that the encoder gives; the code
            published with the paper takes 1e-3, too, and so of commitment, on dSprites and 3D
            Shapes (with gradients clipped at 1: --trainer.gradient_clip_val).
        commitment: Weight of what draws these numbers to the values.
        **autoencoder: Network and the rest, as `AutoEncoder` takes them; without likelihood,
            Bernoulli.
    """

    strength = ("weight_decay", "weight decay")
    named_by = ("values", "weight_decay")
    quantization: Tensor
    commitment: Tensor

    def __init__(
        self,
        values: int = 10,
        weight_decay: float = 0.1,
        quantization: float = 0.01,
        commitment: float = 0.01,
        **autoencoder: Any,
    ) -> None:
        if autoencoder.get("likelihood") is None:
            autoencoder["likelihood"] = Bernoulli()
        super().__init__(**autoencoder)
        given = {"weight_decay": weight_decay, "quantization": quantization}
        check_settings(values, **given, commitment=commitment)
        self.weight_decay = weight_decay
        self.knob("quantization", quantization)
        self.knob("commitment", commitment)
        self.codebook = nn.Parameter(torch.linspace(-0.5, 0.5, values).repeat(self.latent_dim, 1))

    def step_loss(
        self, batch: Batch, noise: Noise, step: int | Tensor
    ) -> tuple[Float[Tensor, ""], Told]:
        """Distortion of what is decoded from the nearest values, and how far they are."""
        c = self.network.encoder(batch.x).float()
        z = nearest(self.codebook, c)
        decoded = self.network.decode(c + (z - c).detach()).float()
        distortion = gather(-self.likelihood.log_prob(batch.x, decoded))
        draws_values = gather((c.detach() - z).square().mean(1))
        draws_codes = gather((c - z.detach()).square().mean(1))
        drawn = self.quantization * draws_values + self.commitment * draws_codes
        loss = distortion.mean() + self.numbers * drawn.mean()
        return loss, {"distortion": distortion, "quantization_error": draws_codes}

    def encode(self, x: Float[Tensor, "b c h w"]) -> PointMass:
        """The nearest values to what the encoder gives, in float32."""
        return PointMass(nearest(self.codebook, self.network.encoder(x).float()))

    def decode(self, z: Float[Tensor, "b d"]) -> Float[Tensor, "b o h w"]:
        """The likelihood's parameters for the values nearest to z."""
        return self.network.decode(nearest(self.codebook, z))

    def optimizer_of(self, update: Update, weights: Sequence[Tensor]) -> torch.optim.Optimizer:
        groups = []
        for (name, own), weight in zip(self.weights_of(update).items(), weights, strict=True):
            # by the model's own shapes: those of a fleet have its members in front
            decays = name.startswith("network.") and own.ndim > 1
            decay = self.weight_decay if decays else 0.0
            groups.append({"params": [weight], "weight_decay": decay})
        lr = getattr(self, update.lr)
        return torch.optim.AdamW(groups, lr, update.betas, fused=self.steps_fused)


class FactorQVAE(AutoEncoder):
    """FactorVAE of quantised latents: distortion + beta * rate + gamma * TC(z), in nats per image.

    Baykal et al. (2024), "Disentanglement with Factor Quantized Variational Autoencoders",
    https://arxiv.org/abs/2409.14851. q(z_j|x) is categorical over one codebook of scalars that all
    latents share, its logits the negative squared distances of what the encoder gives; training
    mixes the values by Gumbel-softmax weights (Jang et al., 2017, https://arxiv.org/abs/1611.01144),
    and a discriminator of these weights estimates TC, as in FactorVAE, after Kim & Mnih (2018). The
    rate is KL(q(z_j|x) || uniform), summed over latents. The paper weighs the rate 1e-3, averaged
    over 12 latents, and TC 1e-4 beside a squared error averaged over 3 * 64 * 64 values: 1.02 and
    1.23 in nats; its learning rates decay by a cosine, here they do not. Codes are the likeliest
    values, of which many pictures share each; a code between two is decoded as the nearer.

    Args:
        values: In the codebook, from N(0, 1) at first.
        beta: Weight of the rate.
        gamma: Weight of the total correlation.
        temperature: Of the Gumbel-softmax weights.
        discriminator_lr: Learning rate of the discriminator.
        width: Of the discriminator's layers.
        **autoencoder: Network and the rest, as `AutoEncoder` takes them; without likelihood, the
            squared error.
    """

    updates = (
        Update("step_loss"),
        Update("discriminate", ("discriminator",), "discriminator_lr"),
    )
    views = ("own", "independent")
    strength = ("gamma", "gamma")
    named_by = ("beta", "gamma")
    beta: Tensor
    gamma: Tensor
    temperature: Tensor

    def __init__(
        self,
        values: int = 64,
        beta: float = 1.0,
        gamma: float = 1.2,
        temperature: float = 1.0,
        discriminator_lr: float = 1e-3,
        width: int = 1000,
        **autoencoder: Any,
    ) -> None:
        super().__init__(**autoencoder)
        check_settings(values, beta=beta, gamma=gamma)
        if not all(0 < n < float("inf") for n in (temperature, discriminator_lr, width)):
            raise ValueError(
                f"got temperature {temperature}, discriminator_lr {discriminator_lr} and width "
                f"{width}, but numbers > 0 are wanted: 1, 1e-3 and 1000 are usual."
            )
        self.knob("beta", beta)
        self.knob("gamma", gamma)
        self.knob("temperature", temperature)
        self.discriminator_lr = discriminator_lr
        with self.seeded("codebook"):
            self.codebook = nn.Parameter(torch.randn(1, values))
        with self.seeded("discriminator"):
            self.discriminator = discriminator(self.latent_dim * values, width, layers=5)

    def draws(self) -> dict[str, int]:
        each = self.latent_dim * self.codebook.shape[1]
        return {"posterior": each, "second": each, "permutation": self.latent_dim}

    def step_loss(
        self, batch: Batch, noise: Noise, step: int | Tensor
    ) -> tuple[Float[Tensor, ""], Told]:
        """Distortion, rate, and the total correlation that the discriminator sees."""
        q = self.encode(batch.x)
        weights = q.relaxed(noise["posterior"], self.temperature)
        decoded = self.network.decode((weights * self.codebook).sum(-1)).float()
        pictures = decoded if self.squared else self.likelihood.mean(decoded)
        squared = gather((pictures - batch.x).square().flatten(1).sum(1))
        distortion = gather(-self.likelihood.log_prob(batch.x, decoded))
        rate, logits = gather(q.kl().sum(1)), self.discriminator(gather(weights).flatten(1))
        correlation = (logits[:, 0] - logits[:, 1]).float().mean()
        error = squared if self.squared else distortion
        loss = error.mean() + self.beta * rate.mean() + self.gamma * correlation
        told = {"distortion": distortion, "rate": rate, "squared_error": squared}
        return loss, {**told, "total_correlation": correlation}

    def discriminate(
        self, batch: Batch, noise: Noise, step: int | Tensor
    ) -> tuple[Float[Tensor, ""], Told]:
        """Cross-entropy of telling codes (0) from permuted codes of a second batch (1), in nats."""
        second = batch if batch.other is None else batch.other
        with torch.no_grad():
            q, other = self.encode(batch.x), self.encode(second.x)
            z = gather(q.relaxed(noise["posterior"], self.temperature))
            apart = gather(other.relaxed(noise["second"], self.temperature))
            order = gather(noise["permutation"]).argsort(0)  # of each latent apart, uniform
            permuted = apart.gather(0, order[..., None].expand_as(apart))
        return told_apart(self.discriminator, z.flatten(1), permuted.flatten(1))

    def encode(self, x: Float[Tensor, "b c h w"]) -> Categorical:
        """q(z|x), in float32."""
        c = self.network.encoder(x).float()
        return Categorical(self.codebook, -(c[..., None] - self.codebook).square())

    def decode(self, z: Float[Tensor, "b d"]) -> Float[Tensor, "b o h w"]:
        """The likelihood's parameters for the values nearest to z."""
        return self.network.decode(nearest(self.codebook, z))
