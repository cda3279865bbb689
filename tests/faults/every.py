# SPDX-License-Identifier: Apache-2.0
"""Every kind of file that is read from outside, and how often each is tried."""

from collections.abc import Sequence

from tests.faults import of_data, of_models, of_runs, of_sources, of_sweeps
from tests.faults.kinds import Kind

EVERY: tuple[Kind, ...] = (
    *(*of_runs.KINDS, *of_models.KINDS, *of_sweeps.KINDS, *of_sources.KINDS, *of_data.KINDS),
)


def shares(kinds: Sequence[Kind], inputs: int) -> list[tuple[Kind, int]]:
    """How many of so many inputs each kind has: by its share, and one at least."""
    whole = sum(kind.share for kind in kinds)
    return [(kind, max(1, round(inputs * kind.share / whole))) for kind in kinds]
