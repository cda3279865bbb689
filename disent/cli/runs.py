# SPDX-License-Identifier: Apache-2.0
"""disent runs [FOLDER]: the runs of a folder as a table."""

import argparse


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Adds `runs` to the commands."""
    parser = commands.add_parser(
        "runs", help="list runs: state, terms, scores", description="Lists the runs of a folder."
    )
    parser.add_argument("folder", nargs="?", default="runs", help="default: runs")
    parser.add_argument("--csv", metavar="FILE", help="write every column to FILE instead")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Prints the table, or writes it."""
    from disent.cli.tables import print_runs
    from disent.runs import load_runs

    table = load_runs(arguments.folder)
    if table.empty:
        print(f"no runs in {arguments.folder}. Make one: disent fit --config quickstart")
    elif arguments.csv:
        table.to_csv(arguments.csv, index=False)
        print(f"{len(table)} runs, {len(table.columns)} columns: {arguments.csv}")
    else:
        print_runs(table)
    return 0
