# SPDX-License-Identifier: Apache-2.0
"""The levels of a hierarchical VAE: a path up from the picture, and a path down that draws them."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn

from disent.gaussian import DiagonalGaussian
from disent.networks.base import Linear32, initialise_glorot
from disent.streams import Stream

DRAWS = 16  # of the levels above, over which the rate of a posterior is averaged


class Drawn(NamedTuple):
    """All levels, as they were drawn one below the other.

    Attributes:
        latents: Float[B, D], level 1 first, in units of their p.
        rate: Float[B, D], KL divergence of q from p given the levels above as drawn, in nats; None
            where they were drawn from p.
        state: Float[B, width], where the path down ends: what is decoded.
    """

    latents: Float[Tensor, "b d"]
    rate: Float[Tensor, "b d"] | None
    state: Float[Tensor, "b w"]


class Ladder(nn.Module):
    """Levels of latents, each with q(z_l | x, z_>l) and p(z_l | z_>l) from the same path down.

    Args:
        sizes: Latents of each level, from the one next to the picture up to the top.
        width: Features of both paths, and of the dense layers between them.
    """

    def __init__(self, sizes: Sequence[int], width: int) -> None:
        super().__init__()
        self.sizes, top = list(sizes), len(sizes) - 1
        self.levels = nn.ModuleList(
            _Level(size, width, top=i == top) for i, size in enumerate(sizes)
        )

    def climb(self, features: Float[Tensor, "b w"]) -> list[Tensor]:
        """What each level is told of the pictures: features [B, width], those of level 1 first."""
        found = []
        for level in self._from_below():
            features = features + level.up(features)
            found.append(features)
        return found

    def descend(self, told: Sequence[Tensor] | None, noise: Float[Tensor, "*k b d"]) -> Drawn:
        """Draws all levels, the top one first.

        Args:
            told: Of the pictures, as `climb` gives it: draws from q. None: from p.
            noise: From N(0, 1), a number for each latent; of k draws, what is drawn has k in front.
        """
        parts, state = noise.split(self.sizes, -1), None
        latents: list[Tensor] = []
        rates: list[Tensor] = []
        for i, level in reversed(list(enumerate(self._from_below()))):
            latent = parts[i]
            if told is not None:
                q = level.posterior(told[i], state)
                latent = q.sample(latent)
                rates.insert(0, q.kl().expand_as(latent))
            latents.insert(0, latent)
            state = level.down(latent, state)
        assert state is not None, "a ladder has at least one level"
        return Drawn(torch.cat(latents, -1), torch.cat(rates, -1) if rates else None, state)

    def log_prob(
        self, told: Sequence[Tensor], latents: Float[Tensor, "*k b d"]
    ) -> Float[Tensor, "*k b"]:
        """log q(z|x) in nats, of latents in units of p; in their precision."""
        parts, state = latents.split(self.sizes, -1), None
        total = latents.new_zeros(latents.shape[:-1])
        for i, level in reversed(list(enumerate(self._from_below()))):
            total = total + level.posterior(told[i], state).log_prob(parts[i])
            state = level.down(parts[i].float(), state)
        return total

    def of_levels(self, rate: Float[Tensor, "*b d"]) -> Float[Tensor, "*b l"]:
        """The rate of each level, level 1 first, from that of each latent."""
        return torch.stack([part.sum(-1) for part in rate.split(self.sizes, -1)], -1)

    def _from_below(self) -> "list[_Level]":
        return [level for level in self.levels if isinstance(level, _Level)]


class _Level(nn.Module):
    """The dense layers of one level; above the top one there is no path, and its p is N(0, 1)."""

    def __init__(self, size: int, width: int, *, top: bool) -> None:
        super().__init__()
        above = 0 if top else width
        self.up = _dense(width, width, width)
        self.q = _dense(width + above, width, 2 * size)
        self.p = None if top else _dense(width, width, 2 * size)
        self.path = _dense(size + above, width, width)

    def posterior(self, told: Tensor, state: Tensor | None) -> DiagonalGaussian:
        """q of the level, in units of its p."""
        seen = told
        if state is not None:
            seen = torch.cat([told.expand(*state.shape[:-1], -1), state], -1)
        return DiagonalGaussian(*self.q(seen).chunk(2, dim=-1))

    def down(self, latent: Tensor, state: Tensor | None) -> Tensor:
        """The path below the level; `latent` is in units of p."""
        if state is None or self.p is None:
            return self.path(latent)
        mean, log_scale = self.p(state).chunk(2, dim=-1)
        z = mean + log_scale.exp() * latent
        return state + self.path(torch.cat([z, state], -1))


class TopDown:
    """q(z|x): no Gaussian, for where a level lies depends on what was drawn of those above it.

    Attributes:
        mean: Float[B, D], of each level given the levels above at their means.
        logvar: None: variances alone do not make this distribution.
    """

    logvar: None = None

    def __init__(self, ladder: Ladder, told: Sequence[Tensor]) -> None:
        self._ladder, self._told = ladder, told
        self.mean = self.sample(told[0].new_zeros(told[0].shape[0], sum(ladder.sizes)))

    def sample(self, noise: Float[Tensor, "*k b d"]) -> Float[Tensor, "*k b d"]:
        """One draw of each, all levels in turn, from `noise` that the caller draws from N(0, 1)."""
        return self._ladder.descend(self._told, noise).latents

    def log_prob(self, z: Float[Tensor, "*k b d"]) -> Float[Tensor, "*k b"]:
        """log q(z|x) in nats, of one z for each of the batch, or of k; in the precision of z."""
        return self._ladder.log_prob(self._told, z)

    def kl(self) -> Float[Tensor, "b d"]:
        """KL divergence from p in nats, a part for each latent.

        That of the top level is exact. Below, it is a mean over what is drawn above: over 16
        draws, always the same ones, in pairs of opposite sign.
        """
        half = Stream(0, "levels above").normal(0, (DRAWS // 2, 1, self.mean.shape[-1]))
        noise = torch.cat([half, -half]).to(self.mean).expand(-1, len(self.mean), -1)
        rate = self._ladder.descend(self._told, noise).rate
        assert rate is not None, "levels drawn from q have a rate"
        return rate.mean(0)


def _dense(inputs: int, width: int, outputs: int) -> nn.Module:
    """Two layers, in float32 under autocast too: they are near the latents."""
    layers = nn.Sequential(Linear32(inputs, width), nn.ReLU(), Linear32(width, outputs))
    initialise_glorot(layers)
    return layers
