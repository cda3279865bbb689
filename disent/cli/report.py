# SPDX-License-Identifier: Apache-2.0
"""disent report [SOURCE ...]: one HTML file about many runs."""

import argparse
from pathlib import Path


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Adds `report` to the commands."""
    parser = commands.add_parser(
        "report",
        help="write one HTML page about runs: figures, table, traversals with sliders",
        description="Writes one HTML file about runs. It needs no server and no network: send it "
        "to whom you like.",
    )
    parser.add_argument(
        "source",
        nargs="*",
        default=["runs"],
        help="folders of runs, folders of W&B's offline logs, or wandb:ENTITY/PROJECT "
        "(default: runs)",
    )
    parser.add_argument(
        "--out", metavar="FILE", help="default: report.html in the first folder, or here"
    )
    parser.add_argument(
        "--drawn",
        metavar="N",
        type=int,
        default=300,
        help="curves and pictures of N runs at most, one of each setting first (default: 300); "
        "the table and the figures over runs always hold all",
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Writes the report, and says where it is."""
    from disent.report import write_report

    folder = Path(arguments.source[0])
    file = Path(arguments.out or (folder / "report.html" if folder.is_dir() else "report.html"))
    number = write_report(arguments.source, file, drawn=arguments.drawn)
    print(f"{file}: {number} runs, {file.stat().st_size / 1e6:.1f} MB")
    return 0
