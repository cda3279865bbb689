# SPDX-License-Identifier: Apache-2.0
"""When pictures are drawn in training, where they go, and that training does not feel them."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from lightning.pytorch import Callback, Trainer
from torch import Tensor

from disent.callbacks.pictures import Pictures
from disent.models import VAE
from disent.networks import Linear
from disent.runs import RunDir
from tests.tiny import Squares

NAMES = ["interpolation.png", "reconstructions.png", "samples.png", "traversals.png"]
DATA = Squares()
# Lightning 2.6 asks torch 2.13 for the leaves of a batch in a way that torch will drop
pytestmark = pytest.mark.filterwarnings("ignore:.isinstance.treespec, LeafSpec:FutureWarning")


class Batches:
    """The same pictures, in the same order, each time."""

    def __init__(self, steps: int) -> None:
        self.steps = steps

    def __len__(self) -> int:
        return self.steps

    def __iter__(self) -> Iterator[Tensor]:
        return iter(DATA.batch(torch.arange(8 * self.steps)).split(8))


def train(callback: Callback | None, steps: int) -> VAE:
    model = VAE(network=Linear, latent_dim=3)  # of two, there are pictures of the plane, too
    trainer = Trainer(
        accelerator="cpu",
        max_steps=steps,
        callbacks=[] if callback is None else [callback],
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    trainer.fit(model, Batches(steps))
    return model


@pytest.fixture
def drawn_at(monkeypatch) -> list[int]:
    """The steps at which pictures would be written, which takes too long to do each time."""
    steps: list[int] = []
    monkeypatch.setattr(Pictures, "_write", lambda self, model, step: steps.append(step))
    return steps


def test_pictures_are_written_at_the_end(tmp_path):
    callback = Pictures(RunDir(tmp_path), DATA)
    train(callback, 3)
    assert sorted(path.name for path in (tmp_path / "figures").iterdir()) == NAMES
    assert sorted(callback.paths) == [tmp_path / "figures" / name for name in NAMES]


def test_pictures_are_drawn_every_n_steps_and_once_at_the_end(tmp_path, drawn_at):
    train(Pictures(RunDir(tmp_path), DATA), 3)
    assert drawn_at == [3]
    drawn_at.clear()
    train(Pictures(RunDir(tmp_path), DATA, every_n_steps=2), 4)
    assert drawn_at == [2, 4]
    drawn_at.clear()
    train(Pictures(RunDir(tmp_path), DATA, every_n_steps=2), 3)
    assert drawn_at == [2, 3]


def test_logged_steps_give_curves(tmp_path):
    (tmp_path / "metrics.csv").write_text("step,loss,rate\n1,2.5,0.1\n2,2.0,0.2\n")
    callback = Pictures(RunDir(tmp_path), DATA)
    train(callback, 1)
    assert tmp_path / "figures" / "curves.png" in callback.paths


def test_training_does_not_feel_the_pictures(tmp_path):
    alone = train(None, 3)
    watched = train(Pictures(RunDir(tmp_path), DATA, every_n_steps=2), 3)
    assert watched.training
    for name, weight in alone.state_dict().items():
        assert torch.equal(weight, watched.state_dict()[name]), name


def test_a_folder_that_cannot_be_written_costs_the_pictures_only(tmp_path, monkeypatch):
    def full(source: Path, target: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    callback = Pictures(RunDir(tmp_path), DATA)
    with pytest.warns(UserWarning, match="No space left on device.*disent traverse"):
        train(callback, 2)
    assert callback.paths == []
    assert list((tmp_path / "figures").iterdir()) == []


def test_refuses_negative_steps(tmp_path):
    with pytest.raises(ValueError, match="every_n_steps must be >= 0"):
        Pictures(RunDir(tmp_path), DATA, every_n_steps=-1)
