# SPDX-License-Identifier: Apache-2.0
"""Models of two latents: their codes over the prior, and what is drawn along its shape."""

import copy
from collections.abc import Callable
from typing import Any

import torch
from jaxtyping import Float
from matplotlib.figure import Figure
from torch import Tensor

from disent import figures
from disent.data.base import PictureDataset
from disent.discrepancy import maximum_mean_discrepancy
from disent.encoding import encode_pictures, encoder_of
from disent.figures.manifold import gaussian_quantiles
from disent.priors import GaussianMixture, StandardNormal, SwissRoll
from disent.streams import Stream

POINTS, PAIRS = 1000, 20  # codes at most; pairs of samples of the prior that show its own scatter
ROWS, COLUMNS = 6, 10  # of pictures along a swiss roll
QUANTILES = 10


def plane_pictures(model: Any, dataset: PictureDataset, seed: int) -> dict[str, Figure]:
    """Figures by file stem, of a model in eval mode with two latents; none for any other.

    `codes`: those of pictures over samples of the prior; and by the prior `manifold` of N(0, 1),
    `petals` of a flower of Gaussians, `roll` of a swiss roll.

    Args:
        model: What to draw.
        dataset: Where its pictures come from; of pictures that were set apart, those are encoded.
        seed: Of the pictures and the samples drawn.
    """
    prior = getattr(model, "prior", None)
    if prior is None or getattr(model, "latent_dim", None) != 2 or prior.latent_dim != 2:
        return {}
    drawn = {"codes": _codes(model, dataset, prior, seed)}
    shapes: dict[type, tuple[str, Callable[..., Figure]]] = {
        StandardNormal: ("manifold", _manifold),
        GaussianMixture: ("petals", _petals),
        SwissRoll: ("roll", _roll),
    }
    if type(prior) in shapes:
        stem, draw = shapes[type(prior)]
        drawn[stem] = draw(encoder_of(model, dataset, torch.zeros(1, dtype=torch.int64)), prior)
    return drawn


def prior_discrepancies(
    prior: Any, codes: Float[Tensor, "n d"], seed: int, pairs: int = PAIRS
) -> tuple[Float[Tensor, ""], Float[Tensor, "pairs"]]:
    """Squared MMD of codes from a prior, and those of pairs of samples of the prior itself.

    Unbiased, with the inverse multiquadratic kernel; each sample is as large as the codes are many,
    and the first is their mean over as many samples as there are pairs.

    Args:
        prior: Of disent.priors.
        codes: Of pictures.
        seed: Of the samples.
        pairs: How many.
    """
    stream, n = Stream(seed, "samples of the prior beside codes"), len(codes)
    drawn = (stream.normal(i, (2 * n, prior.draws)).to(codes.device) for i in range(pairs))
    samples = [prior.sample(noise).chunk(2) for noise in drawn]
    away = torch.stack([maximum_mean_discrepancy(codes, first) for first, _ in samples])
    own = torch.stack([maximum_mean_discrepancy(*both) for both in samples])
    return away.mean(), own


def _codes(model: Any, dataset: PictureDataset, prior: Any, seed: int) -> Figure:
    rows, which = _rows(dataset, seed)
    codes = encode_pictures(model, dataset, rows, device=model.device).means
    noise = Stream(seed, "prior beside codes").normal(0, (2 * POINTS, prior.draws))
    factors, prior = dataset.factors(rows), copy.deepcopy(prior).cpu()  # as the codes
    away, own = prior_discrepancies(prior, codes, seed)
    return figures.codes_over_prior(
        codes,
        prior.sample(noise),
        labels=None if factors is None else factors[:, 0],
        label_name="" if factors is None else dataset.names[0],
        note=f"{which} (seed {seed}). Squared MMD from the prior {float(away):.4f}; of two samples "
        f"of the prior, in {PAIRS} pairs, {float(own.min()):.4f} to {float(own.max()):.4f} "
        "(unbiased, inverse multiquadratic kernel).".replace("-", "\N{MINUS SIGN}"),
    )


def _rows(dataset: PictureDataset, seed: int) -> tuple[Tensor, str]:
    """Which pictures are encoded, and what they are."""
    apart = dataset.marks().get("test", torch.zeros(0)).nonzero().flatten()
    if 1 < len(apart) < len(dataset):
        chosen, of = apart, "that were set apart"
    else:
        chosen, of = torch.arange(len(dataset)), "of the dataset"
    if len(chosen) > POINTS:
        order = Stream(seed, "pictures over the prior").permutation(0, len(chosen))
        return chosen[order[:POINTS]], f"{POINTS:,} random pictures {of}"
    return chosen, f"All {len(chosen):,} pictures {of}"


def _manifold(model: Any, prior: StandardNormal) -> Figure:
    values = gaussian_quantiles(QUANTILES)
    z = torch.stack([values.repeat(QUANTILES), values.repeat_interleave(QUANTILES)], -1)
    pictures = model.picture(z.to(model.device)).unflatten(0, (QUANTILES, QUANTILES))
    return figures.manifold(pictures, quantiles=values, latents=(0, 1))


def _petals(model: Any, prior: GaussianMixture) -> Figure:
    steps = torch.linspace(-2, 2, COLUMNS - 1)
    z = prior.centres[:, None] + steps[:, None].to(prior.axes) * prior.axes[:, None, 0]
    pictures = model.picture(z.flatten(0, 1).to(model.device)).unflatten(0, (-1, len(steps)))
    return figures.image_grid(
        pictures,
        row_labels=[f"petal {k}" for k in range(prior.components)],
        column_labels=[_signed(step) for step in steps.tolist()],
        title="Along the middle of each petal of the prior, outwards",
        note="In standard deviations along the ray, from the centre of the petal.",
    )


def _roll(model: Any, prior: SwissRoll) -> Figure:
    share = torch.linspace(0, 1, ROWS * COLUMNS)
    pictures = model.picture(prior.along(share).to(model.device))
    starts = share[::COLUMNS].tolist()
    return figures.image_grid(
        pictures.unflatten(0, (ROWS, COLUMNS)),
        row_labels=[f"{100 * start:.0f} %" for start in starts],
        title="Along the middle of the swiss roll, row after row, from the inside out",
        note="Evenly spaced by length; at the left, the share of the length where a row starts.",
    )


def _signed(value: float) -> str:
    """A sign on both sides of 0, and none at it."""
    return f"{value:+g}".replace("-", "\N{MINUS SIGN}") if value else "0"
