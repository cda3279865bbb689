# SPDX-License-Identifier: Apache-2.0
"""What the table of a sweep shows."""

from rich.console import Console

from disent.launch.workers.progress import Board, counts
from disent.launch.workers.status import Status


def test_brackets_in_a_reason_are_shown_as_they_are():
    status = Status(1, failed={"a-x1": "[/data] has shape [3, 4]"})
    console = Console(width=100)
    with console.capture() as shown:
        console.print(Board("a [b]", "runs", 1)._table(status))
    assert "[/data] has shape [3, 4]" in shown.get()
    assert "a [b]: 0 of 1 done, 1 failed" in shown.get()


def test_trials_that_are_still_to_be_chosen_are_counted():
    assert counts(Status(2, finished=["a", "b"], to_come=3)) == "2 of 2 done, 3 to come"
