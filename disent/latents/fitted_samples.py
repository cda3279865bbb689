# SPDX-License-Identifier: Apache-2.0
"""Samples of a model that has no prior, density by density."""

from typing import Any

import torch
from matplotlib.figure import Figure

from disent import figures
from disent.codes import CodeTable
from disent.data.base import PictureDataset
from disent.latents.density import KINDS, held_out_densities
from disent.latents.fitted import codes_to_fit, components_for, fitted_pictures

ROWS, COLUMNS = 2, 8  # of the pictures of one density


def fitted_samples(
    model: Any, dataset: PictureDataset, table: CodeTable | None, seed: int
) -> Figure:
    """Rows of samples of each density, labelled, and how well each tells codes kept from it."""
    codes = codes_to_fit(model, dataset, table, seed)
    pictures = fitted_pictures(model, dataset, codes, ROWS * COLUMNS, seed)
    components = components_for(codes)
    known = held_out_densities(codes, components=components, seed=seed)
    told = ", ".join(f"{kind} {known[kind]:.2f}" for kind in KINDS).replace("-", "\N{MINUS SIGN}")
    which = f"{len(codes):,} random pictures (seed {seed})"
    if len(codes) == len(dataset):
        which = f"all {len(codes):,} pictures"
    names = ("diagonal\nGaussian", "Gaussian with\ncovariances", f"mixture of {components}")
    labels = [label for name in names for label in (name, *[""] * (ROWS - 1))]
    return figures.image_grid(
        torch.cat([pictures[kind] for kind in KINDS]).unflatten(0, (-1, COLUMNS)),
        row_labels=labels,
        title="Samples of densities fitted to the codes",
        note=f"The model has no prior: each density is fitted to the codes of {which}, and drawn "
        f"from with seed {seed}. Fitted to four fifths of these codes, it gives the others a "
        f"log-density of, in nats per code: {told}.",
        group=ROWS,
    )
