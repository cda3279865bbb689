# SPDX-License-Identifier: Apache-2.0
"""Encodes a grid with all ranks of a distributed run, each its share."""

from typing import Any

import torch
from torch import distributed

from disent.codes import CodeTable, encode_rows
from disent.data.base import FactorDataset
from disent.evaluation.evaluate import thinned
from disent.evaluation.options import Options


def encode_together(model: Any, dataset: FactorDataset, options: Options) -> CodeTable | None:
    """The codes that `evaluate` wants, the same on every rank; None in a run of one process.

    All ranks must call it. A rank whose encoder breaks says so to the others, and all raise.

    Raises:
        ValueError: A code is NaN or infinite on some rank.
    """
    if not (distributed.is_available() and distributed.is_initialized()):
        return None
    ranks, rank = distributed.get_world_size(), distributed.get_rank()
    if ranks == 1:
        return None
    dataset = thinned(dataset, options)
    rows = torch.arange(len(dataset.grid)).tensor_split(ranks)[rank]
    table = torch.zeros(2, len(dataset.grid), model.latent_dim)
    try:
        autocast = torch.bfloat16 if options.precision == "bfloat16" else None
        table[:, rows] = torch.stack(encode_rows(model, dataset, rows, autocast=autocast))
    except ValueError:
        table[:] = torch.nan
    table = table.to(model.device)  # NCCL adds on the GPU
    distributed.all_reduce(table)
    means, logvars = table.cpu()
    if not table.isfinite().all():
        raise ValueError("a code is NaN or infinite on one of the ranks: nothing can be scored.")
    return CodeTable(means, logvars, dataset.grid, dataset.fingerprint)
