# SPDX-License-Identifier: Apache-2.0
"""disent doctor: whether the suite works on this machine, in one table."""

import argparse
from pathlib import Path


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Adds `doctor` to the commands."""
    parser = commands.add_parser(
        "doctor",
        help="look whether all works here: versions, machine, a tiny run",
        description="Prints a table of what this machine has, and trains, interrupts, resumes and "
        "scores a tiny run, within a minute. Ends with status 1 where something will not work.",
    )
    parser.add_argument(
        "--gpu", action="store_true", help="also try what a GPU alone can show; minutes"
    )
    parser.add_argument("--no-run", action="store_true", help="leave the tiny run out")
    parser.add_argument("--runs", default="runs", help="folder of runs (default: runs)")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Looks, and prints; 1 where there is a problem."""
    from disent.doctor import check_by_a_run, check_gpu, check_machine, print_findings

    findings = check_machine(Path(arguments.runs))
    if not arguments.no_run:
        findings += check_by_a_run()
    if arguments.gpu:
        findings += check_gpu()
    return int(print_findings(findings))
