# SPDX-License-Identifier: Apache-2.0
"""The variational autoencoder and its named family. Every term is in nats per image."""

from collections.abc import Callable
from typing import Literal

import torch
from jaxtyping import Float
from lightning.pytorch import LightningModule, Trainer
from torch import Tensor

from disent.gaussian import ACTIVE, DiagonalGaussian
from disent.likelihoods.base import Likelihood
from disent.likelihoods.bernoulli import Bernoulli
from disent.training.burst import Batches, train_burst
from disent.training.captured import CapturedStep
from disent.networks.base import Network
from disent.networks.locatello import Locatello2019
from disent.objectives.base import Objective, Terms
from disent.objectives.beta import BetaELBO
from disent.objectives.capacity import CapacityELBO
from disent.streams import Stream


def is_logged(trainer: Trainer, step: int) -> bool:
    """Whether a step is one of those that are logged; steps are counted from 1."""
    every: int = trainer.log_every_n_steps  # pyright: ignore[reportAttributeAccessIssue]
    return every > 0 and step % every == 0


class VAE(LightningModule):
    """Variational autoencoder (Kingma & Welling, 2014, https://arxiv.org/abs/1312.6114).

    `forward` is pure: noise and step come in, nothing is drawn or counted inside. Initial weights
    and noise are functions of `seed`: two models of one seed start alike, and a resumed run sees
    the noise that the uninterrupted one would have seen, on any number of devices.

    Args:
        objective: What a step minimises; None: the ELBO.
        network: Encoder and decoder, by the name of their paper.
        latent_dim: Number of latents D.
        channels: Colour channels of a picture; on the command line, those of the dataset.
        likelihood: p(x|z); None: Bernoulli, by logits.
        optimizer: adam (betas 0.9, 0.999) or adagrad.
        lr: Learning rate.
        seed: Of the initial weights and the noise; on the command line, --seed_everything.
    """

    def __init__(
        self,
        objective: Objective | None = None,
        network: Callable[[int, int, int], Network] = Locatello2019,
        latent_dim: int = 10,
        channels: int = 1,
        likelihood: Likelihood | None = None,
        optimizer: Literal["adam", "adagrad"] = "adam",
        lr: float = 1e-4,
        seed: int = 0,
    ) -> None:
        super().__init__()
        if not 0 < lr < float("inf"):
            raise ValueError(f"lr must be > 0, got {lr}. 1e-4 to 1e-3 is usual.")
        if optimizer not in ("adam", "adagrad"):
            raise ValueError(f"optimizer must be 'adam' or 'adagrad', got {optimizer!r}.")
        self.latent_dim, self.channels = latent_dim, channels
        self.optimizer, self.lr = optimizer, lr
        self.objective = BetaELBO(beta=1.0) if objective is None else objective
        self.likelihood = Bernoulli() if likelihood is None else likelihood
        self.noise = Stream(seed, "posterior noise")
        self.captured: CapturedStep | None = None  # made where bursts are trained on a GPU
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            self.network = network(channels, latent_dim, self.likelihood.outputs)

    def forward(
        self, x: Float[Tensor, "b c 64 64"], noise: Float[Tensor, "b d"], step: int | Tensor
    ) -> tuple[Float[Tensor, ""], Terms]:
        """The loss and its terms, in nats per image."""
        q = self.encode(x)
        parameters = self.decode(q.sample(noise)).float()
        terms = Terms(distortion=-self.likelihood.log_prob(x, parameters), rate=q.kl())
        return self.objective(terms, step), terms

    def training_step(self, batch: Tensor | Batches, batch_idx: int) -> dict[str, Tensor]:
        if isinstance(batch, Tensor):
            parts = self.trainer.accumulate_grad_batches
            noise = self.draw_noise(len(batch), self.global_step * parts + batch_idx % parts)
            loss, terms = self(batch, noise.to(batch.device), self.global_step)
            done = self.global_step + 1
        else:
            loss, terms = train_burst(self, batch)
            done = self.global_step
        if is_logged(self.trainer, done):
            self.log_dict(self.report(loss, terms, done - 1))
        return {"loss": loss, "distortion": terms.distortion.detach(), "rate": terms.rate.detach()}

    def draw_noise(self, batch: int, position: int) -> Float[Tensor, "b d"]:
        """This rank's share of a batch's noise: the ranks together draw what one would draw."""
        ranks = self.trainer.world_size
        drawn = self.noise.normal(position, (batch * ranks, self.latent_dim))
        return drawn[self.global_rank :: ranks]

    def report(self, loss: Tensor, terms: Terms, step: int) -> dict[str, Tensor]:
        """What is logged of a step: nats per image, averaged over the batch."""
        rate = terms.rate.mean(0)
        return {
            "loss": loss.detach(),
            "distortion": terms.distortion.mean(),
            "rate": rate.sum(),
            "elbo": terms.elbo(),
            **self.objective.schedule(step),
            "active_latents": (rate > ACTIVE).sum().float(),
            **{f"rate_{j}": value for j, value in enumerate(rate)},
        }

    def encode(self, x: Float[Tensor, "b c 64 64"]) -> DiagonalGaussian:
        """The posterior q(z|x), in float32, of pictures in [0, 1]."""
        q = self.network.encode(x)
        return DiagonalGaussian(q.mean.float(), q.logvar.float())

    def decode(self, z: Float[Tensor, "b d"]) -> Float[Tensor, "b o 64 64"]:
        """The likelihood's parameters for latents z (for Bernoulli: logits)."""
        return self.network.decode(z)

    def picture(self, z: Float[Tensor, "b d"]) -> Float[Tensor, "b c 64 64"]:
        """The expected pictures E[x|z], in [0, 1]."""
        return self.likelihood.mean(self.decode(z))

    def reconstruct(self, x: Float[Tensor, "b c 64 64"]) -> Float[Tensor, "b c 64 64"]:
        """The expected pictures at the posterior means, in [0, 1]."""
        return self.picture(self.encode(x).mean)

    def sample(self, n: int, *, generator: torch.Generator | None = None) -> Tensor:
        """Expected pictures [n, C, 64, 64] of latents drawn from the prior N(0, 1)."""
        z = torch.randn(n, self.latent_dim, generator=generator)
        return self.picture(z.to(self.device))

    def configure_optimizers(self) -> torch.optim.Optimizer:
        if self.optimizer == "adagrad":
            return torch.optim.Adagrad(self.parameters(), lr=self.lr)
        self.captured = None  # it would go on with the old optimizer
        graph = self.device.type == "cuda" and not self.automatic_optimization
        # Lightning clips in mixed precision only what is not fused
        trainer = self._trainer  # none where the model is one of a fleet
        clips = trainer is not None and bool(trainer.gradient_clip_val)
        fused = trainer is None or "mixed" not in trainer.precision or not clips
        return torch.optim.Adam(self.parameters(), lr=self.lr, fused=fused, capturable=graph)


class BetaVAE(VAE):
    """The beta-VAE: distortion + beta * rate.

    Higgins et al. (2017), "beta-VAE", eq. 4, https://openreview.net/forum?id=Sy2fzU9gl.

    Args:
        beta: Weight of the rate. 1 gives the VAE. Not normalised by image or latent size.
        network: Encoder and decoder, by the name of their paper.
        latent_dim: Number of latents D.
        channels: Colour channels of a picture; on the command line, those of the dataset.
        likelihood: p(x|z); None: Bernoulli, by logits.
        optimizer: adam (betas 0.9, 0.999) or adagrad.
        lr: Learning rate.
        seed: Of the initial weights and the noise; on the command line, --seed_everything.
    """

    def __init__(
        self,
        beta: float = 4.0,
        network: Callable[[int, int, int], Network] = Locatello2019,
        latent_dim: int = 10,
        channels: int = 1,
        likelihood: Likelihood | None = None,
        optimizer: Literal["adam", "adagrad"] = "adam",
        lr: float = 1e-4,
        seed: int = 0,
    ) -> None:
        objective = BetaELBO(beta)
        super().__init__(objective, network, latent_dim, channels, likelihood, optimizer, lr, seed)


class AnnealedVAE(VAE):
    """The capacity-annealed beta-VAE: distortion + gamma * |rate - C(step)|.

    Burgess et al. (2018), "Understanding disentangling in beta-VAE", eq. 8 (arXiv:1804.03599).

    Args:
        gamma: Weight of the gap between the batch's mean rate and the capacity.
        capacity: C at the end of the ramp, in nats per image.
        anneal_steps: Length of the linear ramp from 0, in steps.
        network: Encoder and decoder, by the name of their paper.
        latent_dim: Number of latents D.
        channels: Colour channels of a picture; on the command line, those of the dataset.
        likelihood: p(x|z); None: Bernoulli, by logits.
        optimizer: adam (betas 0.9, 0.999) or adagrad.
        lr: Learning rate.
        seed: Of the initial weights and the noise; on the command line, --seed_everything.
    """

    def __init__(
        self,
        gamma: float = 1000.0,
        capacity: float = 25.0,
        anneal_steps: int = 100_000,
        network: Callable[[int, int, int], Network] = Locatello2019,
        latent_dim: int = 10,
        channels: int = 1,
        likelihood: Likelihood | None = None,
        optimizer: Literal["adam", "adagrad"] = "adam",
        lr: float = 1e-4,
        seed: int = 0,
    ) -> None:
        objective = CapacityELBO(gamma, capacity, anneal_steps)
        super().__init__(objective, network, latent_dim, channels, likelihood, optimizer, lr, seed)
