# SPDX-License-Identifier: Apache-2.0
"""Scores between runs: how alike the codes of models are that differ only in their seed."""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from disent.codes import CodeTable, encode_rows
from disent.data.base import PictureDataset
from disent.evaluation.options import Options
from disent.evaluation.scores import on_samples, stated, suffix
from disent.metrics.base import Score, settings, wants
from disent.runs.build import FILLED, UNSAID
from disent.runs.directory import RunDir
from disent.runs.run import Run

POINTS = 10_000  # pictures whose codes are kept of each run
KINDS = ("trained", "chance", "untrained")
# What of the trainer's settings leaves the trained model as it is; and all that begin with enable_.
HARDWARE = {
    "accelerator",
    "devices",
    "num_nodes",
    "strategy",
    "plugins",
    "logger",
    "log_every_n_steps",
    "callbacks",
    "profiler",
    "default_root_dir",
    "model_registry",
}


@dataclass(frozen=True)
class Kept:
    """What is kept of a run to compare it with others.

    Attributes:
        path: The run's folder.
        alike: The run's settings but for the seed, its step and its pictures; equal for comparable
            runs.
        codes: Float[n, d] of the same pictures for every run; by kind of encoder. None where they
            are to be sampled and cannot be.
        rates: Float64[d], nats per image; by kind of encoder. None where there is no rate.
        points: Pictures of the table that the codes were taken from.
        fingerprint: Of those pictures.
        noise_seed: Of the samples, where codes are sampled.
    """

    path: Path
    alike: str
    codes: Mapping[str, Tensor] | None
    rates: Mapping[str, Tensor] | None
    points: int
    fingerprint: str
    noise_seed: int


def keep(
    path: str | os.PathLike[str],
    table: CodeTable,
    dataset: PictureDataset,
    options: Options,
    step: int,
) -> Kept:
    """Codes of 10,000 pictures drawn by the seed: of the model, shuffled, and as training began.

    `step` is the one that the model of `table` was trained to.
    """
    run = Run.load(path)
    generator = torch.Generator().manual_seed(options.seed)
    rows = torch.randint(len(table), (POINTS,), generator=generator)
    autocast = torch.bfloat16 if options.precision == "bfloat16" else None
    began = encode_rows(run.untrained(), dataset, rows, autocast=autocast)
    seed = int(run.config["seed_everything"])
    # each run has noise of its own: with the same, models would agree on it
    noise_seed = options.seed + 1 + seed
    logvars = None if table.logvars is None else table.logvars[rows]
    own = CodeTable(table.means[rows], logvars, None, rates=table.rates)
    order = torch.randperm(POINTS, generator=generator.manual_seed(seed))
    codes: dict[str, Tensor] | None = None
    if options.codes == "mean" or own.logvars is not None or own.rates is None:
        ended, untrained = (_judged(one, options, noise_seed) for one in (own, began))
        codes = dict(zip(KINDS, (ended, ended[order], untrained), strict=True))
    rates: dict[str, Tensor] | None = None
    if table.rates is not None and began.rates is not None:
        rates = dict(zip(KINDS, (table.rates, table.rates, began.rates), strict=True))
    return Kept(
        path=run.path,
        alike=f"{_settings_but_seed(run.directory)} {step} {table.fingerprint}",
        codes=codes,
        rates=rates,
        points=len(table),
        fingerprint=table.fingerprint,
        noise_seed=noise_seed,
    )


def _judged(table: CodeTable, options: Options, noise_seed: int) -> Tensor:
    """The means of the posteriors, or a sample of each."""
    if options.codes == "mean":
        return table.means
    return table.sample(torch.Generator().manual_seed(noise_seed))


def compare(runs: Sequence[Kept], scores: Mapping[str, Score], options: Options) -> None:
    """Writes the scores of each group of comparable runs into their metrics.json.

    The entry of a run that has no other to be compared with says so, unless an earlier evaluation
    of the same step and pictures had found one.
    """
    groups: dict[str, list[Kept]] = {}
    for run in runs:
        groups.setdefault(run.alike, []).append(run)
    for group in groups.values():
        for name, score in scores.items():
            _write(group, name, score, options)


def _why_not(group: Sequence[Kept], name: str, score: Score) -> str:
    """What the score wants that these runs have not; "" if nothing."""
    if len(group) < 2:
        return (
            "no other run was given whose settings differ in the seed alone, trained to the "
            "same step: name the runs of several seeds in one command."
        )
    if any(run.codes is None for run in group):
        return (
            f"{name} wants `codes_of_runs`: samples of posteriors that are no diagonal Gaussians "
            "are not kept. Take the means: --codes mean."
        )
    if "rates_of_runs" in wants(score) and any(run.rates is None for run in group):
        return (
            f"{name} wants `rates_of_runs`: the rate of each latent, but the codes of these runs "
            "are points, whose rate is infinite. A model with a posterior, such as VAE, has it."
        )
    return ""


def _found(group: Sequence[Kept], score: Score, options: Options) -> dict[str, Tensor]:
    """The score of each run, by kind of encoder."""
    found: dict[str, Tensor] = {}
    for kind in KINDS:
        given = {
            "codes_of_runs": [run.codes[kind] for run in group if run.codes is not None],
            "rates_of_runs": [run.rates[kind] for run in group if run.rates is not None],
        }
        seeded = {"seed": options.seed} if "seed" in settings(score) else {}
        value = score(*(torch.stack(given[want]) for want in wants(score)), **seeded)
        assert isinstance(value, Tensor)
        found[kind] = value
    return found


def _write(group: Sequence[Kept], name: str, score: Score, options: Options) -> None:
    reason = _why_not(group, name, score)
    found = {} if reason else _found(group, score, options)
    for i, run in enumerate(group):
        folder, key = RunDir(run.path), name + suffix(score, options)
        record = folder.read_scores()
        if not found and record["scores"].get(key, {}).get("value") is not None:
            continue
        entry = stated(score, run.points, run.fingerprint, options)
        if on_samples(score, options):
            entry["noise_seed"] = run.noise_seed
        entry["runs"] = [str(other.path) for other in group]
        for kind in KINDS:
            entry["value" if kind == "trained" else kind] = float(found[kind][i]) if found else None
        if reason:
            entry["reason"] = reason
        record["scores"][key] = entry
        folder.write_scores(record)


def _settings_but_seed(run: RunDir) -> str:
    config = run.read_config()
    # what runs of older versions do not say, or follows from seed and data
    unsaid = {name.removeprefix("model."): value for name, value in UNSAID.items()}
    arguments = {**unsaid, **config["model"]["init_args"], **dict.fromkeys(FILLED)}
    model = {**config["model"], "init_args": arguments}
    trainer = {
        key: value
        for key, value in (config.get("trainer") or {}).items()
        if key not in HARDWARE and not key.startswith("enable_")
    }
    kept = {key: config.get(key) for key in ("data", "loader")}
    kept |= {"model": model, "trainer": trainer}
    return json.dumps(kept, sort_keys=True, default=str)
