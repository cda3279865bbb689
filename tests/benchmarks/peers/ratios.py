# SPDX-License-Identifier: Apache-2.0
"""Medians, and ratios of pairs: how many times better one program is than another in one round."""

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from tests.benchmarks.peers.programs import Figures

Round = dict[str, Figures]  # by program


@dataclass(frozen=True)
class Measure:
    """One row of the table: a figure's key, its name, how it is written, and what is better."""

    key: str
    name: str
    form: str = ",.1f"
    more_is_better: bool = False


TRAINING = (
    Measure("steps_per_s", "training, steps/s", more_is_better=True),
    Measure("first_step_s", "process start to first step, s"),
    Measure("peak_mb", "peak memory without mapped pictures, MB", ",.0f"),
)
SCORES = (
    Measure("mig", "MIG, s"),
    Measure("mig_10k", "MIG of 10,000 pictures, s"),
    Measure("dci", "DCI, s"),
    Measure("factor_vae", "FactorVAE score, s"),
    Measure("all", "all three, s"),
)
LOSS = Measure("loss", "loss of the last steps, nats")


def values(rounds: Sequence[Round], program: str, key: str) -> list[float]:
    """What the program measured in the rounds it took part in."""
    return [r[program][key] for r in rounds if key in r.get(program, {})]


def paired(rounds: Sequence[Round], ours: str, other: str, measure: Measure) -> list[float]:
    """For each round with both: how many times better ours is than the other; 1 is as good.

    Example:
        >>> rounds = [{"a": {"mig": 2.0}, "b": {"mig": 6.0}}, {"a": {"mig": 1.0}}]
        >>> paired(rounds, "a", "b", Measure("mig", "MIG, s"))
        [3.0]
    """
    ratios = []
    for each in rounds:
        if measure.key in each.get(ours, {}) and measure.key in each.get(other, {}):
            ratio = each[ours][measure.key] / each[other][measure.key]
            ratios.append(ratio if measure.more_is_better else 1 / ratio)
    return ratios


def spread(numbers: Sequence[float], form: str) -> str:
    """Median, and in brackets the smallest and the largest; a dash where there is none."""
    known = [number for number in numbers if not math.isnan(number)]
    if not known:
        return "none"
    middle = format(statistics.median(known), form)
    if len(known) == 1:
        return middle
    return f"{middle} ({min(known):{form}} to {max(known):{form}})"
