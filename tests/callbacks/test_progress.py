# SPDX-License-Identifier: Apache-2.0
"""What is said of the steps done: a bar on a terminal, lines elsewhere."""

import io
import re
import sys
from types import SimpleNamespace
from typing import Any, cast

import pytest
import torch

from disent.callbacks import progress
from disent.callbacks.progress import Progress

BATCH = torch.zeros(4, 1)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def trainer(**changed: Any) -> Any:
    """The part of a trainer that is looked at: 40 steps, each of them logged."""
    terms = {"loss": torch.tensor(3.25), "rate": torch.tensor(1.0), "distortion": torch.tensor(2.0)}
    shown = {"global_step": 0, "max_steps": 40, "log_every_n_steps": 1, "callback_metrics": terms}
    shown |= {"world_size": 1, "accumulate_grad_batches": 1}
    return SimpleNamespace(**shown | changed)


def step_on(shown: Progress, trainer: Any, to: int) -> None:
    for step in range(trainer.global_step + 1, to + 1):
        trainer.global_step = step
        shown.on_train_batch_end(trainer, cast(Any, None), None, BATCH, step - 1)


@pytest.fixture
def clock(monkeypatch):
    """A clock that stands still until it is moved."""
    clock = SimpleNamespace(now=100.0)
    monkeypatch.setattr(progress, "time", SimpleNamespace(monotonic=lambda: clock.now))
    return clock


def on_terminal(monkeypatch: pytest.MonkeyPatch, kind: str = "xterm") -> Terminal:
    """stderr for the rest of a test; pytest puts its own back between fixture and test."""
    terminal = Terminal()
    monkeypatch.setenv("TERM", kind)
    monkeypatch.setenv("COLUMNS", "140")
    monkeypatch.setattr(sys, "stderr", terminal)
    return terminal


def started(trainer: Any, shown: Progress | None = None) -> Progress:
    shown = shown or Progress()
    shown.on_train_start(trainer, cast(Any, None))
    return shown


def test_elsewhere_a_line_stands_at_every_tenth(capsys, clock):
    run = trainer()
    shown = started(run)
    clock.now += 2  # 4 steps of 4 pictures in 2 seconds
    step_on(shown, run, 4)
    terms = "loss 3.25, rate 1.00, distortion 2.00"
    assert capsys.readouterr().err == f"step 4 of 40: {terms}, images/s 8\n"
    step_on(shown, run, 40)
    lines = capsys.readouterr().err.splitlines()
    assert [int(line.split()[1]) for line in lines] == [8, 12, 16, 20, 24, 28, 32, 36, 40]
    assert lines[-1] == f"step 40 of 40: {terms}, images/s 80"


def test_steps_that_are_not_logged_are_not_told(capsys):
    run = trainer(log_every_n_steps=25)
    step_on(started(run), run, 40)
    assert capsys.readouterr().err.startswith("step 25 of 40: ")


def test_a_run_that_goes_on_counts_its_own_steps(capsys, clock):
    run = trainer(global_step=20)
    shown = started(run)
    clock.now += 1
    step_on(shown, run, 24)
    assert capsys.readouterr().err.endswith("images/s 16\n")  # 4 steps of 4 in a second


@pytest.mark.parametrize(
    ("shown", "changed", "pictures"),
    [
        (Progress(), {"world_size": 3, "accumulate_grad_batches": 2}, 4 * 3 * 2),
        (Progress(pictures=7), {}, 7),
    ],
)
def test_pictures_of_a_step_are_of_all_processes_or_as_told(
    shown, changed, pictures, capsys, clock
):
    run = trainer(**changed)
    started(run, shown)
    clock.now += 1
    step_on(shown, run, 4)
    assert capsys.readouterr().err.endswith(f"images/s {4 * pictures}\n")


def test_a_model_may_log_the_loss_alone(capsys):
    run = trainer(callback_metrics={"loss": torch.tensor(0.5)})
    step_on(started(run), run, 4)
    assert capsys.readouterr().err.startswith("step 4 of 40: loss 0.50, images/s ")


def test_disabled_it_says_nothing(capsys):
    run, shown = trainer(), Progress()
    shown.disable()
    step_on(started(run, shown), run, 40)
    assert capsys.readouterr().err == ""


def test_a_terminal_shows_a_bar_with_terms_and_time_left(monkeypatch, clock):
    terminal, run = on_terminal(monkeypatch), trainer()
    shown = started(run)
    for step in range(1, 11):
        clock.now += 2  # 4 pictures in 2 seconds; 30 steps are left
        step_on(shown, run, step)
    last = terminal.getvalue().split("\r")[-1]
    assert "10/40" in last
    assert "loss 3.25, rate 1.00, distortion 2.00, images/s 2 " in last
    assert "0:01:00" in last
    assert "of 40:" not in terminal.getvalue()
    shown.teardown(run, cast(Any, None), "fit")


def test_a_bar_is_drawn_five_times_a_second_at_most_and_at_the_end(monkeypatch, clock):
    terminal, run = on_terminal(monkeypatch), trainer()
    shown = started(run)
    for step in range(1, 41):
        clock.now += 1 / 16  # 4 of these are a quarter of a second, 3 of them less than a fifth
        step_on(shown, run, step)
    drawn = [int(step) for step in re.findall(r"(\d+)/40", terminal.getvalue())]
    assert drawn == [0, *range(1, 41, 4), 40]
    shown.teardown(run, cast(Any, None), "fit")


def test_without_an_end_the_bar_counts_steps(monkeypatch):
    terminal, run = on_terminal(monkeypatch), trainer(max_steps=-1)
    shown = started(run)
    step_on(shown, run, 1)
    assert "1/?" in terminal.getvalue()
    shown.teardown(run, cast(Any, None), "fit")


@pytest.mark.parametrize("way", ["teardown", "on_exception"])
def test_the_terminal_is_given_back_at_the_end_and_after_an_error(way, monkeypatch):
    terminal, run = on_terminal(monkeypatch), trainer()
    shown = started(run)
    step_on(shown, run, 3)
    assert sys.stderr is not terminal  # what is printed now goes above the bar
    getattr(shown, way)(run, cast(Any, None), cast(Any, RuntimeError("broken")))
    assert sys.stderr is terminal
    assert terminal.getvalue().endswith("\x1b[?25h")  # the cursor is back


def test_a_terminal_that_cannot_move_its_cursor_gets_lines(monkeypatch):
    terminal, run = on_terminal(monkeypatch, "dumb"), trainer()
    step_on(started(run), run, 4)
    assert terminal.getvalue().startswith("step 4 of 40: loss 3.25, ")
