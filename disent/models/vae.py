# SPDX-License-Identifier: Apache-2.0
"""The variational autoencoder, with any objective. Every term is in nats per image."""

from collections.abc import Callable, Sequence
from typing import Any, Literal, cast

import torch
from jaxtyping import Float
from torch import Tensor

from disent.data.base import Batch
from disent.gaussian import ACTIVE, DiagonalGaussian, FullGaussian, Posterior
from disent.likelihoods.base import Likelihood
from disent.likelihoods.bernoulli import Bernoulli
from disent.models.base import Model, Noise, Told, Update
from disent.models.ranks import gather
from disent.networks.base import Network, make_network
from disent.networks.locatello import Locatello2019
from disent.objectives.base import Objective, Terms
from disent.objectives.beta import BetaELBO


class VAE(Model):
    """Variational autoencoder (Kingma & Welling, 2014, https://arxiv.org/abs/1312.6114).

    Initial weights and noise are functions of `seed`: two models of one seed start alike, and a
    resumed run sees the noise that the uninterrupted one would have seen, on any number of devices.

    Args:
        objective: What a step minimises; None: the ELBO.
        network: Encoder and decoder, by the name of their paper.
        latent_dim: Number of latents D.
        channels: Colour channels of a picture; on the command line, those of the dataset.
        likelihood: p(x|z); None: Bernoulli, by logits.
        optimizer: adam (betas 0.9, 0.999) or adagrad, for all updates of a step.
        lr: Learning rate.
        seed: Of the initial weights and the noise; on the command line, --seed_everything.
        size: Height and width of a picture; on the command line, those of the dataset.
        posterior: diagonal; or full: a Gaussian with all covariances, the control experiment to
            the claim that the diagonal is why VAEs disentangle (Rolinek et al., 2019,
            https://arxiv.org/abs/1812.06775).
    """

    updates = (Update("step_loss"),)
    best = "elbo"
    likelihood: Likelihood

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
        size: tuple[int, int] = (64, 64),
        posterior: Literal["diagonal", "full"] = "diagonal",
    ) -> None:
        super().__init__(latent_dim, seed)
        if not 0 < lr < float("inf"):
            raise ValueError(f"lr must be > 0, got {lr}. 1e-4 to 1e-3 is usual.")
        if optimizer not in ("adam", "adagrad"):
            raise ValueError(f"optimizer must be 'adam' or 'adagrad', got {optimizer!r}.")
        if posterior not in ("diagonal", "full"):
            raise ValueError(f"posterior must be 'diagonal' or 'full', got {posterior!r}.")
        self.channels, self.size, self.posterior = channels, (size[0], size[1]), posterior
        self.optimizer, self.lr = optimizer, lr
        self.objective = BetaELBO(beta=1.0) if objective is None else objective
        self.likelihood = Bernoulli() if likelihood is None else likelihood
        numbers = FullGaussian.numbers(latent_dim) if posterior == "full" else None
        with self.seeded():
            self.network = make_network(
                network, channels, latent_dim, self.likelihood.outputs, size, numbers
            )

    def step_loss(
        self, batch: Batch, noise: Noise, step: int | Tensor
    ) -> tuple[Float[Tensor, ""], Told]:
        """The objective of a batch, and its terms."""
        terms = self.terms(batch.x, noise["posterior"])
        return self.objective(terms, step), self.told(terms)

    def told(self, terms: Terms) -> Told:
        """The terms of a batch that are logged."""
        more = self.objective.tell(terms)
        return {"distortion": terms.distortion, "rate": terms.rate, **more}

    def terms(
        self,
        x: Float[Tensor, "b c h w"],
        noise: Float[Tensor, "b d"],
        q: Posterior | None = None,
    ) -> Terms:
        """Distortion and rate of a batch, posteriors and samples; of all ranks that share it.

        Args:
            x: Pictures.
            noise: From N(0, 1), which the samples are made of.
            q: The posteriors; None: those of the encoder.
        """
        q = self.encode(x) if q is None else q
        z = q.sample(noise)
        distortion, rate = self.distortion(x, z), q.kl()
        assert rate is not None, "a VAE's posterior has a rate"
        whole = cast(Any, type(q))(*map(gather, cast(Any, q)))
        return Terms(gather(distortion), gather(rate), whole, gather(z), gather(noise))

    def distortion(
        self, x: Float[Tensor, "b c h w"], z: Float[Tensor, "b d"]
    ) -> Float[Tensor, "b"]:
        """-log p(x|z) in nats per image, summed over pixels."""
        return -self.likelihood.log_prob(x, self.decode(z).float())

    def report(self, loss: Tensor, told: Told, step: int) -> dict[str, Tensor]:
        """What is logged of a step: nats per image, averaged over the batch."""
        rate, distortion = told["rate"].mean(0), told["distortion"].mean()
        more = {n: value.mean() for n, value in told.items() if n not in ("rate", "distortion")}
        return {
            "loss": loss.detach(),
            "distortion": distortion,
            "rate": rate.sum(),
            "elbo": -(distortion + told["rate"].sum(-1).mean()),
            **self.objective.schedule(step),
            "active_latents": (rate > ACTIVE).sum().float(),
            **{f"rate_{j}": value for j, value in enumerate(rate)},
            **more,
        }

    def encode(self, x: Float[Tensor, "b c h w"]) -> Posterior:
        """The posterior q(z|x), in float32, of pictures in [0, 1]."""
        if self.posterior == "full":
            return FullGaussian.of(self.network.encoder(x).float(), self.latent_dim)
        q = self.network.encode(x)
        return DiagonalGaussian(q.mean.float(), q.logvar.float())

    def decode(self, z: Float[Tensor, "b d"]) -> Float[Tensor, "b o h w"]:
        """The likelihood's parameters for latents z (for Bernoulli: logits)."""
        return self.network.decode(z)

    def picture(self, z: Float[Tensor, "b d"]) -> Float[Tensor, "b c h w"]:
        """The expected pictures E[x|z], in [0, 1]."""
        return self.likelihood.mean(self.decode(z))

    def optimizer_of(self, update: Update, weights: Sequence[Tensor]) -> torch.optim.Optimizer:
        if self.optimizer == "adagrad":
            return torch.optim.Adagrad(weights, lr=getattr(self, update.lr))
        return super().optimizer_of(update, weights)
