# SPDX-License-Identifier: Apache-2.0
"""Pictures that a model draws, judged by the real ones: how far off, and how clear they are."""

from collections.abc import Mapping
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor

from disent.codes import CodeTable
from disent.data.base import FactorDataset, PictureDataset
from disent.encoding import encoder_of
from disent.evaluation.classifier import SURE, Classifier
from disent.evaluation.nearest import nearest_pictures
from disent.latents.density import held_out_densities
from disent.latents.fitted import codes_to_fit, components_for, fitted_pictures
from disent.streams import Stream


def judge_drawn(
    model: Any,
    dataset: PictureDataset,
    table: CodeTable,
    n: int,
    seed: int = 0,
    *,
    progress: bool = False,
) -> dict[str, dict[str, float]]:
    """Numbers of n pictures each that a model draws, by where their codes come from.

    `prior`, or `diagonal`, `full` and `mixture` for a model whose codes follow none; and beside
    them `codes`, what it makes of the codes of real pictures: no density on codes does better than
    that, but by chance or by forgetting some.

    Args:
        model: In eval mode.
        dataset: The real pictures, each of which is compared.
        table: Their codes.
        n: How many pictures of each.
        seed: Of all that is drawn.
        progress: Show a bar.
    Returns:
        `distance`, the mean squared error to the nearest real picture, summed over pixels, and
        `distance_error`, its standard error. Where pictures have a label and are no grid,
        `confidence`, the mean probability of the likeliest class by a classifier of real pictures,
        and `sure`, the share of pictures where it is above 0.9. Of fitted densities `log_density`,
        of codes that were not fitted to, nats per code. Of a model with conditions `right_NAME` for
        each: the share of pictures that show the value asked for, by the nearest real picture of a
        grid, else by such a classifier of that label.
    """
    asked = getattr(model, "conditions", ())
    groups = _groups(model, dataset, table, n, seed)
    pictures = torch.cat(list(groups.values()))
    nearest = nearest_pictures(pictures, dataset, progress=progress)
    distances = nearest.distance.split(n)
    judges = _judges(dataset, {0, *asked}, seed)
    found = {}
    for (name, some), distance in zip(groups.items(), distances, strict=True):
        found[name] = {
            "pictures": n,
            "seed": seed,
            "distance": float(distance.mean()),
            "distance_error": float(distance.std() / n**0.5),
        }
        if judges:
            confidence = judges[0].confidence(some)
            found[name] |= {
                "confidence": float(confidence.mean()),
                "sure": float((confidence > SURE).double().mean()),
            }
    if asked and "prior" in groups:
        shown = {c: judge.classes(groups["prior"]) for c, judge in judges.items()}
        if isinstance(dataset, FactorDataset):
            shown = dict(enumerate(dataset.factors(nearest.rows[:n]).T))
        found["prior"] |= _right({c: shown[c] for c in asked}, dataset, seed)
    if "mixture" in groups:
        codes = codes_to_fit(model, dataset, table, seed)
        known = held_out_densities(codes, components=components_for(codes), seed=seed)
        for kind, value in known.items():
            found[kind]["log_density"] = value
    return found


def _groups(
    model: Any, dataset: PictureDataset, table: CodeTable, n: int, seed: int
) -> dict[str, Float[Tensor, "n c h w"]]:
    """Pictures by where their codes come from."""
    drawn: dict[str, Tensor] = {}
    with torch.inference_mode():
        if getattr(model, "follows_prior", True):
            rows = _asked(dataset, n, seed)
            noise = Stream(seed, "samples of the prior").normal(0, (n, model.draws_of_prior))
            drawn["prior"] = encoder_of(model, dataset, rows).sample(n, noise=noise)
        else:
            codes = codes_to_fit(model, dataset, table, seed)
            drawn |= fitted_pictures(model, dataset, codes, n, seed)
        rows = Stream(seed, "pictures to reconstruct").integers(0, len(dataset), n)
        own = encoder_of(model, dataset, rows)
        drawn["codes"] = own.picture(table.means[rows].to(model.device))
    return drawn


def _judges(dataset: PictureDataset, columns: set[int], seed: int) -> dict[int, Classifier]:
    """Classifiers of some labels; none of a grid of factors, none of which is what is pictured."""
    if not dataset.names or isinstance(dataset, FactorDataset):
        return {}
    return {c: Classifier.fit(dataset, label=c, seed=seed) for c in sorted(columns)}


def _asked(dataset: PictureDataset, n: int, seed: int) -> Int[Tensor, "n"]:
    """Of which pictures the conditions of n samples are."""
    return Stream(seed, "conditions of samples").integers(0, len(dataset), n)


def _right(
    shown: Mapping[int, Int[Tensor, "n"]], dataset: PictureDataset, seed: int
) -> dict[str, float]:
    """The share of pictures that show what was asked for, of each factor, by its column."""
    shares = {}
    for column, values in shown.items():
        asked = dataset.factors(_asked(dataset, len(values), seed))
        assert asked is not None, "a model with conditions is trained on labels"
        known = asked[:, column] >= 0
        right = (values == asked[:, column])[known].double().mean()
        shares[f"right_{dataset.names[column]}"] = float(right)
    return shares
