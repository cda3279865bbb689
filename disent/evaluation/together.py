# SPDX-License-Identifier: Apache-2.0
"""Encodes a dataset with all ranks of a distributed run, each its share."""

from typing import Any

import torch
from torch import Tensor, distributed

from disent.codes import CodeTable, encode_rows
from disent.data.base import PictureDataset
from disent.evaluation.evaluate import thinned
from disent.evaluation.options import Options


def encode_together(model: Any, dataset: PictureDataset, options: Options) -> CodeTable | None:
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
    n = len(dataset)
    rows = torch.arange(n).tensor_split(ranks)[rank]
    part = _part(model, dataset, rows, options)
    # what this rank has to tell: that it broke, and what its posteriors gave
    told = [part is None, part is not None and part.logvars is not None]
    told.append(part is not None and part.rates is not None)
    broke, spread, rated = (bool(count) for count in _sum(torch.tensor(told).float(), model))
    if broke:
        raise ValueError("a code is NaN or infinite on one of the ranks: nothing can be scored.")
    assert part is not None
    means = _gathered(part.means, rows, n, model)
    logvars = _gathered(part.logvars, rows, n, model) if spread else None
    rates = None
    if rated and not spread:
        mine = torch.zeros(model.latent_dim).double() if part.rates is None else part.rates
        rates = _sum(mine * len(rows), model) / n
    return CodeTable.of(dataset, means, logvars, rates)


def _part(model: Any, dataset: PictureDataset, rows: Tensor, options: Options) -> CodeTable | None:
    """This rank's share; None where its encoder breaks."""
    autocast = torch.bfloat16 if options.precision == "bfloat16" else None
    try:
        return encode_rows(model, dataset, rows, autocast=autocast)
    except ValueError:
        return None


def _gathered(part: Tensor | None, rows: Tensor, n: int, model: Any) -> Tensor:
    """The rows of all ranks as one table."""
    table = torch.zeros(n, model.latent_dim)
    if part is not None and len(rows):
        table[rows] = part
    return _sum(table, model)


def _sum(values: Tensor, model: Any) -> Tensor:
    """Over the ranks, on the CPU."""
    values = values.to(model.device)  # NCCL adds on the GPU
    distributed.all_reduce(values)
    return values.cpu()
