# SPDX-License-Identifier: Apache-2.0
"""Latent traversals: one latent at a time is moved, the others stay; as a figure, and as a film."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, Self

import torch
from jaxtyping import Float
from matplotlib.figure import Figure
from torch import Tensor
from torch.nn.functional import pad

from disent import figures
from disent.data.base import FactorDataset, PictureDataset
from disent.encoding import encoder_of
from disent.figures.animation import Animation
from disent.gaussian import Posterior
from disent.latents.summary import LatentSummary

FRAMES, SECONDS = 40, 0.08  # of a film: there and back
ACROSS = 5  # latents in a row of a film


class PictureModel(Protocol):
    """What pictures are drawn of; disent.models are such. Pictures are in [0, 1]."""

    @property
    def device(self) -> torch.device: ...
    def eval(self) -> Any: ...
    def modules(self) -> Iterator[torch.nn.Module]: ...
    def encode(self, x: Tensor) -> Posterior: ...
    def picture(self, z: Tensor) -> Tensor: ...
    def reconstruct(self, x: Tensor) -> Tensor: ...


@dataclass(frozen=True)
class Traversal:
    """How latents are traversed.

    Args:
        latents: Show so many latents, those of highest rate first; None: all.
        limit: Move each from -limit to limit, in standard deviations of the prior; of its own code
            around its mean, where a model has no rate.
        columns: Pictures in a row, evenly spaced.
        index: Flat index of the picture from whose code to start; None: the picture at the middle
            of every factor, or the first one where there is no grid.
        animated: Draw them as an animation, too.
    """

    latents: int | None = None
    limit: float = 2.0
    columns: int = 9
    index: int | None = None
    animated: bool = False

    def __post_init__(self) -> None:
        if self.latents is not None and self.latents < 1:
            raise ValueError(f"latents must be >= 1, got {self.latents}. Leave it out to show all.")
        if not 0 < self.limit < float("inf"):
            raise ValueError(f"the range must be > 0, got {self.limit}. 2 or 3 is usual.")
        if self.columns < 2:
            raise ValueError(f"columns must be >= 2, got {self.columns}. 9 is usual.")

    def values(self) -> Float[Tensor, "columns"]:
        """The values that each latent takes, in standard deviations."""
        return torch.linspace(-self.limit, self.limit, self.columns)

    def start(self, dataset: PictureDataset) -> int:
        """Flat index of the picture to start from."""
        if self.index is None:
            if not isinstance(dataset, FactorDataset):
                return 0
            middle = torch.tensor([size // 2 for size in dataset.grid.sizes])
            return int(dataset.grid.index(middle))
        if not 0 <= self.index < len(dataset):
            raise ValueError(
                f"there is no picture {self.index}: flat indices run from 0 to {len(dataset) - 1}."
            )
        return self.index


def traverse(
    model: PictureModel,
    start: Float[Tensor, "d"],
    latents: Sequence[int],
    values: Float[Tensor, "columns"] | Float[Tensor, "rows columns"],
) -> Float[Tensor, "rows columns c h w"]:
    """Decodes `start` with one latent a row replaced by each of `values`, or of its row of them."""
    rows = []
    for latent, row in zip(latents, values.expand(len(latents), -1), strict=True):
        codes = start.repeat(len(row), 1)
        codes[:, latent] = row.to(codes)
        rows.append(model.picture(codes))
    return torch.stack(rows)


@dataclass(frozen=True)
class Moved:
    """The latents of one model that are moved, and how far.

    Attributes:
        model: As it is given the factors of the picture, where it depends on them.
        dataset: Where the picture comes from.
        summary: Of the model's latents.
        traversal: How they are moved.
        index: Flat index of the picture.
        latents: Those that are moved, in order.
        start: The picture's code.
    """

    model: Any
    dataset: PictureDataset
    summary: LatentSummary
    traversal: Traversal
    index: int
    latents: list[int]
    start: Float[Tensor, "d"]

    @classmethod
    def of(
        cls, model: Any, dataset: PictureDataset, summary: LatentSummary, traversal: Traversal
    ) -> Self:
        """Encodes the picture from which the latents are moved."""
        index = traversal.start(dataset)
        row = torch.tensor([index])
        model = encoder_of(model, dataset, row)
        start = model.encode(dataset.batch(row.to(model.device))).mean[0]
        latents = summary.order()[: traversal.latents]
        return cls(model, dataset, summary, traversal, index, list(latents), start)

    def pictures(self, values: Float[Tensor, "n"]) -> Float[Tensor, "k n c h w"]:
        """Of each latent, at values in standard deviations."""
        if self.summary.rates is not None:
            return traverse(self.model, self.start, self.latents, values)
        own = self.summary.means[self.latents, None]
        own = own + self.summary.variances[self.latents, None].sqrt() * values
        return traverse(self.model, self.start, self.latents, own)

    def figure(self) -> Figure:
        """A row for each latent, a column for each value."""
        summary, values = self.summary, self.traversal.values()
        labels = [summary.label(latent) for latent in self.latents]
        told = "rate in nats per image" if summary.rates is not None else "variance of its code"
        if summary.names:
            told += (
                ", and the factor that the latent follows best, with their mutual information over "
                "the factor's entropy"
            )
        note = (
            f"The other latents stay at the code of picture {self.index:,}"
            f"{where(self.dataset, self.index)}. Each "
            f"row: {told}; from {summary.source}."
        )
        if summary.rates is not None:
            return figures.traversals(
                self.pictures(values), values=values, labels=labels, note=note
            )
        ends = [signed(float(value)) for value in values]
        return figures.image_grid(
            self.pictures(values),
            row_labels=labels,
            column_labels=ends,
            title=f"Latent traversals: each row moves one latent from {ends[0]} to {ends[-1]} "
            "standard deviations of its own code",
            note=f"{note} A latent's values are counted from the mean of its code over these "
            "pictures: the model has no rate, so that the prior sets no scale.",
        )

    def film(self) -> Animation:
        """All latents beside each other, ACROSS in a row, each moved there and back."""
        phase = torch.arange(FRAMES) * (2 * math.pi / FRAMES)
        pictures = self.pictures(self.traversal.limit * phase.sin()).cpu()
        across = min(ACROSS, len(pictures))
        tiles = pad(pictures, (0, 2, 0, 2), value=1.0)  # a line between them
        missing = -len(tiles) % across
        tiles = torch.cat([tiles, tiles.new_zeros(missing, *tiles.shape[1:])])
        rows = [torch.cat(list(row), -1) for row in tiles.split(across)]
        return Animation(torch.cat(rows, -2), SECONDS)


def where(dataset: PictureDataset, index: int) -> str:
    """The factors of a picture in brackets, or "" where none is known."""
    factors = dataset.factors(torch.tensor([index]))
    if factors is None:
        return ""
    known = zip(dataset.names, factors[0].tolist(), strict=True)
    told = ", ".join(f"{name} {value}" for name, value in known if value >= 0)
    return told and f" ({told})"


def signed(value: float) -> str:
    """Three digits, a sign on both sides of 0, and no negative zero."""
    text = f"{value:+.3g}".replace("-", "\N{MINUS SIGN}")
    return "0" if abs(value) < 5e-4 else text
