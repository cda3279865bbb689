# SPDX-License-Identifier: Apache-2.0
"""All pictures of one model: reconstructions, samples, interpolations, latent traversals."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from matplotlib.figure import Figure

from disent import figures
from disent.codes import CodeTable, encode_rows
from disent.data.base import PictureDataset
from disent.encoding import encoder_of
from disent.figures.animation import Animation
from disent.figures.film import Film
from disent.files import replacing_path
from disent.latents.families import family_pictures
from disent.latents.fitted_samples import fitted_samples
from disent.latents.summary import LatentSummary, summarise_latents
from disent.latents.traversal import Moved, PictureModel, Traversal
from disent.priors.normal import StandardNormal
from disent.streams import Stream

POINTS = 10_000  # random pictures that rates and factors are estimated from, without a CodeTable
BATCH = 500


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
    traversal.start(dataset)  # that it exists, before anything is drawn
    with evaluating(model):
        summary = summary_of(model, dataset, table, seed)
        moved = Moved.of(model, dataset, summary, traversal)
        drawn: dict[str, Figure | Animation] = {
            "traversals": moved.figure(),
            "reconstructions": _reconstructions(model, dataset, summary, seed),
            "samples": _samples(model, dataset, table, len(summary.variances), seed),
            "interpolation": _interpolation(model, dataset, summary, traversal.columns, seed),
            **family_pictures(model, dataset, seed),
        }
        if traversal.animated:
            drawn["traversals_animated"] = moved.film()
    if metrics is not None and len(metrics):
        drawn["curves"] = figures.curves(metrics)
    return drawn


def save_pictures(
    drawn: Mapping[str, Figure | Animation | Film], folder: str | os.PathLike[str]
) -> list[Path]:
    """Writes each as `folder`/<stem>.png, what moves as .gif, whole or not at all; the paths."""
    paths = []
    for stem, figure in drawn.items():
        kind = "png" if isinstance(figure, Figure) else "gif"
        path = Path(folder) / f"{stem}.{kind}"
        with replacing_path(path) as temporary:
            figure.savefig(temporary, format=kind)
        paths.append(path)
    return paths


def summary_of(
    model: PictureModel, dataset: PictureDataset, table: CodeTable | None, seed: int
) -> LatentSummary:
    """What the latents carry, from the table where there is one, else from random pictures."""
    if table is not None:
        spread = "" if table.grid is None else ", evenly spread over the grid"
        return summarise_latents(table, f"{len(table):,} pictures{spread}")
    found, source = random_codes(model, dataset, seed)
    return summarise_latents(found, source)


def random_codes(
    model: PictureModel, dataset: PictureDataset, seed: int, points: int = POINTS
) -> tuple[CodeTable, str]:
    """Codes of random pictures, the same ones for the same seed; and which these are, in words."""
    if len(dataset) <= points:
        chosen, source = torch.arange(len(dataset)), f"all {len(dataset):,} pictures"
    else:
        chosen = Stream(seed, "pictures for rates").integers(0, len(dataset), points)
        source = f"{points:,} random pictures (seed {seed})"
    found = encode_rows(model, dataset, chosen, batch_size=BATCH, device=model.device)
    return found, source


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
def evaluating(model: PictureModel) -> Iterator[None]:
    """Eval mode without gradients; each part of the model gets its own mode back afterwards."""
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        for module, training in modes:
            module.training = training
