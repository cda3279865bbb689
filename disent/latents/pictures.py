# SPDX-License-Identifier: Apache-2.0
"""All pictures of one model: reconstructions, samples, interpolations, latent traversals."""

import os
from collections.abc import Iterator, Mapping, Sequence
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
from disent.codes import CodeTable, encode_rows
from disent.data.base import FactorDataset, PictureDataset
from disent.encoding import encoder_of
from disent.figures.animation import Animation
from disent.files import replacing_path
from disent.gaussian import Posterior
from disent.latents.families import family_pictures
from disent.latents.fitted_samples import fitted_samples
from disent.latents.summary import LatentSummary, summarise_latents
from disent.priors.normal import StandardNormal
from disent.streams import Stream

POINTS = 10_000  # random pictures that rates and factors are estimated from, without a CodeTable
BATCH = 500


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


def draw_pictures(
    model: PictureModel,
    dataset: PictureDataset,
    *,
    table: CodeTable | None = None,
    metrics: pd.DataFrame | None = None,
    traversal: Traversal | None = None,
    seed: int = 0,
) -> dict[str, Figure | Animation]:
    """Figures by file stem: traversals, reconstructions, samples, interpolation, and curves.

    Families with pictures of their own add those of `disent.latents.families`.

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
    start = traversal.start(dataset)
    with _evaluating(model):
        summary = _summarise(model, dataset, table, seed)
        drawn: dict[str, Figure | Animation] = {
            "traversals": _traversals(model, dataset, summary, traversal, start),
            "reconstructions": _reconstructions(model, dataset, summary, seed),
            "samples": _samples(model, dataset, table, len(summary.variances), seed),
            "interpolation": _interpolation(model, dataset, summary, traversal.columns, seed),
            **family_pictures(model, dataset, seed),
        }
    if metrics is not None and len(metrics):
        drawn["curves"] = figures.curves(metrics)
    return drawn


def save_pictures(
    drawn: Mapping[str, Figure | Animation], folder: str | os.PathLike[str]
) -> list[Path]:
    """Writes each as `folder`/<stem>.png, animations as .gif, whole or not at all; the paths."""
    paths = []
    for stem, figure in drawn.items():
        kind = "gif" if isinstance(figure, Animation) else "png"
        path = Path(folder) / f"{stem}.{kind}"
        with replacing_path(path) as temporary:
            figure.savefig(temporary, format=kind)
        paths.append(path)
    return paths


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


def _summarise(
    model: PictureModel, dataset: PictureDataset, table: CodeTable | None, seed: int
) -> LatentSummary:
    if table is not None:
        spread = "" if table.grid is None else ", evenly spread over the grid"
        return summarise_latents(table, f"{len(table):,} pictures{spread}")
    if len(dataset) <= POINTS:
        chosen, source = torch.arange(len(dataset)), f"all {len(dataset):,} pictures"
    else:
        chosen = Stream(seed, "pictures for rates").integers(0, len(dataset), POINTS)
        source = f"{POINTS:,} random pictures (seed {seed})"
    found = encode_rows(model, dataset, chosen, batch_size=BATCH, device=model.device)
    return summarise_latents(found, source)


def _traversals(
    model: PictureModel,
    dataset: PictureDataset,
    summary: LatentSummary,
    traversal: Traversal,
    index: int,
) -> Figure:
    chosen, values = summary.order()[: traversal.latents], traversal.values()
    row = torch.tensor([index])
    model = encoder_of(model, dataset, row)  # of one that depends on factors: those of the picture
    start = model.encode(dataset.batch(row.to(model.device))).mean[0]
    labels = [summary.label(latent) for latent in chosen]
    told = "rate in nats per image" if summary.rates is not None else "variance of its code"
    if summary.names:
        told += (
            ", and the factor that the latent follows best, with their mutual information over "
            "the factor's entropy"
        )
    note = (
        f"The other latents stay at the code of picture {index:,}{_where(dataset, index)}. Each "
        f"row: {told}; from {summary.source}."
    )
    if summary.rates is not None:
        images = traverse(model, start, chosen, values)
        return figures.traversals(images, values=values, labels=labels, note=note)
    own = summary.means[chosen, None] + summary.variances[chosen, None].sqrt() * values
    ends = [_signed(float(value)) for value in values]
    return figures.image_grid(
        traverse(model, start, chosen, own),
        row_labels=labels,
        column_labels=ends,
        title=f"Latent traversals: each row moves one latent from {ends[0]} to {ends[-1]} "
        "standard deviations of its own code",
        note=f"{note} A latent's values are counted from the mean of its code over these pictures: "
        "the model has no rate, so that the prior sets no scale.",
    )


def _where(dataset: PictureDataset, index: int) -> str:
    """The factors of a picture in brackets, or "" where none is known."""
    factors = dataset.factors(torch.tensor([index]))
    if factors is None:
        return ""
    known = zip(dataset.names, factors[0].tolist(), strict=True)
    told = ", ".join(f"{name} {value}" for name, value in known if value >= 0)
    return told and f" ({told})"


def _signed(value: float) -> str:
    """Three digits, a sign on both sides of 0, and no negative zero."""
    text = f"{value:+.3g}".replace("-", "\N{MINUS SIGN}")
    return "0" if abs(value) < 5e-4 else text


def _codes_of(summary: LatentSummary) -> str:
    return "codes" if summary.rates is None else "posterior means"


def _reconstructions(
    model: PictureModel, dataset: PictureDataset, summary: LatentSummary, seed: int
) -> Figure:
    chosen = Stream(seed, "pictures to reconstruct").integers(0, len(dataset), 24)
    originals = dataset.batch(chosen.to(model.device))
    model = encoder_of(model, dataset, chosen)
    return figures.reconstructions(
        originals,
        model.reconstruct(originals),
        note=f"{len(chosen)} random pictures (seed {seed}), decoded from their "
        f"{_codes_of(summary)}.",
    )


def _samples(
    model: Any, dataset: PictureDataset, table: CodeTable | None, latent_dim: int, seed: int
) -> Figure:
    """Pictures of the model's prior; of N(0, 1) where a model does not say how it is sampled.

    One whose codes follow no prior is sampled by densities fitted to them. One that depends on
    factors is given those of random pictures.
    """
    if not getattr(model, "follows_prior", True):
        return fitted_samples(model, dataset, table, seed)
    stream = Stream(seed, "samples of the prior")
    conditions = Stream(seed, "conditions of samples").integers(0, len(dataset), 40)
    model = encoder_of(model, dataset, conditions)
    if not hasattr(model, "draws_of_prior"):
        pictures = model.picture(stream.normal(0, (40, latent_dim)).to(model.device))
    else:
        pictures = model.sample(40, noise=stream.normal(0, (40, model.draws_of_prior)))
    normal = isinstance(getattr(model, "prior", None), StandardNormal | None)
    of = "z ~ N(0, 1)" if normal else "the model's prior"
    return figures.samples(pictures, note=f"Mean pictures of {of} (seed {seed}).")


def _interpolation(
    model: PictureModel, dataset: PictureDataset, summary: LatentSummary, columns: int, seed: int
) -> Figure:
    chosen = Stream(seed, "pictures to interpolate").integers(0, len(dataset), 8)
    ends = dataset.batch(chosen.to(model.device))
    codes = encoder_of(model, dataset, chosen).encode(ends).mean.unflatten(0, (-1, 2))
    weight = torch.linspace(0, 1, columns, device=codes.device)[:, None]
    between = torch.lerp(codes[:, :1], codes[:, 1:], weight)
    # one that depends on factors keeps those of the left end
    own = encoder_of(model, dataset, chosen[::2].repeat_interleave(columns))
    return figures.interpolation(
        own.picture(between.flatten(0, 1)).unflatten(0, (-1, columns)),
        ends=ends.unflatten(0, (-1, 2)),
        blend=summary.rates is None,  # what an autoencoder's code adds to a blend of pixels
        note=f"Linear between the {_codes_of(summary)} of two random pictures (seed {seed}).",
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
