# SPDX-License-Identifier: Apache-2.0
"""disent fit --pictures.film_every_n_steps: the frames of a run that stops, goes on, is fast."""

from pathlib import Path

import pytest
import torch
from PIL import Image

from disent.cli.main import main
from disent.latents.film import Frame
from tests.cli.small import QUIET, assert_same_weights, fit

FILM = [*QUIET, "--pictures.film_every_n_steps", "15"]


def frames(run: Path) -> dict[int, bytes]:
    return {int(file.stem): file.read_bytes() for file in sorted((run / "film").glob("*.png"))}


def test_a_run_that_goes_on_ends_with_the_frames_of_one_that_never_stopped(tmp_path, capfd):
    """It ended at 40; and, as if killed later, left a frame of 45, and of 50 when n was 10."""
    assert fit(tmp_path, "--run", "whole", *FILM) == 0
    assert fit(tmp_path, "--run", "parts", *FILM, "--trainer.max_steps", "40") == 0
    assert list(frames(tmp_path / "parts")) == [0, 15, 30, 40]
    for step in (45, 50):
        blank = torch.zeros(1, 7, 1, 4, 4, dtype=torch.uint8)
        Frame(step, blank, [""], [0.0], "").save(tmp_path / "parts" / "film")
    assert fit(tmp_path, "--run", "parts", *FILM) == 0
    whole, parts = (frames(tmp_path / name) for name in ("whole", "parts"))
    assert list(whole) == [0, 15, 30, 45, 60]
    assert parts == whole
    assert_same_weights(tmp_path / "whole", tmp_path / "parts")
    assert "figures/traversals_film.gif" in capfd.readouterr().out
    with Image.open(tmp_path / "parts" / "figures" / "traversals_film.gif") as film:
        assert getattr(film, "n_frames", 1) == 5


@pytest.mark.parametrize("fast", [[], ["--fast"]])
def test_weights_are_the_same_bit_for_bit_with_and_without(tmp_path, fast):
    assert fit(tmp_path, "--run", "filmed", *FILM, *fast) == 0
    assert fit(tmp_path, "--run", "plain", *QUIET, *fast) == 0
    assert_same_weights(tmp_path / "filmed", tmp_path / "plain")
    assert list(frames(tmp_path / "filmed")) == [0, 15, 30, 45, 60]
    assert not (tmp_path / "plain" / "film").exists()


def test_the_film_is_drawn_of_whatever_frames_there_are(tmp_path, capfd):
    assert fit(tmp_path, "--run", "run", *QUIET) == 0
    capfd.readouterr()
    assert main(["traverse", str(tmp_path / "run"), "--film"]) == 1
    said = capfd.readouterr().err
    assert "holds no frames" in said
    assert "--pictures.film_every_n_steps N" in said
    assert len(said.strip().splitlines()) == 1
    for step in (0, 30):
        blank = torch.zeros(2, 7, 1, 8, 8, dtype=torch.uint8)
        Frame(step, blank, ["z0", "z1"], [1.0, 2.0], "").save(tmp_path / "run" / "film")
    (tmp_path / "run" / "checkpoints" / "last.ckpt").unlink()  # it trains still
    assert main(["traverse", str(tmp_path / "run"), "--film"]) == 0
    (path,) = capfd.readouterr().out.splitlines()
    assert path == str(tmp_path / "run" / "figures" / "traversals_film.gif")
    with Image.open(path) as film:
        assert getattr(film, "n_frames", 1) == 2
