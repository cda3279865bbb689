# SPDX-License-Identifier: Apache-2.0
"""A model's place on the rate-distortion plane, and whether theory allows it."""

from collections.abc import Callable
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor

from disent.codes import CodeTable
from disent.data.base import PictureDataset
from disent.data.census import Census, count_pictures
from disent.encoding import encoder_of
from disent.likelihoods.bernoulli import Bernoulli
from disent.metrics.bounds import check_rate_distortion
from disent.metrics.rate_distortion import rate_distortion

PICTURES, BATCH = 4096, 256  # whose distortion is measured; decoded at once


def rate_and_distortion(
    model: Any,
    dataset: PictureDataset,
    table: CodeTable,
    seed: int,
    *,
    census: Callable[[PictureDataset], Census] = count_pictures,
) -> dict[str, float | None]:
    """The terms of `disent.metrics.rate_distortion`, and the entropy of the pictures if it bounds.

    Empty for a model without distortion. Of codes that are points, the distortion alone; of
    Gaussians with covariances, all but the mutual information. The entropy bounds rate + distortion
    where the likelihood is a probability, as Bernoulli's is of binary pictures; for others it is a
    density, which none bounds, and the entropy is None.

    Raises:
        BoundViolated: See `disent.metrics.bounds`.
    """
    generator = torch.Generator().manual_seed(seed)
    rows = torch.randint(len(table), (PICTURES,), generator=generator)
    noise = torch.randn(PICTURES, table.means.shape[1], generator=generator)
    distortions = distortions_of(model, dataset, table, rows, noise)
    if distortions is None:
        return {}
    if table.rates is None:
        return {**_distortion(distortions), "pictures": PICTURES}
    entropy = None
    bernoulli = isinstance(getattr(model, "likelihood", None), Bernoulli)
    if bernoulli and _looks_binary(dataset):
        counted = census(dataset)
        entropy = counted.entropy if counted.binary else None
    if table.logvars is None:
        numbers = _without_information(table.rates, distortions, entropy)
    else:
        found = rate_distortion(table.means, table.logvars, distortions, entropy=entropy, seed=seed)
        numbers = {name: float(value) for name, value in found._asdict().items()}
    return {**numbers, "entropy": entropy, "pictures": PICTURES}


def distortions_of(
    model: Any,
    dataset: PictureDataset,
    table: CodeTable,
    rows: Int[Tensor, "m"],
    noise: Float[Tensor, "m d"],
) -> Float[Tensor, "m"] | None:
    """-log p(x|z) of some pictures, nats per image, z drawn from q(z|x) with the noise given.

    None for a model without distortion.
    """
    parts: list[Tensor] = []
    if not hasattr(model, "distortion"):
        return None
    with torch.inference_mode():
        for index, draw in zip(rows.split(BATCH), noise.split(BATCH), strict=True):
            x, own = dataset.batch(index.to(model.device)), encoder_of(model, dataset, index)
            if table.logvars is not None:
                z = table.means[index] + (0.5 * table.logvars[index]).exp() * draw
            elif table.rates is None:
                z = table.means[index]
            else:  # the table does not hold all of the posterior
                z = own.encode(x).sample(draw.to(model.device))
            found = own.distortion(x, z.to(model.device))
            if found is None:
                return None
            parts.append(found.cpu())
    return torch.cat(parts)


def _distortion(distortions: Float[Tensor, "m"]) -> dict[str, float | None]:
    values = distortions.double()
    return {
        "distortion": float(values.mean()),
        "distortion_error": float(values.std() / len(values) ** 0.5),
    }


def _without_information(
    rates: Float[Tensor, "d"], distortions: Float[Tensor, "m"], entropy: float | None
) -> dict[str, float | None]:
    """The terms of posteriors of which the table holds the rate, but not the density."""
    rate, found = float(rates.sum()), _distortion(distortions)
    distortion, error = found["distortion"], found["distortion_error"]
    assert distortion is not None
    assert error is not None
    if entropy is not None:
        check_rate_distortion(rate, distortion, entropy, error)
    unknown = ("mutual_information", "mutual_information_error", "marginal_kl")
    return {
        "rate": rate,
        "distortion": distortion,
        "total": rate + distortion,
        "total_error": error,
        **dict.fromkeys(unknown),
    }


def _looks_binary(dataset: PictureDataset) -> bool:
    """Whether the first pictures hold nothing but 0 and 255; spares counting those that do not."""
    pictures = dataset.images(torch.arange(min(BATCH, len(dataset))))
    return bool(((pictures == 0) | (pictures == 255)).all())
