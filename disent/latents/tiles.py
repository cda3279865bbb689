# SPDX-License-Identifier: Apache-2.0
"""Posteriors of a few pictures over a plane of two latents: do they overlap, do they fill p(z)?"""

import math
from typing import Any, NamedTuple

import torch
from jaxtyping import Float
from matplotlib.figure import Figure
from torch import Tensor

from disent.data.base import PictureDataset
from disent.figures import clouds
from disent.gaussian import PointMass
from disent.streams import Stream

FEW = 7  # pictures: of so small a dataset all posteriors are drawn
DRAWS, MANY = 2000, 500_000  # of each posterior; of small pictures, whose information is counted
AT_ONCE = 50_000
SMALL = 64  # values of a picture
SIDE = 0.05  # of a cell; those that a border runs through count as overlap
REACH = 5.0  # half a side of the square of cells; those at its edge have all that is outside


class Tiling(NamedTuple):
    """How posteriors of equally frequent pictures lie in the plane, by counting draws in cells.

    Attributes:
        information: I(x; z), nats: the logarithm of their number where they do not overlap. Biased
            upwards by about (pictures - 1) (occupied cells - 1) / (2 draws in all).
        overlap: Share of draws whose picture is not the likeliest one of their cell: 0 without
            overlap; 1 - 1 / pictures where all are alike.
        gap: KL(q(z) || p(z)) of the mean of the posteriors, nats; 0 where they fill N(0, 1).
    """

    information: float
    overlap: float
    gap: float


def tiling(draws: Float[Tensor, "p n 2"]) -> Tiling:
    """How the posteriors of p pictures lie, from n draws of each.

    Example:
        >>> left, right = torch.tensor([[-1.0, 0.0]]), torch.tensor([[1.0, 0.0]])
        >>> found = tiling(torch.stack([left, right]))
        >>> round(found.information, 4), found.overlap  # ln 2
        (0.6931, 0.0)
    """
    across = round(2 * REACH / SIDE)
    place = ((draws + REACH) / SIDE).floor().long().clamp(0, across - 1)
    cell = place[..., 0] * across + place[..., 1]
    counts = torch.stack([own.bincount(minlength=across**2) for own in cell]).double()
    joint = counts / counts.sum()
    together = joint.sum(0)
    apart = joint.sum(1, keepdim=True) * together
    information = torch.xlogy(joint, joint / apart.clamp(min=1e-300)).sum()
    gap = torch.xlogy(together, together / _prior(across)).sum()
    return Tiling(float(information), float(1 - joint.amax(0).sum()), float(gap))


def tile_pictures(model: Any, dataset: PictureDataset, seed: int) -> dict[str, Figure]:
    """The posteriors of a few pictures as clouds of draws, where that tells something.

    Drawn of datasets of at most 7 pictures, and of posteriors of which no density is known.

    Args:
        model: What to draw.
        dataset: Its pictures, of which at most 7 are shown, random ones where there are more.
        seed: Of the pictures and of the draws.
    """
    if not _tells_something(model, dataset):
        return {}
    draws, rows = posterior_draws(model, dataset, seed)
    plane = draws.flatten(0, 1).var(0).topk(2).indices.sort().values
    shown, across, up = draws[..., plane], int(plane[0]), int(plane[1])
    note = (
        f"{DRAWS:,} draws of q(z|x) of each of {len(rows)} pictures (seed {seed}), over z{across} "
        f"and z{up}, the latents of largest variance. The circles hold half and 95 % of the prior."
    )
    if len(rows) == len(dataset):
        found = tiling(shown)
        note += (
            f" In this plane I(x; z) is {found.information:.3f} nats, of at most "
            f"{math.log(len(rows)):.3f}; {found.overlap:.1%} of the draws lie where another "
            f"picture is likelier; KL(q(z) || p(z)) is {found.gap:.3f} nats."
        )
    names = [_name(dataset, int(row)) for row in rows]
    return {
        "posteriors": clouds({"": shown[:, :DRAWS]}, names=names, latents=(across, up), note=note)
    }


def _tells_something(model: Any, dataset: PictureDataset) -> bool:
    if getattr(model, "latent_dim", 1) < 2 or getattr(model, "conditions", ()):
        return False
    q = model.encode(dataset.batch(torch.zeros(1, dtype=torch.int64, device=model.device)))
    if isinstance(q, PointMass):
        return False
    return len(dataset) <= FEW or (q.logvar is None and q.kl() is None)


def posterior_draws(
    model: Any, dataset: PictureDataset, seed: int
) -> tuple[Float[Tensor, "p n d"], Tensor]:
    """Draws of the posteriors of a few pictures, on the CPU, and the indices of these."""
    rows = Stream(seed, "pictures of posteriors").permutation(0, len(dataset))[:FEW].sort().values
    n = MANY if math.prod(dataset.size) <= SMALL and len(rows) == len(dataset) else DRAWS
    found = []
    with torch.no_grad():
        for row in rows.tolist():
            x = dataset.batch(torch.tensor([row], device=model.device))
            noise = Stream(seed, "draws of posteriors").normal(row, (n, model.latent_dim))
            parts = [
                model.encode(x.expand(len(part), -1, -1, -1)).sample(part.to(model.device)).cpu()
                for part in noise.split(AT_ONCE)
            ]
            found.append(torch.cat(parts))
    return torch.stack(found), rows


def _prior(across: int) -> Float[Tensor, "cells"]:
    """What N(0, 1) has in each cell, what is outside in those at the edge."""
    edges = torch.linspace(-REACH, REACH, across + 1, dtype=torch.float64)
    below = torch.special.ndtr(edges)
    below[0], below[-1] = 0, 1
    return torch.outer(below.diff(), below.diff()).flatten()


def _name(dataset: PictureDataset, row: int) -> str:
    """A picture by its labels, or by its index."""
    factors = dataset.factors(torch.tensor([row]))
    if factors is None or len(dataset.names) > 1:
        return f"picture {row:,}"
    return f"{' '.join(dataset.names)} {int(factors[0, 0])}"
