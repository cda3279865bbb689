# SPDX-License-Identifier: Apache-2.0
"""Pictures of a model that has no prior, by densities fitted to its codes."""

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from disent.codes import CodeTable, encode_rows
from disent.data.base import PictureDataset
from disent.encoding import encoder_of
from disent.latents.density import KINDS, CodeDensity, Kind
from disent.streams import Stream

POINTS = 10_000  # random pictures, at most, whose codes a density is fitted to
COMPONENTS = 10  # of the mixture; of few codes one for every ten


def codes_to_fit(
    model: Any, dataset: PictureDataset, table: CodeTable | None = None, seed: int = 0
) -> Float[Tensor, "n d"]:
    """Codes of at most 10,000 random pictures, those of `table` where it is at hand."""
    pictures = len(dataset) if table is None else len(table)
    rows = Stream(seed, "codes to fit").permutation(0, pictures)[:POINTS]
    if table is not None:
        return table.means[rows]
    return encode_rows(model, dataset, rows, device=model.device).means


def components_for(codes: Float[Tensor, "n d"]) -> int:
    """How many Gaussians the mixture has."""
    return max(2, min(COMPONENTS, len(codes) // 10))


def fitted_pictures(
    model: Any, dataset: PictureDataset, codes: Float[Tensor, "n d"], n: int, seed: int = 0
) -> dict[Kind, Float[Tensor, "n c h w"]]:
    """Pictures of codes drawn from each density, in [0, 1], by its kind.

    A model that depends on factors is given those of random pictures.

    Args:
        model: In eval mode.
        dataset: Its pictures.
        codes: What the densities are fitted to.
        n: How many pictures of each.
        seed: Of the mixture's beginning, and of all that is drawn.
    """
    own = encoder_of(model, dataset, Stream(seed, "conditions").integers(0, len(dataset), n))
    found: dict[Kind, Tensor] = {}
    for kind in KINDS:
        density = CodeDensity.fit(codes, kind, components=components_for(codes), seed=seed)
        noise = Stream(seed, f"samples of {kind}").normal(0, (n, density.draws))
        with torch.no_grad():
            found[kind] = own.picture(density.sample(noise).to(model.device))
    return found
