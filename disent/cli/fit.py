# SPDX-License-Identifier: Apache-2.0
"""disent fit: trains one model into one run directory, or goes on where it was interrupted."""

from collections.abc import Sequence

from disent.loading import loading
from disent.stops import StopRequest


def run(argv: Sequence[str], stop: StopRequest) -> int:
    """Trains, or prints its help; the exit status."""
    with loading("torch"):
        from disent.training.start import fit, prepare_process

    if asked := {"-h", "--help", "--help=all"} & set(argv):
        from disent.config.help import full_help, short_help

        prepare_process()
        print(full_help() if "all" in argv or "--help=all" in asked else short_help(), end="")
        return 0
    fit(argv, stop)
    return 0
