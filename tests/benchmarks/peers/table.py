# SPDX-License-Identifier: Apache-2.0
"""The comparison as one table and a few sentences, those about where a peer is ahead included."""

import statistics
from collections.abc import Sequence

from rich.table import Table

from tests.benchmarks.peers.ratios import (
    LOSS,
    SCORES,
    TRAINING,
    Measure,
    Round,
    paired,
    spread,
    values,
)

SPEED = TRAINING[0]


def table(rounds: Sequence[Round], ours: Sequence[str], others: Sequence[str], title: str) -> Table:
    """A row per measure, a column per program; under another's figure, ours in ratio to it."""
    made = Table("measure", *ours, *others, title=title, show_lines=True)
    scored = [measure for measure in SCORES if values(rounds, ours[0], measure.key)]
    for measure in (*TRAINING, *scored, LOSS):
        own = [spread(values(rounds, name, measure.key), measure.form) for name in ours]
        made.add_row(measure.name, *own, *(_cell(rounds, ours, o, measure) for o in others))
    return made


def _cell(rounds: Sequence[Round], ours: Sequence[str], other: str, measure: Measure) -> str:
    lines = [spread(values(rounds, other, measure.key), measure.form)]
    for name in ours if measure is not LOSS else ():
        if ratios := paired(rounds, name, other, measure):
            lines.append(f"{name}: {spread(ratios, '.2f')}x")
    return "\n".join(lines)


def verdicts(
    rounds: Sequence[Round], ours: Sequence[str], peers: Sequence[str], bare: str
) -> list[str]:
    """What the ratios say: speed beside the faster peer and the bare loop, and who is ahead."""
    said = []
    for name in ours:
        beside = {peer: paired(rounds, name, peer, SPEED) for peer in peers}
        if ratios := [statistics.median(r) for r in beside.values() if r]:
            said.append(f"{name}: {min(ratios):.2f} times the steps/s of the faster peer (goal: 3)")
        if ratios := paired(rounds, name, bare, SPEED):
            said.append(
                f"{name}: {statistics.median(ratios):.2f} of the steps/s of the bare compiled "
                "loop (goal: 0.90)"
            )
        for peer in peers:
            for measure in (*TRAINING, *SCORES):
                ratios = paired(rounds, name, peer, measure)
                if ratios and statistics.median(ratios) < 1:
                    behind = 1 / statistics.median(ratios)
                    said.append(f"{peer} is ahead of {name}, {measure.name}: {behind:.2f} times")
    return said
