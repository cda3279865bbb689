# SPDX-License-Identifier: Apache-2.0
"""disent list [KIND]: what there is to choose from."""

import argparse
import shutil
import textwrap

from disent.config.members import KINDS

WIDEST = 160  # columns, where nobody says how wide the terminal is


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Adds `list` to the commands."""
    parser = commands.add_parser(
        "list",
        help="list presets, models, datasets, scores, sweeps ... with a line of each",
        description="Lists what there is of a kind: its name, a line about it, and its file. "
        "Without a kind: the names of all.",
    )
    parser.add_argument("kind", nargs="?", choices=KINDS, metavar="KIND", help=", ".join(KINDS))
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Prints one line each, cut at the width of the terminal."""
    from disent.config.members import members

    width = shutil.get_terminal_size((WIDEST, 24)).columns
    if arguments.kind is None:
        for kind in KINDS:
            names = ", ".join(member.name for member in members(kind))
            print(textwrap.fill(f"{kind + ':':<13}{names}", width, subsequent_indent=" " * 13))
        print(
            "A line of each: disent list KIND. The options of a class: disent fit --model.help NAME"
        )
        return 0
    found = members(arguments.kind)
    name, source = (max(len(m[i]) for m in found) for i in (0, 2))
    left = max(20, width - name - source - 4)
    for member in found:
        line = textwrap.shorten(member.line, left, placeholder=" ...", break_on_hyphens=False)
        print(f"{member.name:<{name}}  {line:<{left}}  {member.source}".rstrip())
    return 0
