# SPDX-License-Identifier: Apache-2.0
"""A model's place on the rate-distortion plane, and whether theory allows it."""

from typing import Any

import torch

from disent.codes import CodeTable
from disent.data.base import FactorDataset
from disent.data.census import count_pictures
from disent.likelihoods.bernoulli import Bernoulli
from disent.metrics.rate_distortion import rate_distortion
from disent.models.vae import VAE

PICTURES, BATCH = 4096, 256  # whose distortion is measured; decoded at once


def rate_and_distortion(
    model: Any, dataset: FactorDataset, table: CodeTable, seed: int
) -> dict[str, float | None]:
    """The terms of `disent.metrics.rate_distortion`, and the entropy of the pictures if it bounds.

    Empty for a model that only encodes. The entropy bounds rate + distortion where the likelihood
    is a probability of binary pictures; for grey or coloured ones it is a density, which none
    bounds, and the entropy is None.

    Raises:
        BoundViolated: See `disent.metrics.bounds`.
    """
    if not isinstance(model, VAE):
        return {}
    generator = torch.Generator().manual_seed(seed)
    rows = torch.randint(len(table.grid), (PICTURES,), generator=generator)
    noise = torch.randn(PICTURES, table.means.shape[1], generator=generator)
    distortions = []
    with torch.inference_mode():
        for index, draw in zip(rows.split(BATCH), noise.split(BATCH), strict=True):
            z = table.means[index] + (0.5 * table.logvars[index]).exp() * draw
            decoded = model.decode(z.to(model.device)).float()
            x = dataset.batch(index.to(model.device))
            distortions.append(-model.likelihood.log_prob(x, decoded).cpu())
    entropy = None
    if isinstance(model.likelihood, Bernoulli) and _looks_binary(dataset):
        census = count_pictures(dataset)
        entropy = census.entropy if census.binary else None
    found = rate_distortion(
        table.means, table.logvars, torch.cat(distortions), entropy=entropy, seed=seed
    )
    numbers = {name: float(value) for name, value in found._asdict().items()}
    return {**numbers, "entropy": entropy, "pictures": PICTURES}


def _looks_binary(dataset: FactorDataset) -> bool:
    """Whether the first pictures hold nothing but 0 and 255; spares counting those that do not."""
    pictures = dataset.images(torch.arange(min(BATCH, len(dataset.grid))))
    return bool(((pictures == 0) | (pictures == 255)).all())
