# SPDX-License-Identifier: Apache-2.0
"""What a check found, and the table of all of it."""

from collections.abc import Sequence
from typing import Literal, NamedTuple

from rich.console import Console
from rich.markup import escape
from rich.table import Table

State = Literal["ok", "note", "problem"]
WIDTH = 120  # characters, where the output is no terminal


class Finding(NamedTuple):
    """One line of the table.

    Attributes:
        what: Was looked at.
        state: note: it may matter to some; problem: something will not work.
        told: In words; of a problem, what to do.
    """

    what: str
    state: State
    told: str


def print_findings(findings: Sequence[Finding]) -> bool:
    """Prints the table; returns whether there is a problem."""
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for finding in findings:
        table.add_row(escape(finding.what), finding.state, escape(finding.told))
    console = Console()
    if not console.is_terminal:
        console.width = WIDTH
    console.print(table, highlight=False)
    problems = sum(finding.state == "problem" for finding in findings)
    notes = sum(finding.state == "note" for finding in findings)
    console.print(f"problems: {problems}, notes: {notes}", highlight=False)
    return problems > 0
