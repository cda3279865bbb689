# SPDX-License-Identifier: Apache-2.0
"""What somebody's own code does wrong is one line with file and line, in whatever command."""

import sys
from pathlib import Path

import pytest

from disent.cli.main import main
from disent.runs import RunDir
from tests.cli.small import QUIET, fit

MISTAKES = """
from disent.objectives import BetaELBO
from tests.tiny import Squares


class Vector(BetaELBO):
    def forward(self, terms, step):
        return terms.distortion


class Missing(BetaELBO):
    def forward(self, terms, step):
        return terms.distorsion.mean()


class Later(BetaELBO):
    def forward(self, terms, step):
        if step == 25:
            raise KeyError("of\\nstep 25")
        return super().forward(terms, step)


class Unpacks(BetaELBO):
    def __init__(self):
        super().__init__()
        a, b = [1]


class Gone(Squares):
    def images(self, index):
        if BROKEN:
            return {}["picture"]
        return super().images(index)


BROKEN = False
"""
LATER = next(n for n, line in enumerate(MISTAKES.splitlines(), 1) if "KeyError" in line)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A working folder with mistakes.py; what is imported from it is forgotten afterwards."""
    (tmp_path / "mistakes.py").write_text(MISTAKES, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    yield tmp_path
    sys.modules.pop("mistakes", None)


def said(capsys) -> str:
    return capsys.readouterr().err.strip()


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("Vector", "Vector.forward (mistakes.py) gave [8] of float32, but one number"),
        ("Missing", "AttributeError: 'Terms' object has no attribute 'distorsion' (mistakes.py, "
         "line 13; DISENT_TRACEBACK=1 before the command shows it whole)"),
        ("Unpacks", "not enough values to unpack (expected 2, got 1) (mistakes.py, line 26)"),
    ],
)  # fmt: skip
def test_what_is_seen_at_once_leaves_nothing_behind(name, line, folder, capsys):
    argv = ("--model", "VAE", "--model.objective", f"mistakes.{name}", "--run", "own")
    assert fit(folder / "runs", *argv) == 1
    assert (told := said(capsys)).startswith(f"disent: error: {line}")
    assert "\n" not in told
    assert not (folder / "runs").exists()


def test_what_is_raised_in_training_is_a_line_and_its_traceback_a_file(folder, capsys):
    argv = ("--model", "VAE", "--model.objective", "mistakes.Later", "--run", "own", *QUIET)
    argv += ("--trainer.enable_progress_bar", "false")
    assert fit(folder / "runs", *argv) == 1
    run = RunDir(folder / "runs" / "own")
    what = f"KeyError: 'of\\nstep 25' (mistakes.py, line {LATER}"
    assert said(capsys) == f"disent: error: {what}; whole in {run.traceback})"
    assert run.status()["state"] == "failed"
    assert run.status()["reason"] == f"{what})"
    kept = run.traceback.read_text(encoding="utf-8")
    assert kept.startswith("Traceback (most recent call last):")
    assert 'mistakes.py", line' in kept
    # mended, the same command goes on, and nothing is left of the mistake
    Path("mistakes.py").write_text(MISTAKES.replace("step == 25", "False"), encoding="utf-8")
    sys.modules.pop("mistakes")
    with pytest.warns(UserWarning, match=r"mistakes\.py has changed since"):
        assert fit(folder / "runs", *argv) == 0
    assert run.status()["state"] == "finished"
    assert not run.traceback.exists()


def test_the_switch_shows_the_whole(folder, monkeypatch):
    monkeypatch.setenv("DISENT_TRACEBACK", "1")
    with pytest.raises(AttributeError, match="distorsion"):
        fit(folder / "runs", "--model", "VAE", "--model.objective", "mistakes.Missing")


def test_other_commands_say_it_alike(folder, capsys):
    argv = ("--data", "mistakes.Gone", "--run", "own", *QUIET, "--trainer.max_steps", "20")
    assert fit(folder / "runs", *argv) == 0
    sys.modules["mistakes"].BROKEN = True  # type: ignore[attr-defined]
    where = "(mistakes.py, line 32; DISENT_TRACEBACK=1 before the command shows it whole)"
    for command in ("evaluate", "traverse"):
        capsys.readouterr()
        assert main([command, "runs/own"]) == 1
        assert said(capsys).endswith(f"KeyError: 'picture' {where}"), command
