# SPDX-License-Identifier: Apache-2.0
"""Traversals of many models in one figure, their latents matched so that a row means the same."""

import dataclasses
from collections.abc import Iterable
from typing import Any

import torch
from jaxtyping import Float
from matplotlib.figure import Figure
from torch import Tensor

from disent import figures
from disent.codes import CodeTable
from disent.data.base import FactorDataset, PictureDataset
from disent.figures.side_by_side import Panel
from disent.figures.style import FAINT_RATE
from disent.latents.matching import Match, match_to_codes, match_to_factors
from disent.latents.pictures import evaluating, random_codes
from disent.latents.summary import LatentSummary, summarise_latents
from disent.latents.traversal import Moved, Traversal, signed, where

POINTS = 5_000  # random pictures, at most, by which latents are matched
ROWS = 10  # at most, where rows are the latents of the first run
MINUS = "\N{MINUS SIGN}"


def draw_many(
    models: Iterable[tuple[str, Any]],
    dataset: PictureDataset,
    traversal: Traversal | None = None,
    seed: int = 0,
) -> Figure:
    """One figure of the traversals of many models, from the same picture.

    Where the pictures are a grid of factors, a row is a factor: of each model the latent that
    `match_to_factors` gives it. Elsewhere a row is a latent of the first model, and of the others
    the one that `match_to_codes` gives it, over the same pictures. A latent that falls where
    the factor, or the first model's latent, rises is drawn from right to left, so that all rows
    of a kind go the same way.

    Args:
        models: Titles and models; each is asked for when the one before is drawn.
        dataset: That all were trained on.
        traversal: How to traverse; `latents` counts for nothing. None: five values from -2 to 2.
        seed: Of the 5,000 random pictures by which latents are matched.
    Raises:
        ValueError: There is no model, or no picture to start from.
    """
    traversal = traversal or Traversal(columns=5)
    panels: list[Panel] = []
    rows = list(dataset.names) if isinstance(dataset, FactorDataset) else []
    reference: Tensor | None = None
    source, index = "", traversal.start(dataset)
    for title, model in models:
        with evaluating(model):
            table, source = random_codes(model, dataset, seed, POINTS)
            summary = summarise_latents(table, source)
            if not rows:
                first = _not_faint(summary)
                reference, rows = table.means[:, first], [f"as z{latent}" for latent in first]
            match = _matched(table, reference)
            moved = Moved.of(model, dataset, summary, traversal)
            panels.append(Panel(title, _images(moved, match), _labels(match, summary)))
    return figures.side_by_side(
        panels,
        rows=rows,
        title=f"Latent traversals of {len(panels)} run{'s' if len(panels) != 1 else ''}: each row "
        + ("is a factor" if reference is None else "is a latent of the first run"),
        note=_note(traversal, f"{index:,}{where(dataset, index)}", source, reference is None),
    )


def _not_faint(summary: LatentSummary) -> list[int]:
    """The latents that can be seen to move, highest rate (or variance) first; one at least."""
    order = summary.order()
    if summary.rates is not None:
        rates = summary.rates
        order = [z for z in order if float(rates[z]) >= FAINT_RATE] or order[:1]
    return order[:ROWS]


def _matched(table: CodeTable, reference: Tensor | None) -> Match:
    return match_to_factors(table) if reference is None else match_to_codes(table, reference)


def _images(moved: Moved, match: Match) -> Float[Tensor, "rows columns c h w"]:
    """A row each; white where there is no latent."""
    latents = [latent for latent in match.latents if latent is not None]
    drawn = dataclasses.replace(moved, latents=latents).pictures(moved.traversal.values())
    drawn = drawn.float().cpu()
    images = torch.ones(len(match.latents), *drawn.shape[1:])
    has = torch.tensor([latent is not None for latent in match.latents])
    images[has] = drawn
    falls = torch.tensor(match.signs) < 0
    images[falls] = images[falls].flip(1)
    return images


def _labels(match: Match, summary: LatentSummary) -> list[str]:
    """The latent, a minus where it was turned round; below, how well it fits, or "faint"."""
    labels = []
    for latent, sign, strength in zip(match.latents, match.signs, match.strengths, strict=True):
        if latent is None:
            labels.append("none")
            continue
        faint = summary.rates is not None and float(summary.rates[latent]) < FAINT_RATE
        fits = "faint" if faint else f"{strength:.2f}"
        labels.append(f"{MINUS if sign < 0 else ''}z{latent}\n{fits}")
    return labels


def _note(traversal: Traversal, picture: str, source: str, factors: bool) -> str:
    low, high = (signed(value) for value in (-traversal.limit, traversal.limit))
    how = (
        "Below its number the mutual information of latent and factor over the factor's entropy, "
        "or faint (below 0.1 nats); each factor has a latent of its own, so that the sum of these "
        "is largest"
        if factors
        else "Below its number the absolute correlation with the first run's latent, or faint "
        "(below 0.1 nats); each row has a latent of its own, so that the sum of these is largest"
    )
    return (
        f"Each row moves one latent from {low} to {high} standard deviations of the prior (of "
        "its own code around its mean, where a model has no rate); the others stay at the code of "
        f"picture {picture}. {how}; from {source}. A minus: the latent runs the other way, and "
        "is drawn from right to left."
    )
