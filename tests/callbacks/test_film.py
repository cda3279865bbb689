# SPDX-License-Identifier: Apache-2.0
"""When frames of a film are kept, and that training does not feel them."""

import os
from pathlib import Path

import pytest
import torch

from disent.callbacks.film import KeepFrames
from disent.latents.film import Frame, frame_files, step_of
from disent.runs import RunDir
from tests.callbacks.test_pictures import train
from tests.tiny import Squares

DATA = Squares()
# Lightning 2.6 asks torch 2.13 for the leaves of a batch in a way that torch will drop
pytestmark = pytest.mark.filterwarnings("ignore:.isinstance.treespec, LeafSpec:FutureWarning")


def steps_in(folder: Path) -> list[int]:
    return [step_of(file) for file in frame_files(folder / "film")]


@pytest.mark.parametrize(("every", "steps"), [(2, [0, 2, 4, 5]), (5, [0, 5]), (9, [0, 5])])
def test_a_frame_before_the_first_step_every_n_steps_and_at_the_end(tmp_path, every, steps):
    train(KeepFrames(RunDir(tmp_path), DATA, every), 5)
    assert steps_in(tmp_path) == steps


def test_training_does_not_feel_the_frames(tmp_path):
    alone = train(None, 3)
    watched = train(KeepFrames(RunDir(tmp_path), DATA, 1), 3)
    assert watched.training
    for name, weight in alone.state_dict().items():
        assert torch.equal(weight, watched.state_dict()[name]), name
    drawn = Frame.of(watched, DATA, 3)
    assert torch.equal(Frame.load(frame_files(tmp_path / "film")[-1]).pictures, drawn.pictures)


def test_what_a_killed_process_left_behind_is_dropped(tmp_path):
    """Frames of later steps than the one that training goes on from, and halves of files."""
    for step in (0, 2, 7):
        Frame(step, torch.zeros(1, 7, 1, 4, 4, dtype=torch.uint8), [""], [0.0], "").save(
            tmp_path / "film"
        )
    (tmp_path / "film" / ".half.tmp").touch()
    train(KeepFrames(RunDir(tmp_path), DATA, 2), 4)
    assert steps_in(tmp_path) == [0, 2, 4]
    assert Frame.load(frame_files(tmp_path / "film")[1]).pictures.shape[0] == 3
    assert not list((tmp_path / "film").glob(".*"))


def test_a_full_disk_costs_the_frames_only(tmp_path, monkeypatch):
    def full(source: Path, target: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    first, second = (f"frame of step {n} was not kept: .*No space left" for n in (0, 2))
    with pytest.warns(UserWarning, match=first), pytest.warns(UserWarning, match=second):
        train(KeepFrames(RunDir(tmp_path), DATA, 2), 2)
    assert list((tmp_path / "film").iterdir()) == []


def test_refuses_no_steps(tmp_path):
    with pytest.raises(ValueError, match="every_n_steps must be >= 1, got 0"):
        KeepFrames(RunDir(tmp_path), DATA, 0)
