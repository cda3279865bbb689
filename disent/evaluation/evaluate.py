# SPDX-License-Identifier: Apache-2.0
"""Encodes every picture once, and scores the model and its baselines."""

from contextlib import nullcontext
from typing import Any

import torch
from rich.console import Console

import disent
from disent.codes import CodeTable
from disent.data.base import PictureDataset
from disent.data.subgrid import thin
from disent.evaluation.description import describe
from disent.evaluation.drawn import judge_drawn
from disent.evaluation.encoded import Encoded, labelled_rows, shuffled
from disent.evaluation.likelihood import likelihood_entries
from disent.evaluation.limits import rate_and_distortion
from disent.evaluation.options import Options
from disent.evaluation.scores import entries
from disent.evaluation.shared import Shared
from disent.metrics.base import wants
from disent.metrics.bounds import check_log_likelihood

BASELINE_POINTS = 50_000  # baselines are of at most so many pictures, evenly spread


def evaluate(
    model: Any,
    untrained: Any,
    dataset: PictureDataset,
    options: Options,
    *,
    table: CodeTable | None = None,
    progress: bool = False,
    shared: Shared | None = None,
) -> tuple[dict[str, Any], CodeTable]:
    """Encodes every picture once and scores the model, each score beside three baselines.

    The baselines are of at most 50,000 pictures, evenly spread. chance: the model's codes, dealt to
    pictures at random; untrained: the same network with its initial weights; pca: probabilistic
    PCA of the pixels with as many components as there are latents. A score that wants what is not
    there (a grid, labels, variances) has the value None, and its entry says why.

    Args:
        model: What was trained.
        untrained: The same network with its initial weights.
        dataset: What to encode.
        options: Which scores, on which codes.
        table: The model's codes of those pictures, where they are at hand; None: encodes them.
        progress: Show a bar while encoding, and which score is being computed.
        shared: What earlier evaluations made of the same pictures, to be used again and added to.
    Returns:
        The record that metrics.json holds, and the codes.
    Raises:
        BoundViolated: A number that theory forbids came out; nothing in the record can be trusted.
    """
    dataset, shared = thinned(dataset, options), shared or Shared()
    autocast = torch.bfloat16 if options.precision == "bfloat16" else None
    if table is None:
        table = CodeTable.encode(model, dataset, progress=progress, autocast=autocast)
    own = [
        Encoded.of(table, options.codes, options.seed + r)
        for r in range(options.repeats if options.codes == "sampled" else 1)
    ]
    baselines = _baselines(table, untrained, dataset, options, shared)
    record: dict[str, Any] = {
        "disent": disent.__version__,
        "fingerprint": dataset.fingerprint,
        "points": len(table),
        "scores": {},
    }
    if table.grid is None:
        rows = labelled_rows(table)
        record["labelled"] = 0 if rows is None else len(rows)
    status = Console(stderr=True).status("scoring") if progress else nullcontext()
    with status as shown:
        for name, score in options.of_one_run.items():
            if "log_weights" in wants(score):  # codes are not enough for it
                continue
            if shown is not None:
                shown.update(f"scoring: {name}")
            record["scores"] |= entries(name, score, own, baselines, options)
        record |= describe(table, options.seed)
        record["rate_distortion"] = rate_and_distortion(
            model, dataset, table, options.seed, census=shared.census
        )
    _judge_decoder(record, model, untrained, dataset, table, options, progress=progress)
    return record, table


def _judge_decoder(
    record: dict[str, Any],
    model: Any,
    untrained: Any,
    dataset: PictureDataset,
    table: CodeTable,
    options: Options,
    *,
    progress: bool,
) -> None:
    """Adds to a record what codes are not enough for, where it is asked for."""
    if "log_likelihood" in options.of_one_run:
        found = likelihood_entries(model, untrained, dataset, options, progress=progress)
        _check(found, record["rate_distortion"].get("entropy"))
        record["scores"] |= found
    if options.drawn:
        record["drawn"] = judge_drawn(
            model, dataset, table, options.drawn, options.seed, progress=progress
        )


def thinned(dataset: PictureDataset, options: Options) -> PictureDataset:
    """The dataset itself, or at most as many of its pictures as the options ask for."""
    if options.points is None or options.points >= len(dataset):
        return dataset
    return thin(dataset, options.points)


def _check(found: dict[str, dict[str, Any]], entropy: float | None) -> None:
    """Whether the entropy of the pictures allows their log-likelihood."""
    for entry in found.values():
        if entropy is not None and entry["value"] is not None:
            check_log_likelihood(entry["value"], entropy, entry["error"])


def _baselines(
    table: CodeTable,
    untrained: Any,
    dataset: PictureDataset,
    options: Options,
    shared: Shared,
) -> dict[str, Encoded]:
    """Chance with the model's codes, an untrained encoder and PCA, on fewer pictures."""
    coarse = thin(dataset, BASELINE_POINTS)
    rows = coarse.parent_index(torch.arange(len(coarse)))
    logvars = None if table.logvars is None else table.logvars[rows]
    # without variances, rates say whether codes are points: they are those of all pictures
    rates = table.rates if logvars is None else None
    thinned = CodeTable.of(coarse, table.means[rows], logvars, rates)
    components = min(table.means.shape[1], coarse.channels * coarse.size[0] * coarse.size[1])
    autocast = torch.bfloat16 if options.precision == "bfloat16" else None
    tables = {
        "chance": shuffled(thinned, options.seed),
        "untrained": CodeTable.encode(untrained, coarse, autocast=autocast),
        "pca": shared.pca(coarse, components),
    }
    return {name: Encoded.of(t, options.codes, options.seed) for name, t in tables.items()}
