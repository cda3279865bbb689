# SPDX-License-Identifier: Apache-2.0
"""Pictures that a run was never trained on, beside those that it was: does the model carry over?"""

import os
from typing import Any

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from disent.codes import CodeTable, encode_rows
from disent.data.base import PictureDataset
from disent.data.splits import held_out_pictures
from disent.data.subgrid import SubGrid, Subset
from disent.evaluation.encoded import labelled_rows
from disent.evaluation.evaluate import thinned
from disent.evaluation.likelihood import likelihood_of
from disent.evaluation.limits import PICTURES, distortions_of
from disent.evaluation.options import Options
from disent.metrics.transfer import prediction_errors
from disent.runs.directory import RunDir


def held_out_terms(
    path: str | os.PathLike[str],
    model: Any,
    dataset: PictureDataset,
    table: CodeTable,
    options: Options,
    *,
    progress: bool = False,
) -> dict[str, Any] | None:
    """Rate and distortion of trained and of unseen pictures, and how far factors are misread.

    Args:
        path: The run, whose config says which pictures were held out.
        model: Its model.
        dataset: Its pictures.
        table: The codes of those that the options ask for.
        options: With the seed of the pictures and the noise drawn.
        progress: Show a bar over a log-likelihood.
    Returns:
        `condition`; `trained` and `unseen`, each with pictures, rate, distortion (nats per image)
        and its standard error, None where the model has none, and with `log_likelihood` of some of
        them and its error where that score is asked for; `factors`, with the error of a linear
        reading of each factor that is fitted on trained pictures, in steps of the factor. None for
        a run that held out nothing, or of whose two sides one has no picture here.
    """
    config = RunDir(path).read_config()
    condition = (config.get("loader") or {}).get("held_out")
    if condition is None:
        return None
    unseen, judged = held_out_pictures(dataset, condition), thinned(dataset, options)
    if isinstance(judged, SubGrid | Subset) and judged is not dataset:
        unseen = unseen[judged.parent_index(torch.arange(len(judged)))]
    if unseen.all() or not unseen.any():
        return None
    sides = {"trained": ~unseen, "unseen": unseen}
    terms = {name: _terms(model, judged, table, rows, options.seed) for name, rows in sides.items()}
    if "log_likelihood" in options.metrics:
        for name, rows in sides.items():
            index = rows.nonzero().flatten()
            terms[name] |= likelihood_of(model, judged, index, options, progress=progress)
    return {
        "condition": condition,
        **terms,
        "factors": _errors(table, unseen),
    }


def _errors(table: CodeTable, unseen: Bool[Tensor, "n"]) -> dict[str, dict[str, float]]:
    """By factor; none where one of the two sides has no picture whose labels are all there."""
    rows = labelled_rows(table)
    if rows is None or table.factors is None or len(unseen[rows].unique()) < 2:
        return {}
    errors = prediction_errors(table.means[rows], table.factors[rows], fitted_on=~unseen[rows])
    return {
        name: {"trained": float(errors.fitted[k]), "unseen": float(errors.others[k])}
        for k, name in enumerate(table.names)
    }


def _terms(
    model: Any, dataset: PictureDataset, table: CodeTable, rows: Bool[Tensor, "n"], seed: int
) -> dict[str, float | None]:
    """The rate of all of these pictures, and the distortion of some of them."""
    index = rows.nonzero().flatten()
    generator = torch.Generator().manual_seed(seed)
    drawn = index[torch.randint(len(index), (PICTURES,), generator=generator)]
    noise = torch.randn(PICTURES, table.means.shape[1], generator=generator)
    found = distortions_of(model, dataset, table, drawn, noise)
    distortion = None if found is None else found.double()
    return {
        "pictures": len(index),
        "rate": _rate(model, dataset, table, index),
        "distortion": None if distortion is None else float(distortion.mean()),
        "distortion_error": None if distortion is None else float(distortion.std() / PICTURES**0.5),
    }


def _rate(
    model: Any, dataset: PictureDataset, table: CodeTable, index: Int[Tensor, "m"]
) -> float | None:
    """Mean rate of some pictures, nats per image; encoded anew where the table has only all's."""
    if table.rates is None:
        return None
    if table.logvars is None:
        rates: Float[Tensor, "d"] | None = encode_rows(model, dataset, index).rates
        return None if rates is None else float(rates.sum())
    means, logvars = table.means[index].double(), table.logvars[index].double()
    return float(0.5 * (means.square() + logvars.exp() - 1 - logvars).sum(1).mean())
