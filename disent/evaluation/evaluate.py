# SPDX-License-Identifier: Apache-2.0
"""Encodes the grid once, and scores the model and its baselines."""

from contextlib import nullcontext
from typing import Any

import torch
from rich.console import Console

import disent
from disent.codes import CodeTable
from disent.data.base import FactorDataset
from disent.data.subgrid import SubGrid
from disent.evaluation.description import describe
from disent.evaluation.encoded import Encoded, shuffled
from disent.evaluation.limits import rate_and_distortion
from disent.evaluation.options import Options
from disent.evaluation.scores import entries
from disent.evaluation.pca import PixelPCA

BASELINE_POINTS = 50_000  # the baselines' grid is thinned to at most this many points


def evaluate(
    model: Any,
    untrained: Any,
    dataset: FactorDataset,
    options: Options,
    *,
    table: CodeTable | None = None,
    progress: bool = False,
) -> tuple[dict[str, Any], CodeTable]:
    """Encodes the grid once and scores the model, each score beside three baselines.

    The baselines are on a grid thinned to at most 50,000 points. chance: the model's codes, dealt
    to pictures at random; untrained: the same network with its initial weights; pca: probabilistic
    PCA of the pixels with as many components as there are latents.

    Args:
        model: What was trained.
        untrained: The same network with its initial weights.
        dataset: What to encode.
        options: Which scores, on which codes.
        table: The model's codes of those pictures, where they are at hand; None: encodes them.
        progress: Show a bar while encoding, and which score is being computed.
    Returns:
        The record that metrics.json holds, and the codes.
    Raises:
        BoundViolated: A number that theory forbids came out; nothing in the record can be trusted.
    """
    dataset = thinned(dataset, options)
    autocast = torch.bfloat16 if options.precision == "bfloat16" else None
    if table is None:
        table = CodeTable.encode(model, dataset, progress=progress, autocast=autocast)
    own = [
        Encoded.of(table, options.codes, options.seed + r)
        for r in range(options.repeats if options.codes == "sampled" else 1)
    ]
    baselines = _baselines(table, untrained, dataset, options)
    record: dict[str, Any] = {
        "disent": disent.__version__,
        "fingerprint": dataset.fingerprint,
        "points": len(dataset.grid),
        "scores": {},
    }
    status = Console(stderr=True).status("scoring") if progress else nullcontext()
    with status as shown:
        for name, score in options.of_one_run.items():
            if shown is not None:
                shown.update(f"scoring: {name}")
            record["scores"] |= entries(name, score, own, baselines, options)
        record |= describe(table, options.seed)
        record["rate_distortion"] = rate_and_distortion(model, dataset, table, options.seed)
    return record, table


def thinned(dataset: FactorDataset, options: Options) -> FactorDataset:
    """The dataset itself, or its sub-grid of at most as many points as the options ask for."""
    if options.points is None or options.points >= len(dataset.grid):
        return dataset
    return SubGrid.at_most(dataset, options.points)


def _baselines(
    table: CodeTable, untrained: Any, dataset: FactorDataset, options: Options
) -> dict[str, Encoded]:
    """The same codes for chance, an untrained encoder and PCA, on the thinned grid."""
    coarse = SubGrid.at_most(dataset, BASELINE_POINTS)
    rows = coarse.parent_index(torch.arange(len(coarse.grid)))
    thinned = CodeTable(table.means[rows], table.logvars[rows], coarse.grid, coarse.fingerprint)
    autocast = torch.bfloat16 if options.precision == "bfloat16" else None
    tables = {
        "chance": shuffled(thinned, options.seed),
        "untrained": CodeTable.encode(untrained, coarse, autocast=autocast),
        "pca": CodeTable.encode(PixelPCA.fit(coarse, table.means.shape[1]), coarse),
    }
    return {name: Encoded.of(t, options.codes, options.seed) for name, t in tables.items()}
