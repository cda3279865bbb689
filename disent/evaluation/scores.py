# SPDX-License-Identifier: Apache-2.0
"""The entries of an evaluation: each score with its spread, baselines and all it depends on."""

import math
import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from torch.linalg import LinAlgError  # type: ignore[attr-defined]

from disent.evaluation.encoded import PROTOCOL_POINTS, Encoded
from disent.evaluation.options import Options
from disent.metrics.base import Score, settings, wants

BASELINES = ("chance", "untrained", "pca")
NO_SCORE = (ValueError, LinAlgError)  # what a score raises for codes that it does not exist for


def entries(
    name: str,
    score: Score,
    own: Sequence[Encoded],
    baselines: Mapping[str, Encoded],
    options: Options,
) -> dict[str, dict[str, Any]]:
    """The entry of each number that one score gives.

    Args:
        name: Of the score.
        score: A member of disent.metrics that judges one model.
        own: The model's codes; one element, or one for each repeat where codes are sampled.
        baselines: Encoders to compare with, by name.
        options: Seed and repeats.
    """
    drawn = "seed" in settings(score) or on_samples(score, options)
    seeds = [options.seed + r for r in range(options.repeats)]
    mine = [own[r % len(own)] for r in range(options.repeats)]
    pairs = list(zip(mine, seeds, strict=True))
    try:
        values = [c.score(name, score, seed) for c, seed in (pairs if drawn else pairs[:1])]
    except NO_SCORE as error:
        entry = _of(score, own[0], options, 1) | {"value": None, "reason": str(error)}
        return {name + suffix(score, options): entry}
    estimates = _estimates(name, score, pairs)
    beside = _beside(name, score, baselines, options.seed)
    found = {}
    for number in values[0]:
        entry = _summary([value[number] for value in values])
        if estimates:
            protocol = _summary([estimate[number] for estimate in estimates])
            entry["protocol"] = {**protocol, "points": PROTOCOL_POINTS}
        entry |= {label: beside.get(label, {}).get(number) for label in baselines}
        entry |= _of(score, own[0], options, len(values))
        coarse = next(iter(baselines.values()))
        entry["baseline_points"] = coarse.points(score)
        entry["baseline_fingerprint"] = coarse.table.fingerprint
        found[number + suffix(score, options)] = entry
    return found


def on_samples(score: Score, options: Options) -> bool:
    """Whether the score is of sampled codes; those that take the posterior itself never are."""
    return options.codes == "sampled" and bool({"codes", "codes_of_runs"} & set(wants(score)))


def suffix(score: Score, options: Options) -> str:
    """What is added to the name of a score's numbers: those of samples stand beside the means'."""
    return ".sampled" if on_samples(score, options) else ""


def without(
    scores: Mapping[str, Any], again: Mapping[str, Score], options: Options
) -> dict[str, Any]:
    """The entries of earlier scores but for those of `again`, which are evaluated anew.

    A score of several numbers has one entry where it failed and others where it did not: what
    remained of the earlier time would stand beside its opposite.
    """
    kept = {}
    for key, entry in scores.items():
        stem = key.removesuffix(".sampled")
        name = stem.split(".")[0]
        if name not in again or key != stem + suffix(again[name], options):
            kept[key] = entry
    return kept


def _estimates(
    name: str, score: Score, pairs: Sequence[tuple[Encoded, int]]
) -> list[dict[str, float]]:
    """What the field's protocol would estimate, by draw; none for a score that draws by itself."""
    if "codes" not in wants(score) or "seed" in settings(score):
        return []
    try:
        return [codes.estimate(name, score, seed) for codes, seed in pairs]
    except NO_SCORE:
        return []


def _beside(
    name: str, score: Score, baselines: Mapping[str, Encoded], seed: int
) -> dict[str, dict[str, float]]:
    """The numbers of each baseline, by its label."""
    return {
        label: _or_none(codes, name, score, seed)
        for label, codes in baselines.items()
        # dealing codes to other pictures changes nothing for a score that knows no labels
        if label != "chance" or {"factors", "grid"} & set(wants(score))
    }


def _or_none(codes: Encoded, name: str, score: Score, seed: int) -> dict[str, float]:
    """A baseline's numbers; none where the score does not exist for its codes."""
    try:
        return codes.score(name, score, seed)
    except NO_SCORE:
        return {}


def _summary(values: Sequence[float]) -> dict[str, Any]:
    measurable = len(values) > 1 and all(map(math.isfinite, values))
    spread = statistics.stdev(values) if measurable else None
    return {"value": statistics.fmean(values), "spread": spread}


def _of(score: Score, own: Encoded, options: Options, repeats: int) -> dict[str, Any]:
    return {
        **stated(score, own.points(score), own.table.fingerprint, options),
        "repeats": repeats,
    }


def stated(score: Score, points: int, fingerprint: str, options: Options) -> dict[str, Any]:
    """What a number depends on, and who reads it must know."""
    kind = "samples" if on_samples(score, options) else "means"
    if "means" in wants(score) and "logvars" in wants(score):
        kind = "distributions"
    return {
        "variant": f"{score.__module__}.{score.__name__}",
        "codes": f"posterior {kind}, {options.precision}",
        "settings": settings(score) | {"seed": options.seed},
        "seed": options.seed,
        "points": points,
        "fingerprint": fingerprint,
    }


def flat_scores(record: Mapping[str, Any]) -> dict[str, float]:
    """{"mig": 0.1, "mig.chance": 0.0, ...} of an evaluation's record; nan for what is missing."""
    return {
        name if part == "value" else f"{name}.{part}": float("nan")
        if score.get(part) is None
        else score[part]
        for name, score in record["scores"].items()
        for part in ("value", *BASELINES)
    }
