# SPDX-License-Identifier: Apache-2.0
"""Adversarial variational Bayes: a posterior of any shape, whose rate a critic tells."""

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import softplus

from disent.data.base import Batch
from disent.likelihoods.base import Likelihood
from disent.likelihoods.bernoulli import Bernoulli
from disent.models.base import Model, Noise, Told, Update
from disent.models.ranks import gather
from disent.networks.base import Linear32, Network, initialise_glorot, make_network
from disent.networks.locatello import Locatello2019
from disent.streams import Stream

DRAWS = 32  # over which the mean of a posterior is taken
BETAS = (0.5, 0.999)  # of Adam, usual where two play: more momentum makes them circle
FLOOR = 1e-6  # of the variance of a reference: a posterior that is a point has one too


class AdversarialVB(Model):
    """distortion + beta * T(x, z), z = f(x, noise), where a critic T learns log q(z|x) - log p(z).

    Mescheder et al. (2017), "Adversarial Variational Bayes", algorithm 1,
    https://arxiv.org/abs/1701.04722. The second update of a step teaches T to tell pairs (x, z)
    with z from the encoder from pairs with z from p(z) = N(0, 1), by the logistic loss, whose
    optimum is that log-ratio. T is the scaled inner product of what one network makes of x and
    another of z, as in the paper. The rate is what T says: with a critic that lags behind it is
    wrong, and may be negative; the posteriors then shrink to points. Let the critic learn about ten
    times as fast as the rest.

    With `contrast` (the paper's adaptive contrast) T tells the encoder's codes from r, the Gaussian
    of the code's own mean and variance, in units of r; the rest of the rate is known, for
    log q - log p = T + log r - log p. T then has to learn only what is not Gaussian. Mean and
    variance are those of `contrast` further draws of each code: T cannot know how these fell out,
    so that with few of them the rate comes out too low.

    Args:
        network: Encoder, which gives `width` features of a picture, and decoder, by the name of
            their paper; the critic sees pictures by an encoder of this kind.
        latent_dim: Number of latents D, and of the noise's numbers.
        width: Of the dense layers of f and of T.
        contrast: Draws of each code that its reference is made of; 0: the reference is the prior.
        beta: Weight of the rate. 1 gives the ELBO.
        critic_lr: Learning rate of the critic.
        channels: Colour channels of a picture; on the command line, those of the dataset.
        likelihood: p(x|z); None: Bernoulli, by logits.
        lr: Learning rate of encoder and decoder.
        seed: Of the initial weights and the noise; on the command line, --seed_everything.
        size: Height and width of a picture; on the command line, those of the dataset.
    """

    updates = (
        Update("step_loss", (), "lr", BETAS),
        Update("criticise", ("critic",), "critic_lr", BETAS),
    )
    strength = ("beta", "beta")
    named_by = ("contrast", "beta")
    likelihood: Likelihood
    beta: Tensor

    def __init__(
        self,
        network: Callable[[int, int, int], Network] = Locatello2019,
        latent_dim: int = 10,
        width: int = 256,
        contrast: int = 0,
        beta: float = 1.0,
        critic_lr: float = 1e-3,
        channels: int = 1,
        likelihood: Likelihood | None = None,
        lr: float = 1e-4,
        seed: int = 0,
        size: tuple[int, int] = (64, 64),
    ) -> None:
        super().__init__(latent_dim, seed)
        if not 0 < lr < float("inf") or not 0 < critic_lr < float("inf") or width < 1:
            raise ValueError(
                f"got lr {lr}, critic_lr {critic_lr} and width {width}, but numbers > 0 are "
                "wanted: 1e-4, 1e-3 and 256 are usual."
            )
        if not 0 <= beta < float("inf") or contrast < 0 or contrast == 1:
            raise ValueError(
                f"got beta {beta} and contrast {contrast}, but numbers >= 0 are wanted, and a "
                "variance of at least 2 draws: 1 and 16 are usual, contrast 0 is without."
            )
        self.channels, self.size = channels, (size[0], size[1])
        self.lr, self.critic_lr, self.contrast = lr, critic_lr, contrast
        self.knob("beta", beta)
        self.likelihood = Bernoulli() if likelihood is None else likelihood
        outputs = self.likelihood.outputs
        with self.seeded():
            self.network = make_network(network, channels, latent_dim, outputs, size, width)
            self.sampler = _Sampler(latent_dim, width)
        with self.seeded("critic"):
            seen = make_network(network, channels, latent_dim, outputs, size, width)
            self.critic = Critic(seen.encoder, latent_dim, width)

    def draws(self) -> dict[str, int]:
        wanted = {"posterior": self.latent_dim, "prior": self.latent_dim}
        return wanted | ({"contrast": self.contrast * self.latent_dim} if self.contrast else {})

    def step_loss(
        self, batch: Batch, noise: Noise, step: int | Tensor
    ) -> tuple[Float[Tensor, ""], Told]:
        """The distortion, and the rate that the critic tells."""
        z, placed, known = self._drawn(batch.x, noise)
        distortion = gather(self.distortion(batch.x, z))
        rate = gather(self.critic(batch.x, placed) + known)
        loss = distortion.mean() + self.beta * rate.mean()
        return loss, {"distortion": distortion, "rate": rate, "elbo": -(distortion + rate)}

    def criticise(
        self, batch: Batch, noise: Noise, step: int | Tensor
    ) -> tuple[Float[Tensor, ""], Told]:
        """The logistic loss of telling codes from the reference, in nats; ln 2 is chance.

        The codes are those of the encoder that the step has just updated.
        """
        with torch.no_grad():
            placed = self._drawn(batch.x, noise)[1]
        own, other = self.critic(batch.x, placed), self.critic(batch.x, noise["prior"])
        own, other = gather(own), gather(other)
        loss = (softplus(-own).mean() + softplus(other).mean()) / 2
        right = ((own > 0).float().mean() + (other < 0).float().mean()) / 2
        return loss, {"critic_loss": loss, "critic_accuracy": right}

    def _drawn(self, x: Tensor, noise: Noise) -> tuple[Tensor, Tensor, Tensor | float]:
        """Codes, these as the critic sees them, and what of log q - log p is known without it."""
        features = self.network.encoder(x).float()
        z = self.sampler(features, noise["posterior"])
        if not self.contrast:
            return z, z, 0.0
        others = noise["contrast"].unflatten(-1, (self.contrast, self.latent_dim))
        many = self.sampler(features[:, None].expand(-1, self.contrast, -1), others)
        variance = many.var(1) + FLOOR
        placed = (z - many.mean(1)) / variance.sqrt()
        # in units of r the mean square is 1: as a number, not as what a draw says, it is no gap
        # through which codes with heavy tails slip while the critic lags
        known = 0.5 * (z.square() - 1 - variance.log()).sum(-1)
        return z, placed, known

    def distortion(
        self, x: Float[Tensor, "b c h w"], z: Float[Tensor, "b d"]
    ) -> Float[Tensor, "b"]:
        """-log p(x|z) in nats per image, summed over pixels."""
        return -self.likelihood.log_prob(x, self.decode(z).float())

    def encode(self, x: Float[Tensor, "b c h w"]) -> "BlackBox":
        """The posterior q(z|x), in float32, of pictures in [0, 1]."""
        return BlackBox(self.sampler, self.network.encoder(x).float(), self.latent_dim)

    def decode(self, z: Float[Tensor, "b d"]) -> Float[Tensor, "b o h w"]:
        """The likelihood's parameters for latents z (for Bernoulli: logits)."""
        return self.network.decode(z)

    def picture(self, z: Float[Tensor, "b d"]) -> Float[Tensor, "b c h w"]:
        """The expected pictures E[x|z], in [0, 1]."""
        return self.likelihood.mean(self.decode(z))


class BlackBox:
    """q(z|x) of which nothing is known but how to draw from it.

    Scores take it for the point that its mean is: it has neither variances nor a rate of its own,
    the critic's being one of the whole code. The mean is that of 32 draws, always the same ones, in
    pairs of opposite sign; f(x, 0) would be another point, and need not be near it.

    Attributes:
        logvar: None: variances alone do not make this distribution.
    """

    logvar: None = None

    def __init__(self, sampler: nn.Module, features: Float[Tensor, "b w"], d: int) -> None:
        self._sampler, self._features, self._d = sampler, features, d

    @property
    def mean(self) -> Float[Tensor, "b d"]:
        """Of 32 draws of each."""
        half = Stream(0, "means of posteriors").normal(0, (DRAWS // 2, 1, self._d))
        noise = torch.cat([half, -half]).to(self._features)
        return self.sample(noise.expand(-1, self._features.shape[0], -1)).mean(0)

    def sample(self, noise: Float[Tensor, "*k b d"]) -> Float[Tensor, "*k b d"]:
        """One draw of each, f(x, noise), from `noise` that the caller draws from N(0, 1)."""
        return self._sampler(self._features.expand(*noise.shape[:-1], -1), noise)

    def kl(self) -> None:
        """None: no part of the critic's number belongs to a latent."""
        return


class _Sampler(nn.Module):
    """f: code of features and noise, both of any leading shape."""

    def __init__(self, latent_dim: int, width: int) -> None:
        super().__init__()
        self.layers = _dense(width + latent_dim, width, latent_dim)

    def forward(self, features: Tensor, noise: Tensor) -> Tensor:
        return self.layers(torch.cat([features, noise], -1))


class Critic(nn.Module):
    """T(x, z): the inner product of features of x and of z, over the root of their number."""

    def __init__(self, sees: nn.Module, latent_dim: int, width: int) -> None:
        super().__init__()
        self.sees, self.judges = sees, _dense(latent_dim, width, width)

    def forward(self, x: Float[Tensor, "b c h w"], z: Float[Tensor, "b d"]) -> Float[Tensor, "b"]:
        product = self.sees(x).float() * self.judges(z)
        return product.sum(-1) / product.shape[-1] ** 0.5


def _dense(inputs: int, width: int, outputs: int) -> nn.Module:
    """Three layers, in float32 under autocast too: they are near the latents."""
    layers = nn.Sequential(
        Linear32(inputs, width), nn.ReLU(), Linear32(width, width), nn.ReLU(),
        Linear32(width, outputs),
    )  # fmt: skip
    initialise_glorot(layers)
    return layers
