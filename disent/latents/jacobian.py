# SPDX-License-Identifier: Apache-2.0
"""A decoder's Jacobian beside the local principal directions of the pictures."""

import math
from collections.abc import Sequence
from typing import NamedTuple, Protocol

import torch
from jaxtyping import Float, Int
from torch import Tensor

from disent.data.base import FactorDataset, PictureDataset
from disent.grid import FactorGrid

NEIGHBOURS = 5000  # pictures of a local PCA, at most: 4096 x 5000 float32 values are 82 MB


class Draws(Protocol):
    """What a Jacobian is taken of; disent.models are such. Pictures are in [0, 1]."""

    def picture(self, z: Tensor, /) -> Tensor: ...


class LocalDirections(NamedTuple):
    """Principal directions of a picture's neighbours.

    Attributes:
        directions: Orthonormal columns, largest variance first; p values of a picture in a row.
        shares: Of the neighbours' variance, of each direction, in [0, 1].
        pictures: How many neighbours, the picture itself among them.
    """

    directions: Float[Tensor, "p k"]
    shares: Float[Tensor, "k"]
    pictures: int


class Alignment(NamedTuple):
    """How a decoder's Jacobian lies to local principal directions.

    Attributes:
        cosines: |cosine| of each latent's column and each direction.
        largest: The largest of each latent.
        inside: Share of each column's length that lies in the span of the directions.
        chance: Mean `largest` of random columns in that span; for a column partly outside, times
            its `inside`.
    """

    cosines: Float[Tensor, "d k"]
    largest: Float[Tensor, "d"]
    inside: Float[Tensor, "d"]
    chance: float


def decoder_jacobian(model: Draws, z: Float[Tensor, "d"]) -> Float[Tensor, "p d"]:
    """Derivatives of the decoder's mean picture by each latent at `z`, on the device of `z`.

    Column j: the change of the p values of a picture, channels first, for one standard deviation
    of the prior of latent j. Of pictures, not logits: a pixel that is surely 0 or 1 hardly moves.

    Args:
        model: In eval mode.
        z: One code, on the model's device.
    """
    if z.ndim != 1:
        raise ValueError(f"z has shape {list(z.shape)}, but one code [d] is wanted: give z[0].")
    with torch.enable_grad():
        code = z.detach().requires_grad_()
        picture = model.picture(code[None]).flatten()
        # J^T u is linear in u, so its derivatives by u are the columns of J: d backward passes
        u = torch.zeros_like(picture, requires_grad=True)
        (pulled,) = torch.autograd.grad(picture, code, u, create_graph=True)
        columns = [torch.autograd.grad(part, u, retain_graph=True)[0] for part in pulled]
    return torch.stack(columns, 1)


def local_directions(
    dataset: PictureDataset,
    index: int,
    radius: int = 1,
    k: int = 10,
    *,
    fixed: Sequence[str] = (),
) -> LocalDirections:
    """Principal directions, in pixels, of the pictures around one: local PCA on the grid.

    Neighbours are all pictures whose every factor value is at most `radius` steps from the
    picture's; at an end of a factor, those on one side alone. Directions of equal variance are
    arbitrary within their span, as in any PCA.

    Args:
        dataset: The pictures.
        index: Flat index of the one in the middle.
        radius: Steps of each factor.
        k: How many directions; fewer if the neighbours span fewer.
        fixed: Factors that keep the picture's value, such as one without an order.
    Raises:
        ValueError: The picture has no neighbours that differ, or more than 5,000; or the pictures
            are no grid, so that it has none.
    """
    if not isinstance(dataset, FactorDataset):
        raise ValueError(
            f"{type(dataset).__name__} is no grid of factors, so that a picture has no neighbours. "
            "Give a dataset of factors, such as DSprites."
        )
    neighbours = _neighbours(dataset.grid, index, radius, fixed)
    if k < 1:
        raise ValueError(f"k must be >= 1, got {k}. 10 is usual.")
    x = dataset.batch(neighbours).flatten(1)
    _, lengths, rows = torch.linalg.svd(x - x.mean(0), full_matrices=False)
    k = min(k, int((lengths > 1e-4 * lengths[0]).sum()))
    if k == 0:
        raise ValueError(
            f"the {len(x)} pictures around picture {index} are all alike, so they have no "
            "principal directions: choose a larger radius, or another picture."
        )
    variances = lengths.double().square()
    return LocalDirections(rows[:k].T, variances[:k] / variances.sum(), len(x))


def _neighbours(
    grid: FactorGrid, index: int, radius: int, fixed: Sequence[str]
) -> Int[Tensor, "m"]:
    """Flat indices of the grid's points within `radius` steps of one, itself among them."""
    if not 0 <= index < len(grid) or radius < 1 or set(fixed) - set(grid.names):
        raise ValueError(
            f"got index {index}, radius {radius} and fixed {list(fixed)}, but 0 to "
            f"{len(grid) - 1}, 1 or more, and some of {', '.join(grid.names)} are wanted."
        )
    axes = []
    middle = grid.factors(torch.tensor(index)).tolist()
    for name, value, size in zip(grid.names, middle, grid.sizes, strict=True):
        step = 0 if name in fixed else radius
        axes.append(torch.arange(max(value - step, 0), min(value + step, size - 1) + 1))
    number = math.prod(len(axis) for axis in axes)
    if number > NEIGHBOURS:
        raise ValueError(
            f"radius {radius} gives {number:,} neighbours, but at most {NEIGHBOURS:,} are wanted: "
            "choose a smaller radius, or fix some factors."
        )
    return grid.index(torch.cartesian_prod(*axes).reshape(-1, len(axes)))


def alignment(jacobian: Float[Tensor, "p d"], directions: Float[Tensor, "p k"]) -> Alignment:
    """|cosine| of each latent's Jacobian column and each local principal direction.

    Near 1: the latent moves the picture along one principal direction. Rolinek et al. (2019) derive
    that a VAE's active columns are orthogonal, as those of PCA; that they follow the data's local
    PCA is from Zietlow et al. (2021), https://arxiv.org/abs/2102.06822. Leave passive latents out:
    their columns are short, and point anywhere. A column of length 0 has |cosine| 0.

    Args:
        jacobian: As `decoder_jacobian` gives it.
        directions: Orthonormal columns, as `local_directions` gives them.
    """
    if jacobian.ndim != 2 or directions.ndim != 2 or len(jacobian) != len(directions):
        raise ValueError(
            f"jacobian has shape {list(jacobian.shape)} and directions {list(directions.shape)}, "
            "but [p, d] and [p, k] are wanted, of the p values of one picture."
        )
    lengths = jacobian.norm(dim=0, keepdim=True)
    columns = jacobian / lengths.masked_fill(lengths == 0, 1)
    cosines = (columns.T @ directions.to(columns)).abs().clamp(max=1)
    inside = cosines.norm(dim=1).clamp(max=1)
    return Alignment(cosines, cosines.amax(1), inside, chance_alignment(directions.shape[1]))


def chance_alignment(k: int) -> float:
    """Mean largest |cosine| of a uniformly random direction in k dimensions with their k axes.

    For standard normal g, max|g_i| / |g| does not depend on |g|, so its mean is E max|g_i| / E|g|.
    Computed by the trapezoid rule, nothing is drawn.

    Example:
        >>> round(chance_alignment(1), 4), round(chance_alignment(2), 4)
        (1.0, 0.9003)
    """
    t = torch.linspace(0, 12, 20_001, dtype=torch.float64)
    largest = torch.trapezoid(1 - torch.erf(t / math.sqrt(2)) ** k, t)
    length = math.sqrt(2) * math.exp(math.lgamma((k + 1) / 2) - math.lgamma(k / 2))
    return float(largest) / length
