# SPDX-License-Identifier: Apache-2.0
"""Painted dSprites: the sprite is where it is, and the chance around it is what the study draws."""

import numpy as np
import pytest
import torch
from PIL import Image

from disent.data import ColourDSprites, DSprites, NoisyDSprites, ScreamDSprites
from disent.data import dsprites_painted as painted
from tests.data.official_grids import write_painting

DRAWN = torch.randint(len(DSprites.grid), (400,), generator=torch.Generator().manual_seed(1))


@pytest.fixture(scope="module")
def sprites() -> torch.Tensor:
    """Bool[400, 1, 64, 64]"""
    return DSprites().images(DRAWN) > 0


@pytest.fixture(scope="module")
def painting(tmp_path_factory):
    return write_painting(tmp_path_factory.mktemp("painting"))


def uniform(values: torch.Tensor, low: int, high: int) -> None:
    """Values are spread over low .. high; chi-square of sixteen equal parts, 99.99 %."""
    assert low <= int(values.min()) <= int(values.max()) <= high
    part = (values.long() - low) * 16 // (high + 1 - low)
    mean = len(part) / 16
    assert ((torch.bincount(part, minlength=16) - mean) ** 2 / mean).sum() < 44


def test_a_sprite_has_one_colour_and_stands_on_black(sprites):
    pictures = ColourDSprites().images(DRAWN)
    assert not pictures[~sprites.expand_as(pictures)].any()
    colours = pictures.flatten(2).amax(2)
    assert torch.equal(pictures, sprites * colours[:, :, None, None])
    for channel in colours.T:
        uniform(channel, 128, 255)
    assert np.abs(np.corrcoef(colours.T.numpy())[np.triu_indices(3, 1)]).max() < 0.2


def test_a_white_sprite_stands_in_noise(sprites):
    pictures = NoisyDSprites().images(DRAWN)
    assert (pictures[sprites.expand_as(pictures)] == 255).all()
    outside = (~sprites).expand_as(pictures)
    uniform(pictures[outside][::97], 0, 255)
    red, green, blue = pictures[:, :, 0, 0].double().T  # a corner, where no sprite is
    between = torch.corrcoef(torch.stack([red, green, blue, pictures[:, 0, 0, 1].double()]))
    assert between.triu(1).abs().max() < 0.2
    assert abs(pictures[outside].double().mean() - 127.5) < 0.2


def test_a_sprite_inverts_the_tinted_part_of_the_painting(sprites, painting):
    data, whole = ScreamDSprites(painting), painted.read_painting(painting).astype(int)
    assert whole.shape == (3, 274, 350)
    drawn = data._words.below(DRAWN, (274 - 64, 350 - 64, 255, 255, 255))
    uniform(drawn[:, 0], 0, 209)
    uniform(drawn[:, 1], 0, 285)
    uniform(drawn[:, 2], 0, 254)
    pictures = data.images(DRAWN)
    for picture, sprite, (row, column, *colour) in zip(
        pictures.numpy(), sprites[:, 0].numpy(), drawn.tolist(), strict=True
    ):
        part = whole[:, row : row + 64, column : column + 64]
        background = (part + 1 + np.reshape(colour, (3, 1, 1))) // 2
        assert (picture == np.where(sprite, 255 - background, background)).all()


def test_the_mean_of_bytes_is_that_of_the_study_rounded():
    """(p / 255 + u) / 2 in bytes is (p + 255 u) / 2, for every byte p and u between."""
    pixel, u = np.meshgrid(np.arange(256), np.arange(0.5, 1000) / 1000)
    colour = np.floor(255 * u + 1).astype(np.uint8)
    exact = (pixel / 255 + u) / 2 * 255
    found = painted._mean(pixel.astype(np.uint8), colour)
    assert found.dtype == np.uint8
    assert np.abs(found - exact).max() <= 0.5 + 1e-9


@pytest.fixture(scope="module", params=["colour", "noise", "scream"])
def make(request, painting):
    kinds = {"colour": ColourDSprites, "noise": NoisyDSprites}
    if request.param == "scream":
        return lambda **options: ScreamDSprites(painting, **options)
    return kinds[request.param]


def test_a_picture_is_always_the_same_and_another_seed_paints_another(make):
    index = DRAWN[:5]
    data, again, other = make(), make(seed=0), make(seed=1)
    known = data.images(index)
    data.images(DRAWN)  # whatever was drawn between
    assert torch.equal(data.images(index), known)
    assert torch.equal(again.images(index.flip(0)).flip(0), known)
    assert not torch.equal(other.images(index), known)
    assert again.fingerprint == data.fingerprint != other.fingerprint
    assert DSprites().fingerprint in data.fingerprint
    with pytest.raises(ValueError, match="seed must be >= 0, got -1"):
        make(seed=-1)


def test_a_missing_official_file_is_named(make):
    with pytest.raises(FileNotFoundError, match=r"there is no file missing\.npz"):
        make(path="missing.npz")


def test_another_painting_is_another_dataset(painting, tmp_path):
    other = write_painting(tmp_path, (400, 400))
    assert ScreamDSprites(other).fingerprint != ScreamDSprites(painting).fingerprint


@pytest.mark.parametrize("mode", ["L", "RGBA", "P", "CMYK"])
def test_pictures_of_every_mode_become_rgb(tmp_path, mode):
    file = tmp_path / ("picture.jpg" if mode == "CMYK" else "picture.png")
    Image.new("RGB", (300, 600), (120, 120, 120)).convert(mode).save(file)
    whole = painted.read_painting(file)
    assert whole.shape == (3, 274, 137)  # 600 becomes 274
    assert np.abs(whole.astype(int) - 120).max() <= (12 if mode == "P" else 3)  # of a palette


@pytest.mark.parametrize("damage", ["cut", "text", "nothing", "gif"])
@pytest.mark.parametrize("suffix", ["jpg", "png"])
def test_what_is_no_picture_is_refused_by_name(tmp_path, painting, suffix, damage):
    file = tmp_path / f"scream.{suffix}"
    with Image.open(painting) as picture:
        picture.save(file, format="GIF" if damage == "gif" else None)
    whole = file.read_bytes()
    file.write_bytes({"cut": whole[:900], "text": b"scream", "nothing": b""}.get(damage, whole))
    with pytest.raises(
        ValueError, match=rf"scream.{suffix} cannot be read as a JPEG or PNG"
    ) as told:
        ScreamDSprites(file)
    assert "\n" not in str(told.value)


def test_narrow_and_missing_pictures_are_refused(tmp_path):
    file = write_painting(tmp_path, (64, 300))
    with pytest.raises(ValueError, match="more than 64 are wanted on each side"):
        ScreamDSprites(file)
    with pytest.raises(FileNotFoundError, match=r"there is no file .*nowhere.jpg. Download a"):
        ScreamDSprites(tmp_path / "nowhere.jpg")
