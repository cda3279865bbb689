# SPDX-License-Identifier: Apache-2.0
"""SmallNORB, both parts as one grid, from the six official files."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Self

import numpy as np
import torch
from jaxtyping import Int, UInt8
from PIL import Image
from rich.progress import track
from torch import Tensor

from disent.data import binary_matrix
from disent.data.base import FactorDataset
from disent.data.files import release, source_key
from disent.data.stored_pictures import StoredPictures
from disent.grid import FactorGrid

GRID = FactorGrid(("category", "instance", "elevation", "azimuth", "lighting"), (5, 10, 9, 18, 6))
PARTS = {  # which instances of each category a part has
    "5x46789x9x18x6x2x96x96-training": (4, 6, 7, 8, 9),
    "5x01235x9x18x6x2x96x96-testing": (0, 1, 2, 3, 5),
}
SIDE = 96  # of the pictures in the files, in pixels
CHUNK = 500  # pairs of pictures read at a time: 9 MB
BYTE, INTEGER = np.dtype(np.uint8), np.dtype("<i4")
MD5 = {  # of the files, unpacked; both -cat files are the same
    "smallnorb-5x46789x9x18x6x2x96x96-training-dat.mat": "8138a0902307b32dfa0025a36dfa45ec",
    "smallnorb-5x46789x9x18x6x2x96x96-training-cat.mat": "fd5120d3f770ad57ebe620eb61a0b633",
    "smallnorb-5x46789x9x18x6x2x96x96-training-info.mat": "19faee774120001fc7e17980d6960451",
    "smallnorb-5x01235x9x18x6x2x96x96-testing-dat.mat": "e9920b7f7b2869a8f1a12e945b2c166c",
    "smallnorb-5x01235x9x18x6x2x96x96-testing-cat.mat": "fd5120d3f770ad57ebe620eb61a0b633",
    "smallnorb-5x01235x9x18x6x2x96x96-testing-info.mat": "7c5b871cc69dcadec1bf6a18141f5edc",
}
HOME = "https://cs.nyu.edu/~ylclab/data/norb-v1.0-small/"


class SmallNORB(FactorDataset):
    """SmallNORB: 50 toys by elevation, azimuth and lighting, grey, in 64 x 64 pixels.

    LeCun, Huang & Bottou (2004), "Learning Methods for Generic Object Recognition with Invariance
    to Pose and Lighting", https://cs.nyu.edu/~ylclab/data/norb-v1.0-small/. Both parts together
    are a whole grid of 48,600 pictures: ten instances of each of five categories. As in Locatello
    et al. (2019), https://arxiv.org/abs/1811.12359, each is that of the first camera, its 96 x 96
    pixels shrunk by Pillow's Lanczos filter in whole numbers; where the filter leaves 0 to 255,
    that study kept the value and here it is clipped. That study does not score `instance`, which is
    a factor here. The pictures are converted once into the cache folder (199 MB).
    --loader.held_out "instance <= 3 or instance == 5" trains on the official training part.

    Args:
        path: Folder of the six files smallnorb-5x46789x9x18x6x2x96x96-training-{dat,cat,info}.mat
            and smallnorb-5x01235x9x18x6x2x96x96-testing-{dat,cat,info}.mat, packed (.gz) or not.
    Raises:
        FileNotFoundError: One of the files is missing.
        ValueError: One is not the official file, cut short, or torn.
        OSError: The disk has no room.
    """

    grid = GRID
    channels = 1

    def __init__(self, path: str | os.PathLike[str]) -> None:
        files = {name: binary_matrix.find(path, name, HOME) for name in MD5}
        self._pictures = StoredPictures(
            f"smallnorb-official-1-{source_key(*files.values())}",
            (len(self.grid), 1, 64, 64),
            lambda array: convert(files, self.grid, MD5, array),
        )

    @property
    def fingerprint(self) -> str:
        return f"SmallNORB, official files, {self._pictures.digest}"

    def images(self, index: Int[Tensor, "b"]) -> UInt8[Tensor, "b 1 64 64"]:
        return self._pictures.images(index)

    def to(self, device: torch.device | str) -> Self:
        """Keeps the pictures on a GPU where they take less than half of its free memory."""
        self._pictures.to(device)
        return self


def convert(
    files: Mapping[str, Path], grid: FactorGrid, md5: Mapping[str, str], array: np.ndarray
) -> None:
    """Writes the first camera's pictures into uint8 `array` [N, 1, 64, 64] by flat index.

    Args:
        files: By their official names, see MD5.
        grid: What both parts must hold together, each point once, in any order.
        md5: Of the unpacked files, by their official names.
        array: Where to write.
    Raises:
        ValueError: A file does not hold its share, or is damaged.
    """
    pairs = len(grid) // len(PARTS)
    for part in PARTS:
        rows = _order(files, grid, md5, part)
        name, start = f"smallnorb-{part}-dat.mat", 0
        chunks = binary_matrix.read(files[name], BYTE, (pairs, 2, SIDE, SIDE), md5[name], CHUNK)
        told = f"converting SmallNORB, {part.rpartition('-')[2]}"
        for chunk in track(chunks, told, total=-(-pairs // CHUNK)):
            array[rows[start : start + len(chunk)], 0] = [shrunk(pair[0]) for pair in chunk]
            start += len(chunk)
            release(array)


def shrunk(picture: np.ndarray) -> np.ndarray:
    """A picture uint8 [96, 96] as uint8 [64, 64]."""
    whole = Image.fromarray(picture).convert("I")  # 32 bits: as in the study, rounded, not clipped
    small = np.asarray(whole.resize((64, 64), Image.Resampling.LANCZOS))
    return small.clip(0, 255).astype(np.uint8)


def _order(
    files: Mapping[str, Path], grid: FactorGrid, md5: Mapping[str, str], part: str
) -> np.ndarray:
    """The flat index of each picture of a part, by its own labels."""
    pairs = len(grid) // len(PARTS)
    cat, info = f"smallnorb-{part}-cat.mat", f"smallnorb-{part}-info.mat"
    (category,) = binary_matrix.read(files[cat], INTEGER, (pairs,), md5[cat], pairs)
    (others,) = binary_matrix.read(files[info], INTEGER, (pairs, 4), md5[info], pairs)
    factors = np.column_stack([category, others]).astype(np.int64)
    factors[:, 3] //= 2  # azimuths are counted in tens of degrees, every 20
    try:
        rows = grid.index(torch.from_numpy(factors)).numpy()
    except IndexError as error:
        raise ValueError(f"{files[cat]} and {info}: {error} Take the official files.") from None
    if len(np.unique(rows)) != pairs or not np.isin(factors[:, 1], PARTS[part]).all():
        raise ValueError(
            f"{files[cat]} and {info} name some pictures twice, or instances other than "
            f"{', '.join(map(str, PARTS[part]))}. Take the official files of this part."
        )
    return rows
