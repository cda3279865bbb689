# SPDX-License-Identifier: Apache-2.0
"""dSprites in colour, in noise and over a painting, with chance in every picture."""

import operator
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from jaxtyping import Int, UInt8
from PIL import Image
from torch import Tensor

from disent.data.base import FactorDataset
from disent.data.dsprites import DSprites
from disent.data.files import digest
from disent.files import expanded
from disent.streams import Words

SIDE = 64  # of a picture, in pixels
FRAME = (350, 274)  # width and height that the painting is shrunk into


class ColourDSprites(FactorDataset):
    """dSprites whose sprite has a random colour: red, green and blue uniform from 1/2 to 1.

    Locatello et al. (2019), "Challenging Common Assumptions in the Unsupervised Learning of
    Disentangled Representations", section 5 and appendix, https://arxiv.org/abs/1811.12359. That
    study draws the colour anew whenever a picture is taken. Here it is a function of seed and
    picture, so that a picture has one colour for ever, which no factor tells; and one of the 128
    bytes from 128 to 255.

    Args:
        path: The official dSprites file; None renders them, see DSprites.
        seed: Of the colours.
    """

    grid = DSprites.grid
    channels = 3

    def __init__(self, path: str | os.PathLike[str] | None = None, seed: int = 0) -> None:
        self._words, self._sprites = Words(seed, "colours of sprites"), DSprites(path)
        self._fingerprint = f"dsprites in colour, seed {seed}; {self._sprites.fingerprint}"

    @property
    def fingerprint(self) -> str:
        return self._fingerprint

    def images(self, index: Int[Tensor, "b"]) -> UInt8[Tensor, "b 3 64 64"]:
        sprites = self._sprites.images(index)
        colours = 128 + (self._words.bytes(index, 3) >> 1)
        return _painted(operator.and_, sprites, colours[:, :, None, None])

    def to(self, device: torch.device | str) -> Self:
        """Keeps the sprites on a GPU, see DSprites; colours are made where they are asked for."""
        self._sprites.to(device)
        return self


class NoisyDSprites(FactorDataset):
    """dSprites whose background is noise: each of its values is uniform from 0 to 1.

    Locatello et al. (2019), section 5 and appendix, https://arxiv.org/abs/1811.12359. The sprite is
    white; red, green and blue of a pixel differ. That study draws the noise anew whenever a picture
    is taken. Here it is a function of seed and picture, so that a model may learn it by heart; and
    one of the 256 bytes.

    Args:
        path: The official dSprites file; None renders them, see DSprites.
        seed: Of the noise.
    """

    grid = DSprites.grid
    channels = 3

    def __init__(self, path: str | os.PathLike[str] | None = None, seed: int = 0) -> None:
        self._words, self._sprites = Words(seed, "noise behind sprites"), DSprites(path)
        self._fingerprint = f"dsprites in noise, seed {seed}; {self._sprites.fingerprint}"

    @property
    def fingerprint(self) -> str:
        return self._fingerprint

    def images(self, index: Int[Tensor, "b"]) -> UInt8[Tensor, "b 3 64 64"]:
        sprites = self._sprites.images(index)
        noise = self._words.bytes(index, 3 * SIDE * SIDE).view(-1, 3, SIDE, SIDE)
        return _painted(operator.or_, sprites, noise)

    def to(self, device: torch.device | str) -> Self:
        """Keeps the sprites on a GPU, see DSprites; noise is made where it is asked for."""
        self._sprites.to(device)
        return self


class ScreamDSprites(FactorDataset):
    """dSprites over a random part of a painting, The Scream in the study, tinted at random.

    Locatello et al. (2019), section 5 and appendix, https://arxiv.org/abs/1811.12359. The painting
    is shrunk to at most 350 x 274 pixels by Pillow's bicubic filter. Of it, 64 x 64 pixels are cut
    out at random (as there, never from the last row and column of places),
    averaged with one random colour, uniform from 0 to 1, and inverted where the sprite is. That
    study draws place and colour anew whenever a picture is taken. Here they are functions of seed
    and picture, and values are rounded to bytes.

    Args:
        picture: The painting, a JPEG or PNG file; the study's is
            https://upload.wikimedia.org/wikipedia/commons/f/f4/The_Scream.jpg.
        path: The official dSprites file; None renders them, see DSprites.
        seed: Of places and colours.
    Raises:
        FileNotFoundError: There is no such picture.
        ValueError: It cannot be read, or shrunk it has no 65 pixels on each side.
    """

    grid = DSprites.grid
    channels = 3

    def __init__(
        self,
        picture: str | os.PathLike[str],
        path: str | os.PathLike[str] | None = None,
        seed: int = 0,
    ) -> None:
        painting = read_painting(expanded(picture))
        self._words, self._sprites = Words(seed, "paintings behind sprites"), DSprites(path)
        self._painting = torch.from_numpy(painting)
        self._fingerprint = (
            f"dsprites over painting {digest(painting)[:16]}, seed {seed}; "
            f"{self._sprites.fingerprint}"
        )

    @property
    def fingerprint(self) -> str:
        return self._fingerprint

    def images(self, index: Int[Tensor, "b"]) -> UInt8[Tensor, "b 3 64 64"]:
        sprites, painting = self._sprites.images(index), self._painting.to(index.device)
        places = [side - SIDE for side in painting.shape[1:]]
        drawn = self._words.below(index, (*places, 255, 255, 255))
        parts = painting.unfold(1, SIDE, 1).unfold(2, SIDE, 1).permute(1, 2, 0, 3, 4)
        colours = (1 + drawn[:, 2:]).to(torch.uint8)[:, :, None, None]
        if index.device.type != "cpu":
            return sprites ^ _mean(parts[drawn[:, 0], drawn[:, 1]], colours)
        rows, columns = drawn[:, :2].numpy().T  # on one core, as in DSprites
        mean = _mean(parts.numpy()[rows, columns], colours.numpy())
        return torch.from_numpy(sprites.numpy() ^ mean)

    def to(self, device: torch.device | str) -> Self:
        """Keeps the sprites on a GPU, see DSprites, and the painting with them."""
        self._sprites.to(device)
        self._painting = self._painting.to(device)
        return self


def read_painting(file: Path) -> UInt8[np.ndarray, "3 h w"]:
    """A picture in RGB, shrunk into FRAME as the study's version of Pillow did.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: It is no JPEG or PNG, is damaged, or too narrow to cut pictures from.
    """
    if not file.is_file():
        raise FileNotFoundError(
            f"there is no file {file}. Download a painting as JPEG or PNG; nothing is downloaded "
            "here."
        )
    try:
        with Image.open(file, formats=("JPEG", "PNG")) as picture:
            picture.draft(None, FRAME)  # a JPEG is read at 1/2, 1/4 or 1/8 where that is enough
            painting = picture.convert("RGB")
    except PermissionError:  # nothing is wrong with the file
        raise
    except Exception as error:  # damaged bytes lead Pillow to errors of many kinds
        raise ValueError(
            f"{file} cannot be read as a JPEG or PNG: {error}. Download it again."
        ) from error
    painting.thumbnail(FRAME, Image.Resampling.BICUBIC, reducing_gap=None)
    if min(painting.size) <= SIDE:
        raise ValueError(
            f"{file} has {painting.width} x {painting.height} pixels once it is shrunk into "
            f"{FRAME[0]} x {FRAME[1]}, but more than {SIDE} are wanted on each side. Take another "
            "picture."
        )
    return np.ascontiguousarray(np.asarray(painting).transpose(2, 0, 1))


def _painted(how: Callable[[Any, Any], Any], sprites: Tensor, other: Tensor) -> Tensor:
    """`how` of both, pixel by pixel; on the CPU on one core, as in DSprites."""
    if sprites.device.type != "cpu":
        return how(sprites, other)
    return torch.from_numpy(how(sprites.numpy(), other.numpy()))


def _mean(one: Any, other: Any) -> Any:
    """Of bytes, rounded down: with `other` = 1 + floor(255 u), the mean with 255 u, rounded."""
    return (one & other) + ((one ^ other) >> 1)
