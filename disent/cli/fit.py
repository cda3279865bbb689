# SPDX-License-Identifier: Apache-2.0
"""disent fit: trains one model into one run directory, or goes on where it was interrupted."""

from collections.abc import Sequence

from disent.stops import StopRequest


def run(argv: Sequence[str], stop: StopRequest) -> int:
    """Trains; the exit status."""
    from disent.training.start import fit

    fit(argv, stop)
    return 0
