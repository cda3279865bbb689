# SPDX-License-Identifier: Apache-2.0
"""disent copy NAME [TO]: puts a preset, sweep, profile or template beside one, to be edited."""

import argparse
from pathlib import Path

from disent.shipped import KINDS


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Adds `copy` to the commands."""
    parser = commands.add_parser(
        "copy",
        help="put a preset, sweep or Slurm profile beside you, to edit",
        description="Writes a file that the suite carries into a folder of yours. Every command "
        "that takes its name takes the path of your copy, too. Nothing is overwritten.",
    )
    parser.add_argument("name", metavar="NAME", help="such as quickstart, beta or gpu")
    parser.add_argument(
        "to", nargs="?", default=".", metavar="TO", help="a folder, or a new file (default: here)"
    )
    parser.add_argument("--kind", choices=KINDS, help="where two have the name")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Copies, and says what to do with it."""
    from disent.shipped import copy, kind_of

    kind = kind_of(arguments.name, arguments.kind)
    file = copy(arguments.name, Path(arguments.to), kind)
    use = {
        "preset": f"disent fit --config {file}",
        "sweep": f"disent sweep {file}",
        "profile": f"disent slurm SWEEP --profile {file}",
        "template": f"disent slurm SWEEP --profile PROFILE --template {file}",
    }
    print(f"{file}\nuse it: {use[kind]}")
    return 0
