# SPDX-License-Identifier: Apache-2.0
"""disent fleet SWEEP: trains the runs of a sweep file together, as one program."""

import argparse

from disent.cli import sweep


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Adds `fleet` to the commands."""
    parser = commands.add_parser(
        "fleet",
        help="run a W&B sweep file here, its runs trained together as one program",
        description="Trains trials of one network and batch size together, where that is faster "
        "than separate processes; what cannot be trained together is run as `disent sweep` runs "
        "it. Every trial ends as an ordinary run directory. Stop it with Ctrl-C and start it "
        "again: it goes on where it was.",
    )
    sweep.add_options(parser)
    parser.add_argument(
        "--fleet-size",
        type=size,
        default=None,
        metavar="N",
        help="runs to train together; auto, the default, measures on a GPU, and is 1 on a CPU",
    )
    parser.add_argument(
        "--compile", action="store_true", help="on a GPU, compile the step into CUDA graphs"
    )
    parser.set_defaults(run=sweep.run, fleet=True)


def size(given: str) -> int | None:
    """A number from 1 on, or None for auto."""
    if given == "auto":
        return None
    if not given.isdecimal() or int(given) < 1:
        raise argparse.ArgumentTypeError(f"{given!r}, but auto or a number from 1 on is wanted.")
    return int(given)
