# SPDX-License-Identifier: Apache-2.0
"""disent runs [FOLDER ...]: runs as a table."""

import argparse
import sys
from pathlib import Path


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Adds `runs` to the commands."""
    parser = commands.add_parser(
        "runs",
        help="list runs: state, terms, scores",
        description="Lists runs: one row each, with state, last logged terms and scores.",
    )
    parser.add_argument(
        "source",
        nargs="*",
        default=["runs"],
        help="folders of runs, folders of W&B's offline logs, or wandb:ENTITY/PROJECT "
        "(default: runs)",
    )
    parser.add_argument(
        "--where",
        metavar="CONDITION",
        action="append",
        default=[],
        help="only runs that meet it, such as 'model.beta>=4' or state=failed; may be repeated",
    )
    parser.add_argument("--sort", metavar="COLUMN", help="smallest first")
    parser.add_argument("--descending", action="store_true", help="largest first")
    parser.add_argument("--columns", metavar="A,B,...", help="show these instead of the usual ones")
    parser.add_argument("--csv", metavar="FILE", help="write every column to FILE instead")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Prints the table, or writes it."""
    from disent.report.terminal import print_runs
    from disent.runs import load_runs
    from disent.runs.selection import column_of, select_runs, sort_runs

    table = load_runs(arguments.source)
    for line in _passed_over(arguments.source):
        print(line, file=sys.stderr)
    where = ", ".join(arguments.source)
    if table.empty:
        print(f"no runs in {where}. Make one: disent fit --config quickstart")
        return 0
    chosen = select_runs(table, arguments.where)
    if arguments.sort:
        chosen = sort_runs(chosen, arguments.sort, descending=arguments.descending)
    columns = arguments.columns.split(",") if arguments.columns else []
    for name in columns:
        column_of(table, name)
    if arguments.csv:
        _write(Path(arguments.csv), chosen.to_csv(index=False, columns=columns or None))
        print(f"{len(chosen)} runs, {len(columns or chosen.columns)} columns: {arguments.csv}")
    elif chosen.empty:
        print(f"none of the {len(table)} runs in {where} meets {' and '.join(arguments.where)}")
    else:
        print_runs(chosen, columns)
    return 0


def _write(file: Path, text: str) -> None:
    """Writes the whole of a file or nothing; to what is none, such as /dev/stdout, directly."""
    from disent.files import write_text

    if file.exists() and not file.is_file():
        file.write_text(text, encoding="utf-8")
    else:
        write_text(file, text)


def _passed_over(sources: list[str]) -> list[str]:
    """What was found in folders of runs, and is none."""
    from disent.runs.find import find_runs, is_run

    lines = []
    for root in [Path(source) for source in sources if Path(source).is_dir()]:
        others = [] if is_run(root) else find_runs(root).others
        if others:
            shown = ", ".join(others[:3]) + (" ..." if len(others) > 3 else "")
            folders = "folder" if len(others) == 1 else "folders"
            lines.append(f"passed over in {root}: {len(others)} {folders} without a run ({shown})")
    return lines
