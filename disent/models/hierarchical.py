# SPDX-License-Identifier: Apache-2.0
"""Hierarchical VAE: stochastic levels, each known from those above it. All in nats per image."""

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor

from disent.data.base import Batch
from disent.gaussian import ACTIVE
from disent.likelihoods.base import Likelihood
from disent.likelihoods.bernoulli import Bernoulli
from disent.models.base import Model, Noise, Told, Update
from disent.models.ladder import Ladder, TopDown
from disent.models.ranks import gather
from disent.networks.base import Network, make_network
from disent.networks.locatello import Locatello2019
from disent.objectives.schedules import linear


class HierarchicalVAE(Model):
    """-log p(x|z) + beta * sum over levels of KL(q(z_l | x, z_>l) || p(z_l | z_>l)).

    The top-down posterior of Sonderby et al. (2016), "Ladder Variational Autoencoders",
    https://arxiv.org/abs/1602.02282: q and p of a level share the path from the levels above.
    Level 1 is next to the picture. As in NVAE (Vahdat & Kautz, 2020, its residual Gaussians,
    https://arxiv.org/abs/2007.03898) q is told relative to p: z_l = m + s u_l, where m and s are
    p's, functions of the levels above. What is called latents here, in codes, traversals and
    samples, is u, levels 1 to L one after the other: their prior is N(0, 1), their rate that of z.

    Args:
        network: From a picture to `width` features, and back, by the name of their paper.
        latent_dim: Number of latents D, of all levels together.
        levels: How many, to which the latents are dealt evenly, the rest to the lower ones; or the
            latents of each, from the one next to the picture up to the top, together latent_dim.
        width: Features of the path up and of the path down, and of the dense layers between them.
        beta: Weight of the rate. 1 gives the ELBO.
        free_bits: Nats that a level's rate, averaged over the batch, may take at no charge, so that
            no level dies (Kingma et al., 2016, https://arxiv.org/abs/1606.04934).
        warm_up: Steps over which the weight of the rate rises to beta (Sonderby et al., 2016).
        channels: Colour channels of a picture; on the command line, those of the dataset.
        likelihood: p(x|z); None: Bernoulli, by logits.
        lr: Learning rate of Adam.
        seed: Of the initial weights and the noise; on the command line, --seed_everything.
        size: Height and width of a picture; on the command line, those of the dataset.
    """

    updates = (Update("step_loss"),)
    best = "elbo"
    strength = ("beta", "beta")
    named_by = ("levels", "beta")
    likelihood: Likelihood
    beta: Tensor
    free_bits: Tensor
    warm_up: Tensor

    def __init__(
        self,
        network: Callable[[int, int, int], Network] = Locatello2019,
        latent_dim: int = 10,
        levels: int | list[int] = 2,
        width: int = 128,
        beta: float = 1.0,
        free_bits: float = 0.0,
        warm_up: int = 0,
        channels: int = 1,
        likelihood: Likelihood | None = None,
        lr: float = 1e-3,
        seed: int = 0,
        size: tuple[int, int] = (64, 64),
    ) -> None:
        super().__init__(latent_dim, seed)
        if not 0 < lr < float("inf") or width < 1:
            raise ValueError(
                f"got lr {lr} and width {width}, but numbers > 0 are wanted: 1e-3 and 128 are "
                "usual."
            )
        self.channels, self.size, self.lr = channels, (size[0], size[1]), lr
        self.levels = dealt(latent_dim, levels)
        for name, value in (("beta", beta), ("free_bits", free_bits), ("warm_up", warm_up)):
            if not 0 <= value < float("inf"):
                raise ValueError(f"{name} must be >= 0, got {value}. Leave it out for the ELBO.")
            self.knob(name, value)
        self.likelihood = Bernoulli() if likelihood is None else likelihood
        with self.seeded():
            outputs = self.likelihood.outputs
            self.network = make_network(network, channels, width, outputs, size, width)
        with self.seeded("ladder"):
            self.ladder = Ladder(self.levels, width)

    def step_loss(
        self, batch: Batch, noise: Noise, step: int | Tensor
    ) -> tuple[Float[Tensor, ""], Told]:
        """Distortion, and the rates of all levels, weighted."""
        drawn = self.ladder.descend(self.climb(batch.x), noise["posterior"])
        decoded = self.network.decode(drawn.state).float()
        distortion = gather(-self.likelihood.log_prob(batch.x, decoded))
        assert drawn.rate is not None, "levels drawn from q have a rate"
        rate = gather(drawn.rate)
        charged = torch.maximum(self.ladder.of_levels(rate).mean(0), self.free_bits)
        weight = linear(step + 1, stop=self.beta, over=self.warm_up.clamp(min=1))
        loss = distortion.mean() + weight * charged.sum()
        return loss, {"distortion": distortion, "rate": rate, "rate_weight": weight}

    def report(self, loss: Tensor, told: Told, step: int) -> dict[str, Tensor]:
        """What is logged of a step: nats per image, averaged over the batch."""
        rate, distortion = told["rate"].mean(0), told["distortion"].mean()
        levels = self.ladder.of_levels(rate)
        return {
            "loss": loss.detach(),
            "distortion": distortion,
            "rate": rate.sum(),
            "elbo": -(distortion + rate.sum()),
            "rate_weight": told["rate_weight"],
            "active_latents": (rate > ACTIVE).sum().float(),
            **{f"rate_level_{i}": value for i, value in enumerate(levels, 1)},
            **{f"rate_{j}": value for j, value in enumerate(rate)},
        }

    def climb(self, x: Float[Tensor, "b c h w"]) -> list[Tensor]:
        """What each level is told of the pictures."""
        return self.ladder.climb(self.network.encoder(x).float())

    def distortion(
        self, x: Float[Tensor, "b c h w"], z: Float[Tensor, "b d"]
    ) -> Float[Tensor, "b"]:
        """-log p(x|z) in nats per image, summed over pixels."""
        return -self.likelihood.log_prob(x, self.decode(z).float())

    def encode(self, x: Float[Tensor, "b c h w"]) -> TopDown:
        """The posterior q(z|x), in float32, of pictures in [0, 1]."""
        return TopDown(self.ladder, self.climb(x))

    def decode(self, z: Float[Tensor, "b d"]) -> Float[Tensor, "b o h w"]:
        """The likelihood's parameters for latents of all levels, each in units of its p."""
        return self.network.decode(self.ladder.descend(None, z).state)

    def picture(self, z: Float[Tensor, "b d"]) -> Float[Tensor, "b c h w"]:
        """The expected pictures E[x|z], in [0, 1]."""
        return self.likelihood.mean(self.decode(z))


def dealt(latent_dim: int, levels: int | list[int]) -> list[int]:
    """Latents of each level, the one next to the picture first.

    Example:
        >>> dealt(10, 3), dealt(10, [8, 2])
        ([4, 3, 3], [8, 2])
    """
    if isinstance(levels, int):
        if not 1 <= levels <= latent_dim:
            raise ValueError(
                f"{levels} levels came for {latent_dim} latents, but each level wants one: give 1 "
                f"to {latent_dim} levels."
            )
        each, rest = divmod(latent_dim, levels)
        return [each + (level < rest) for level in range(levels)]
    if not levels or min(levels) < 1 or sum(levels) != latent_dim:
        raise ValueError(
            f"levels is {levels}, but numbers >= 1 that make latent_dim {latent_dim} together are "
            f"wanted: give --model.latent_dim {sum(levels)}, or a number of levels."
        )
    return list(levels)
