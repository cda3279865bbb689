# SPDX-License-Identifier: Apache-2.0
"""The entries of log_likelihood: beside the ELBO, naive Monte Carlo, an untrained model and PCA."""

import math
import statistics
from typing import Any, NamedTuple

import torch
from jaxtyping import Int
from torch import Tensor

from disent.data.base import PictureDataset
from disent.data.subgrid import thin
from disent.encoding import progress_bar
from disent.evaluation.log_weights import NoDensity, check_densities, log_weights_of
from disent.evaluation.options import Options
from disent.evaluation.pca import PixelPCA
from disent.likelihoods import FixedGaussian, LearnedGaussian
from disent.metrics.log_likelihood import importance_bounds, log_likelihood
from disent.streams import Stream

ASIDE = 128  # of the pictures: of the prior's samples and the untrained model, as dear each
PCA_POINTS = 50_000  # pictures that PCA is fitted to, evenly spread
NO_CHANCE = "codes dealt to other pictures leave p(x) as it is: only the error would grow"
NO_PCA = (
    "a density of pixels, which is no probability of pictures as this model's likelihood is one"
)


class Weights(NamedTuple):
    """Log-weights [pictures, samples] of one evaluation, float64.

    Attributes:
        own: Of samples of the model's posteriors, a table for each repeat.
        naive: Of samples of its prior, for the first 128 of these pictures; for each repeat.
        untrained: As `own`, of the same network with its initial weights; for these 128.
    """

    own: list[Tensor]
    naive: list[Tensor]
    untrained: Tensor


def likelihood_entries(
    model: Any,
    untrained: Any,
    dataset: PictureDataset,
    options: Options,
    *,
    progress: bool = False,
) -> dict[str, dict[str, Any]]:
    """The entries of L_K, of the ELBO and of naive Monte Carlo, all in nats per image.

    `log_likelihood` holds under `bounds` L_k for k = 1, 10, 100 .. K, all from the same samples.
    Naive Monte Carlo and the untrained model are of the first 128 pictures, and `of_these` is L_K
    of the model for these. The standard error is of the pictures and of the samples together. By
    how much a bound lies below log p(x) it does not say: that more samples leave it as it is, does.

    Args:
        model: What was trained.
        untrained: The same network with its initial weights.
        dataset: The pictures that some are drawn from.
        options: Samples, pictures, seed, and repeats, which draw other samples for the same
            pictures.
        progress: Show a bar.
    """
    rows = drawn_pictures(len(dataset), options)
    stated = _stated(dataset, rows, options)
    try:
        check_densities(model, dataset)
    except NoDensity as error:
        return {"log_likelihood": stated | {"value": None, "reason": str(error)}}
    found = _weigh(model, untrained, dataset, rows, options, progress=progress)
    density, blank = _pca(model, dataset, rows), found.untrained
    stated |= {"chance": None, "pca": density, "untrained_points": len(blank)}
    same = _summary([table[:ASIDE] for table in found.own], options.samples)["value"]
    stated["reasons"] = {"chance": NO_CHANCE} | ({"pca": NO_PCA} if density is None else {})
    naive = _stated(dataset, rows[:ASIDE], options) | {"codes": "samples of the prior, float32"}
    return {
        "log_likelihood": {
            **_summary(found.own, options.samples),
            "untrained": float(log_likelihood(blank)),
            "bounds": _bounds(found.own),
            "of_these": same,
            **stated,
        },
        "log_likelihood.elbo": {
            **_summary(found.own, 1),
            "untrained": float(blank.mean()),
            **stated,
        },
        "log_likelihood.naive": {
            **_summary(found.naive, options.samples),
            "of_these": same,
            **naive,
        },
    }


def _weigh(
    model: Any,
    untrained: Any,
    dataset: PictureDataset,
    rows: Int[Tensor, "n"],
    options: Options,
    *,
    progress: bool,
) -> Weights:
    """All log-weights, with one bar over them."""
    seeds = [options.seed + r for r in range(options.repeats)]
    aside, samples = rows[:ASIDE], options.samples
    total = len(seeds) * (len(rows) + len(aside)) + len(aside)
    with progress_bar(progress) as bar:
        task = bar.add_task(f"{samples:,} samples of each picture", total=total)

        def weigh(of: Any, some: Tensor, seed: int, *, from_prior: bool = False) -> Tensor:
            return log_weights_of(
                of, dataset, some, samples, seed=seed, from_prior=from_prior,
                advance=lambda done: bar.advance(task, done),
            )  # fmt: skip

        own = [weigh(model, rows, seed) for seed in seeds]
        naive = [weigh(model, aside, seed, from_prior=True) for seed in seeds]
        return Weights(own, naive, weigh(untrained, aside, options.seed))


def likelihood_of(
    model: Any,
    dataset: PictureDataset,
    index: Int[Tensor, "m"],
    options: Options,
    *,
    progress: bool = False,
) -> dict[str, float | None]:
    """`log_likelihood`, L_K of some of the pictures at `index`, and `log_likelihood_error`.

    None for a model without the densities that it is made of.
    """
    rows = index[drawn_pictures(len(index), options)]
    try:
        check_densities(model, dataset)
    except NoDensity:
        return {"log_likelihood": None, "log_likelihood_error": None}
    with progress_bar(progress) as bar:
        task = bar.add_task(f"{options.samples:,} samples of each picture", total=len(rows))
        weights = log_weights_of(
            model, dataset, rows, options.samples, seed=options.seed,
            advance=lambda done: bar.advance(task, done),
        )  # fmt: skip
    found = _summary([weights], options.samples)
    return {"log_likelihood": found["value"], "log_likelihood_error": found["error"]}


def drawn_pictures(pictures: int, options: Options) -> Int[Tensor, "n"]:
    """Which of so many pictures are judged: all, or as many as asked for, drawn by the seed."""
    order = Stream(options.seed, "pictures of log_likelihood").permutation(0, pictures)
    return order[: options.pictures]


def _bounds(weights: list[Tensor]) -> dict[str, float]:
    """L_k for k = 1, 10, 100 .. K, by k."""
    samples = weights[0].shape[1]
    numbers = [10**power for power in range(int(math.log10(samples)) + 1)]
    return {
        str(k): statistics.fmean(float(importance_bounds(table, k).mean()) for table in weights)
        for k in dict.fromkeys([*numbers, samples])
    }


def _summary(weights: list[Tensor], samples: int) -> dict[str, Any]:
    """The bound of so many samples, its spread over the draws, and its standard error."""
    each = torch.stack([importance_bounds(table, samples) for table in weights])
    values, pictures = each.mean(1).tolist(), each.mean(0)
    return {
        "value": statistics.fmean(values),
        "spread": statistics.stdev(values) if len(values) > 1 else None,
        "error": float(pictures.std() / len(pictures) ** 0.5),
    }


def _stated(dataset: PictureDataset, rows: Int[Tensor, "n"], options: Options) -> dict[str, Any]:
    """What the numbers depend on."""
    settings = {"samples": options.samples, "pictures": options.pictures, "seed": options.seed}
    return {
        "variant": f"{log_likelihood.__module__}.{log_likelihood.__name__}",
        "codes": "posterior samples, float32",
        "settings": settings,
        "seed": options.seed,
        "points": len(rows),
        "fingerprint": dataset.fingerprint,
        "repeats": options.repeats,
    }


def _pca(model: Any, dataset: PictureDataset, rows: Int[Tensor, "n"]) -> float | None:
    """The mean log-density of probabilistic PCA, where the model's own is one of pixels."""
    if not isinstance(getattr(model, "likelihood", None), FixedGaussian | LearnedGaussian):
        return None
    values = dataset.channels * dataset.size[0] * dataset.size[1]
    pca = PixelPCA.fit(thin(dataset, PCA_POINTS), min(model.latent_dim, values))
    return float(torch.cat([pca.log_prob(dataset.batch(part)) for part in rows.split(512)]).mean())
