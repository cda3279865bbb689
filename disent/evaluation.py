# SPDX-License-Identifier: Apache-2.0
"""Scores a model over a dataset's grid, each score beside its baselines and with its settings."""

import os
from collections.abc import Sequence
from typing import Any, Literal

import torch
from torch import Tensor

import disent
import disent.metrics
from disent.codes import CodeTable
from disent.data.base import FactorDataset
from disent.data.load import load_dataset
from disent.data.subgrid import SubGrid
from disent.gaussian import ACTIVE, DiagonalGaussian
from disent.grid import FactorGrid
from disent.metrics.base import Score, settings, wants
from disent.metrics.information import factor_entropy, mutual_information
from disent.metrics.linear import linear_r2, single_r2
from disent.models.load import load_run, load_step, load_untrained
from disent.runs.directory import RunDir

Precision = Literal["float32", "bfloat16"]
BASELINE_POINTS = 50_000  # the untrained encoder's grid is thinned to at most this many points


def find_scores(names: Sequence[str]) -> dict[str, Score]:
    """The scores of disent.metrics by name; raises ValueError naming those that exist."""
    unknown = sorted(set(names) - set(disent.metrics.__all__))
    if unknown or not names:
        raise ValueError(
            f"there is no metric {', '.join(unknown) or '(an empty list came)'}. "
            f"The metrics are: {', '.join(disent.metrics.__all__)}."
        )
    return {name: getattr(disent.metrics, name) for name in names}


def evaluate(
    model: Any,
    untrained: Any,
    dataset: FactorDataset,
    metrics: Sequence[str],
    *,
    seed: int = 0,
    points: int | None = None,
    precision: Precision = "float32",
    progress: bool = False,
) -> tuple[dict[str, Any], CodeTable]:
    """Encodes the grid once and scores the posterior means.

    Args:
        model: What was trained.
        untrained: The same network with its initial weights: a baseline for each score, on a grid
            thinned to at most 50,000 points.
        dataset: What to encode.
        metrics: Names in disent.metrics.__all__.
        seed: Of the scores that draw, and of the shuffle that gives the chance baseline.
        points: Thin the grid to at most so many points; None: the whole grid.
        precision: Of the encoder's arithmetic; bfloat16 is faster where the processor has it, and
            moves codes by about 1 %.
        progress: Show a bar.
    Returns:
        The record that metrics.json holds, and the codes.
    """
    scores = find_scores(metrics)
    if points is not None and points < len(dataset.grid):
        dataset = SubGrid.at_most(dataset, points)
    coarse = SubGrid.at_most(dataset, BASELINE_POINTS)
    autocast = torch.bfloat16 if precision == "bfloat16" else None
    table = CodeTable.encode(model, dataset, progress=progress, autocast=autocast)
    baseline = CodeTable.encode(untrained, coarse, progress=progress, autocast=autocast)
    generator = torch.Generator().manual_seed(seed)
    shuffled = table.means[torch.randperm(len(table.means), generator=generator)]
    record: dict[str, Any] = {
        "disent": disent.__version__,
        "fingerprint": dataset.fingerprint,
        "points": len(dataset.grid),
        "scores": {},
    }
    for name, score in scores.items():
        record["scores"][name] = {
            "value": _score(score, table.means, table.grid, seed),
            "chance": _score(score, shuffled, table.grid, seed),
            "untrained": _score(score, baseline.means, baseline.grid, seed),
            "variant": f"{score.__module__}.{score.__name__}",
            "codes": f"posterior means, {precision}",
            "settings": settings(score) | {"seed": seed},
            "seed": seed,
            "points": len(table.grid),
            "fingerprint": dataset.fingerprint,
            "untrained_points": len(baseline.grid),
            "untrained_fingerprint": coarse.fingerprint,
        }
    record |= _describe(table)
    return record, table


def evaluate_run(
    path: str | os.PathLike[str],
    metrics: Sequence[str],
    *,
    seed: int = 0,
    points: int | None = None,
    precision: Precision = "float32",
    best: bool = False,
    device: str = "cpu",
) -> tuple[dict[str, Any], CodeTable]:
    """Scores a trained run and writes its metrics.json, beside scores that it already holds.

    Earlier scores stay if they are of the same step and the same pictures.
    """
    run = RunDir(path)
    model = load_run(path, best=best).to(device)
    untrained = load_untrained(path).to(device)
    step = load_step(path, best=best)
    record, table = evaluate(
        model,
        untrained,
        load_dataset(path),
        metrics,
        seed=seed,
        points=points,
        precision=precision,
        progress=True,
    )
    record = {"step": step, **record}
    before = run.read_scores()
    if all(before.get(key) == record[key] for key in ("step", "fingerprint", "points")):
        record["scores"] = before["scores"] | record["scores"]
    run.write_scores(record)
    return record, table


def _score(score: Score, codes: Tensor, grid: FactorGrid, seed: int) -> float:
    if "grid" in wants(score):
        return float(score(codes, grid, seed=seed))
    return float(score(codes, grid.all_factors()))


def _describe(table: CodeTable) -> dict[str, Any]:
    """What the code holds: rate of each latent, and how each factor can be read from it."""
    factors = table.grid.all_factors()
    rate = DiagonalGaussian(table.means, table.logvars).kl().double().mean(0)
    information = mutual_information(table.means, factors)
    entropy = factor_entropy(factors).clamp(min=1e-12)[:, None]
    normalised, single, whole = (
        information / entropy,
        single_r2(table.means, factors),
        linear_r2(table.means, factors),
    )
    return {
        "rate": float(rate.sum()),
        "rates": rate.tolist(),
        "active_latents": int((rate > ACTIVE).sum()),
        "factors": {
            name: {
                "linear_r2": float(whole[k]),
                "single_r2": float(single[k].max()),
                "single_r2_latent": int(single[k].argmax()),
                "information": float(normalised[k].max()),
                "information_latent": int(normalised[k].argmax()),
            }
            for k, name in enumerate(table.grid.names)
        },
    }


def flat_scores(record: dict[str, Any]) -> dict[str, float]:
    """{"mig": 0.1, "mig.chance": 0.0, "mig.untrained": 0.0, ...} of an evaluation's record."""
    return {
        name if part == "value" else f"{name}.{part}": score[part]
        for name, score in record["scores"].items()
        for part in ("value", "chance", "untrained")
    }
