# SPDX-License-Identifier: Apache-2.0
"""Pictures that a run was never trained on, beside those that it was: does the model carry over?"""

import os
from typing import Any

import torch
from jaxtyping import Bool
from torch import Tensor

from disent.codes import CodeTable
from disent.data.base import FactorDataset
from disent.data.splits import held_out
from disent.metrics.transfer import prediction_errors
from disent.models.vae import VAE
from disent.runs.directory import RunDir

PICTURES, BATCH = 4096, 256  # of each side, decoded; how many at once


def held_out_terms(
    path: str | os.PathLike[str], model: Any, dataset: FactorDataset, table: CodeTable, seed: int
) -> dict[str, Any] | None:
    """Rate and distortion of trained and of unseen pictures, and how far factors are misread.

    Args:
        path: The run, whose config says which pictures were held out.
        model: Its model.
        dataset: Its pictures.
        table: Their codes.
        seed: Of the pictures and the noise drawn.
    Returns:
        `condition`; `trained` and `unseen`, each with pictures, rate, distortion (nats per image)
        and its standard error; `factors`, with the error of a linear reading of each factor that is
        fitted on trained pictures, in steps of the factor. None for a run that held out nothing,
        or whose model only encodes.
    """
    config = RunDir(path).read_config()
    condition = (config.get("loader") or {}).get("held_out")
    if condition is None or not isinstance(model, VAE):
        return None
    unseen = held_out(table.grid, condition)
    errors = prediction_errors(table.means, table.factors, fitted_on=~unseen)
    names = table.grid.names
    return {
        "condition": condition,
        "trained": _terms(model, dataset, table, ~unseen, seed),
        "unseen": _terms(model, dataset, table, unseen, seed),
        "factors": {
            name: {"trained": float(errors.fitted[k]), "unseen": float(errors.others[k])}
            for k, name in enumerate(names)
        },
    }


def _terms(
    model: VAE, dataset: FactorDataset, table: CodeTable, rows: Bool[Tensor, "n"], seed: int
) -> dict[str, float]:
    """The rate of all of these pictures, and the distortion of some of them."""
    index = rows.nonzero().flatten()
    generator = torch.Generator().manual_seed(seed)
    drawn = index[torch.randint(len(index), (PICTURES,), generator=generator)]
    noise = torch.randn(PICTURES, table.means.shape[1], generator=generator)
    parts = []
    with torch.inference_mode():
        for some, draw in zip(drawn.split(BATCH), noise.split(BATCH), strict=True):
            z = table.means[some] + (0.5 * table.logvars[some]).exp() * draw
            x = dataset.batch(some.to(model.device))
            parts.append(-model.likelihood.log_prob(x, model.decode(z.to(model.device)).float()))
    distortion = torch.cat(parts).double().cpu()
    means, logvars = table.means[index].double(), table.logvars[index].double()
    rate = 0.5 * (means.square() + logvars.exp() - 1 - logvars).sum(1).mean()
    return {
        "pictures": len(index),
        "rate": float(rate),
        "distortion": float(distortion.mean()),
        "distortion_error": float(distortion.std() / PICTURES**0.5),
    }
