# SPDX-License-Identifier: Apache-2.0
"""Scores between runs: how alike the codes of models are that differ only in their seed."""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
import yaml
from torch import Tensor

from disent.codes import CodeTable
from disent.data.base import FactorDataset
from disent.evaluation.encoded import Encoded, rates
from disent.evaluation.options import Options
from disent.evaluation.scores import on_samples, stated
from disent.metrics.base import Score, settings
from disent.models.load import load_untrained
from disent.runs.directory import RunDir

POINTS = 10_000  # pictures whose codes are kept of each run
KINDS = ("trained", "chance", "untrained")


@dataclass(frozen=True)
class Kept:
    """What is kept of a run to compare it with others.

    Attributes:
        path: The run's folder.
        alike: The run's settings but for the seed, and its pictures; equal for comparable runs.
        codes: Float[n, d] of the same pictures for every run; by kind of encoder.
        rates: Float64[d], nats per image; by kind of encoder.
        points: Pictures of the table that the codes were taken from.
        fingerprint: Of those pictures.
    """

    path: Path
    alike: str
    codes: Mapping[str, Tensor]
    rates: Mapping[str, Tensor]
    points: int
    fingerprint: str


def keep(
    path: str | os.PathLike[str], table: CodeTable, dataset: FactorDataset, options: Options
) -> Kept:
    """Codes of 10,000 pictures drawn by the seed: of the model, shuffled, and as training began."""
    run = RunDir(path)
    generator = torch.Generator().manual_seed(options.seed)
    rows = torch.randint(len(table.grid), (POINTS,), generator=generator)
    own = Encoded.of(table, options.codes, options.seed).codes[rows]
    untrained, began = load_untrained(path), []
    with torch.inference_mode():
        for index in rows.split(256):
            began.append(untrained.encode(dataset.batch(index)))
    means = torch.cat([q.mean for q in began])
    seed = int(yaml.safe_load(run.config.read_text(encoding="utf-8"))["seed_everything"])
    order = torch.randperm(POINTS, generator=generator.manual_seed(seed))
    rate = rates(table)
    began_rate = torch.cat([q.kl() for q in began]).double().mean(0)
    return Kept(
        path=run.path,
        alike=_settings_but_seed(run) + table.fingerprint,
        codes=dict(zip(KINDS, (own, own[order], means), strict=True)),
        rates=dict(zip(KINDS, (rate, rate, began_rate), strict=True)),
        points=len(table.grid),
        fingerprint=table.fingerprint,
    )


def compare(runs: Sequence[Kept], scores: Mapping[str, Score], options: Options) -> None:
    """Writes the scores of each group of comparable runs into their metrics.json.

    The entry of a run that has no other to be compared with says so.
    """
    groups: dict[str, list[Kept]] = {}
    for run in runs:
        groups.setdefault(run.alike, []).append(run)
    for group in groups.values():
        for name, score in scores.items():
            _write(group, name, score, options)


def _write(group: Sequence[Kept], name: str, score: Score, options: Options) -> None:
    found: dict[str, Tensor] = {}
    if len(group) > 1:
        for kind in KINDS:
            codes = torch.stack([run.codes[kind] for run in group])
            rate = torch.stack([run.rates[kind] for run in group])
            seeded = {"seed": options.seed} if "seed" in settings(score) else {}
            value = score(codes, rate, **seeded)
            assert isinstance(value, Tensor)
            found[kind] = value
    for i, run in enumerate(group):
        folder, entry = RunDir(run.path), stated(score, run.points, run.fingerprint, options)
        entry["runs"] = [str(other.path) for other in group]
        for kind in KINDS:
            entry["value" if kind == "trained" else kind] = float(found[kind][i]) if found else None
        if not found:
            entry["reason"] = (
                "no other run was given whose settings differ in the seed alone: name the runs of "
                "several seeds in one command."
            )
        record = folder.read_scores()
        suffix = ".sampled" if on_samples(score, options) else ""
        record["scores"][name + suffix] = entry
        folder.write_scores(record)


def _settings_but_seed(run: RunDir) -> str:
    config = yaml.safe_load(run.config.read_text(encoding="utf-8"))
    model = dict(config["model"], init_args={**config["model"]["init_args"], "seed": None})
    kept = {key: config.get(key) for key in ("data", "loader")} | {"model": model}
    return json.dumps(kept, sort_keys=True)
