# SPDX-License-Identifier: Apache-2.0
"""All pictures of one model: reconstructions, samples, interpolations, latent traversals."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import pandas as pd
import torch
from jaxtyping import Float
from matplotlib.figure import Figure
from torch import Tensor

from disent import figures
from disent.codes import CodeTable
from disent.data.base import FactorDataset
from disent.files import replacing_path
from disent.gaussian import DiagonalGaussian
from disent.grid import FactorGrid
from disent.latents.summary import LatentSummary, summarise_latents
from disent.streams import Stream

POINTS = 10_000  # random pictures that rates and factors are estimated from, without a CodeTable
BATCH = 500


class PictureModel(Protocol):
    """What pictures are drawn of; disent.models are such. Pictures are in [0, 1]."""

    @property
    def device(self) -> torch.device: ...
    def eval(self) -> Any: ...
    def modules(self) -> Iterator[torch.nn.Module]: ...
    def encode(self, x: Tensor) -> DiagonalGaussian: ...
    def picture(self, z: Tensor) -> Tensor: ...
    def reconstruct(self, x: Tensor) -> Tensor: ...


@dataclass(frozen=True)
class Traversal:
    """How latents are traversed.

    Args:
        latents: Show so many latents, those of highest rate first; None: all.
        limit: Move each from -limit to limit, in standard deviations of the prior.
        columns: Pictures in a row, evenly spaced.
        index: Flat index of the picture from whose code to start; None: the picture at the middle
            of every factor.
    """

    latents: int | None = None
    limit: float = 2.0
    columns: int = 9
    index: int | None = None

    def __post_init__(self) -> None:
        if self.latents is not None and self.latents < 1:
            raise ValueError(f"latents must be >= 1, got {self.latents}. Leave it out to show all.")
        if not 0 < self.limit < float("inf"):
            raise ValueError(f"the range must be > 0, got {self.limit}. 2 or 3 is usual.")
        if self.columns < 2:
            raise ValueError(f"columns must be >= 2, got {self.columns}. 9 is usual.")

    def values(self) -> Float[Tensor, "columns"]:
        """The values that each latent takes."""
        return torch.linspace(-self.limit, self.limit, self.columns)

    def start(self, grid: FactorGrid) -> int:
        """Flat index of the picture to start from."""
        if self.index is None:
            return int(grid.index(torch.tensor([size // 2 for size in grid.sizes])))
        if not 0 <= self.index < len(grid):
            raise ValueError(
                f"there is no picture {self.index}: flat indices run from 0 to {len(grid) - 1}."
            )
        return self.index


def draw_pictures(
    model: PictureModel,
    dataset: FactorDataset,
    *,
    table: CodeTable | None = None,
    metrics: pd.DataFrame | None = None,
    traversal: Traversal | None = None,
    seed: int = 0,
) -> dict[str, Figure]:
    """Figures by file stem: traversals, reconstructions, samples, interpolation, and curves.

    Draws from no global generator, and leaves the model in the mode in which it came.

    Args:
        model: What to draw.
        dataset: Where its pictures come from.
        table: Its codes, for rates and factors; without it, 10,000 random pictures are encoded.
        metrics: The logged steps; with none, there are no curves.
        traversal: How to traverse; None: all latents, nine values from -2 to 2.
        seed: Of the pictures and samples drawn.
    Raises:
        ValueError: There is no picture to start from at the index given.
    """
    traversal = traversal or Traversal()
    start = traversal.start(dataset.grid)
    with _evaluating(model):
        summary = _summarise(model, dataset, table, seed)
        drawn = {
            "traversals": _traversals(model, dataset, summary, traversal, start),
            "reconstructions": _reconstructions(model, dataset, seed),
            "samples": _samples(model, len(summary.rates), seed),
            "interpolation": _interpolation(model, dataset, traversal.columns, seed),
        }
    if metrics is not None and len(metrics):
        drawn["curves"] = figures.curves(metrics)
    return drawn


def save_pictures(drawn: Mapping[str, Figure], folder: str | os.PathLike[str]) -> list[Path]:
    """Writes each figure as `folder`/<stem>.png, whole or not at all; returns the paths."""
    paths = []
    for stem, figure in drawn.items():
        path = Path(folder) / f"{stem}.png"
        with replacing_path(path) as temporary:
            figure.savefig(temporary, format="png")
        paths.append(path)
    return paths


def traverse(
    model: PictureModel,
    start: Float[Tensor, "d"],
    latents: list[int],
    values: Float[Tensor, "columns"],
) -> Float[Tensor, "rows columns c h w"]:
    """Decodes `start` with one latent a row replaced by each of `values`."""
    rows = []
    for latent in latents:
        codes = start.repeat(len(values), 1)
        codes[:, latent] = values.to(codes)
        rows.append(model.picture(codes))
    return torch.stack(rows)


def _summarise(
    model: PictureModel, dataset: FactorDataset, table: CodeTable | None, seed: int
) -> LatentSummary:
    grid = dataset.grid
    if table is not None:
        source = f"{len(table.grid):,} pictures, evenly spread over the grid"
        posterior = DiagonalGaussian(table.means, table.logvars)
        return summarise_latents(posterior, table.grid.all_factors(), table.grid.names, source)
    if len(grid) <= POINTS:
        chosen, source = torch.arange(len(grid)), f"all {len(grid):,} pictures"
    else:
        chosen = Stream(seed, "pictures for rates").integers(0, len(grid), POINTS)
        source = f"{POINTS:,} random pictures (seed {seed})"
    parts = [model.encode(dataset.batch(part.to(model.device))) for part in chosen.split(BATCH)]
    posterior = DiagonalGaussian(*(torch.cat(column).cpu() for column in zip(*parts, strict=True)))
    return summarise_latents(posterior, grid.factors(chosen), grid.names, source)


def _traversals(
    model: PictureModel,
    dataset: FactorDataset,
    summary: LatentSummary,
    traversal: Traversal,
    index: int,
) -> Figure:
    chosen, values = summary.by_rate()[: traversal.latents], traversal.values()
    start = model.encode(dataset.batch(torch.tensor([index], device=model.device))).mean[0]
    factors = dataset.grid.factors(torch.tensor(index)).tolist()
    where = ", ".join(f"{n} {v}" for n, v in zip(dataset.grid.names, factors, strict=True))
    return figures.traversals(
        traverse(model, start, chosen, values),
        values=values,
        labels=[summary.label(latent) for latent in chosen],
        note=f"The other latents stay at the code of picture {index:,} ({where}). Each row: rate "
        "in nats per image, and the factor that the latent follows best, with their mutual "
        f"information over the factor's entropy; from {summary.source}.",
    )


def _reconstructions(model: PictureModel, dataset: FactorDataset, seed: int) -> Figure:
    chosen = Stream(seed, "pictures to reconstruct").integers(0, len(dataset.grid), 24)
    originals = dataset.batch(chosen.to(model.device))
    return figures.reconstructions(
        originals,
        model.reconstruct(originals),
        note=f"{len(chosen)} random pictures (seed {seed}), decoded from their posterior means.",
    )


def _samples(model: PictureModel, latent_dim: int, seed: int) -> Figure:
    codes = Stream(seed, "samples of the prior").normal(0, (40, latent_dim))
    return figures.samples(
        model.picture(codes.to(model.device)), note=f"Mean pictures of z ~ N(0, 1) (seed {seed})."
    )


def _interpolation(model: PictureModel, dataset: FactorDataset, columns: int, seed: int) -> Figure:
    chosen = Stream(seed, "pictures to interpolate").integers(0, len(dataset.grid), 8)
    ends = dataset.batch(chosen.to(model.device))
    codes = model.encode(ends).mean.unflatten(0, (-1, 2))
    weight = torch.linspace(0, 1, columns, device=codes.device)[:, None]
    between = torch.lerp(codes[:, :1], codes[:, 1:], weight)
    return figures.interpolation(
        model.picture(between.flatten(0, 1)).unflatten(0, (-1, columns)),
        ends=ends.unflatten(0, (-1, 2)),
        note=f"Linear between the posterior means of two random pictures (seed {seed}).",
    )


@contextmanager
def _evaluating(model: PictureModel) -> Iterator[None]:
    """Eval mode without gradients; each part of the model gets its own mode back afterwards."""
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        for module, training in modes:
            module.training = training
