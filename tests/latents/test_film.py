# SPDX-License-Identifier: Apache-2.0
"""Frames of a film: what they hold, that they survive the disk, and the film that they make."""

from pathlib import Path

import pytest
import torch
from PIL import Image

from disent.latents.film import MOVES, Frame, film_of, frame_files
from disent.models import VAE
from disent.networks import Linear
from tests.tiny import Squares

DATA = Squares()


def model() -> VAE:
    return VAE(network=Linear, latent_dim=3, seed=1)


def frame(step: int, weights: list[float], channels: int = 1) -> Frame:
    made = torch.Generator().manual_seed(step)
    shape = (len(weights), 7, channels, 4, 5)
    pictures = torch.randint(0, 256, shape, generator=made, dtype=torch.uint8)
    labels = [f"z{z} at {step}" for z in range(len(weights))]
    return Frame(step, pictures, labels, weights, "where it stays")


def test_a_row_is_a_latent_by_number_and_moves_it_alone():
    own = model()
    drawn = Frame.of(own, DATA, 5)
    with torch.no_grad():
        code = own.encode(DATA.batch(torch.tensor([MOVES.start(DATA)]))).mean[0]
        code[2] = MOVES.values()[6]
        picture = own.picture(code[None])[0]
    assert drawn.pictures.shape == (3, 7, 1, 64, 64)
    off = drawn.pictures[2, 6].int() - (picture * 255).round().int()
    assert int(off.abs().max()) <= 1  # of 255: sums of a batch are rounded otherwise
    assert [label.split()[0] for label in drawn.labels] == ["z0", "z1", "z2"]
    with torch.no_grad():
        rates = own.encode(DATA.batch(torch.arange(len(DATA)))).kl()
    assert rates is not None
    rates = rates.mean(0)
    torch.testing.assert_close(torch.tensor(drawn.weights), rates, atol=1e-4, rtol=1e-4)
    assert "all 128 pictures" in drawn.note


def test_a_model_is_drawn_without_a_trace():
    own, state = model().train(), torch.get_rng_state()
    before = {name: weight.clone() for name, weight in own.state_dict().items()}
    Frame.of(own, DATA, 5)
    assert own.training
    assert torch.equal(torch.get_rng_state(), state)
    assert all(torch.equal(weight, before[name]) for name, weight in own.state_dict().items())


@pytest.mark.parametrize("channels", [1, 3])
def test_a_frame_comes_back_as_it_was(tmp_path, channels):
    kept = frame(12_000, [1.5, 0.25], channels)
    file = kept.save(tmp_path / "film")
    assert file.name == "000012000.png"
    found = Frame.load(file)
    assert torch.equal(found.pictures, kept.pictures)
    assert (found.step, found.labels, found.weights) == (12_000, kept.labels, kept.weights)
    assert found.note == kept.note


def test_the_film_has_all_frames_in_the_order_of_latents_at_its_end(tmp_path):
    frames = [frame(0, [9.0, 0.0, 0.0]), frame(50, [1.0, 2.0, 4.0]), frame(1000, [1.0, 6.0, 3.0])]
    for each in reversed(frames):
        each.save(tmp_path)
    film = film_of(tmp_path)
    assert [scene.step for scene in film.scenes] == [0, 50, 1000]
    for scene, kept in zip(film.scenes, frames, strict=True):
        assert torch.equal(scene.pictures, kept.pictures[[1, 2, 0]])
        assert scene.labels == [kept.labels[z] for z in (1, 2, 0)]
        assert list(scene.bars) == pytest.approx([kept.weights[z] / 9 for z in (1, 2, 0)])


def test_of_many_latents_the_first_twelve_are_shown(tmp_path):
    frame(3, [float(z) for z in range(15)]).save(tmp_path)
    film = film_of(tmp_path)
    assert [label.split()[0] for label in film.scenes[0].labels][:2] == ["z14", "z13"]
    assert len(film.scenes[0].labels) == 12
    assert film.note.endswith("with the highest. The first 12 of 15 latents.")


def test_what_is_no_frame_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"holds no frames.*film_every_n_steps"):
        film_of(tmp_path / "none")
    (tmp_path / "000000007.png").write_bytes(b"no picture")
    with pytest.raises(ValueError, match=r"000000007.png is no frame of a film"):
        film_of(tmp_path)
    Image.new("L", (4, 4)).save(tmp_path / "000000007.png")
    with pytest.raises(ValueError, match="no frame of a film"):
        film_of(tmp_path)


def test_frames_of_another_model_are_refused(tmp_path):
    frame(0, [1.0, 2.0]).save(tmp_path)
    frame(9, [1.0, 2.0, 3.0]).save(tmp_path)
    with pytest.raises(ValueError, match="not of one run"):
        film_of(tmp_path)


def test_other_files_are_no_frames(tmp_path):
    for name in ("000000010.png", "000000009.png", "sketch.png", "1.txt"):
        Path(tmp_path, name).touch()
    assert [file.name for file in frame_files(tmp_path)] == ["000000009.png", "000000010.png"]
