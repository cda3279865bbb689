# SPDX-License-Identifier: Apache-2.0
"""3D Shapes, from its official file."""

import os
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from jaxtyping import Int, UInt8
from rich.progress import track
from torch import Tensor

from disent.data.base import FactorDataset
from disent.data.files import release, source_key
from disent.data.stored_pictures import StoredPictures
from disent.files import expanded
from disent.grid import FactorGrid

GRID = FactorGrid(
    ("floor_hue", "wall_hue", "object_hue", "scale", "shape", "orientation"),
    (10, 10, 10, 8, 4, 15),
)
SCALES = np.linspace(0.75, 1.25, 8)
ORIENTATIONS = np.linspace(-30, 30, 15)  # degrees
HUES = np.arange(10) / 10
VALUES = (HUES, HUES, HUES, SCALES, np.arange(4.0), ORIENTATIONS)  # what `labels` holds
CHUNK = 2000  # pictures read at a time: 25 MB
HOME = "https://github.com/google-deepmind/3d-shapes"


class Shapes3D(FactorDataset):
    """3D Shapes (Burgess & Kim, 2018, https://github.com/google-deepmind/3d-shapes).

    The 480,000 pictures of the official file, converted once into the cache folder (5.9 GB, bytes,
    channels first) and read from there by memory map.

    Args:
        path: 3dshapes.h5.
    Raises:
        FileNotFoundError: There is no file at `path`.
        ValueError: It is not the official file, or damaged.
        OSError: The disk has no room.
    """

    grid = GRID
    channels = 3

    def __init__(self, path: str | os.PathLike[str]) -> None:
        file = expanded(path)
        if not file.is_file():
            raise FileNotFoundError(
                f"there is no file {file}. Download 3dshapes.h5 (see {HOME}), or take "
                "Shapes3DLookalike, which is rendered and only looks like it."
            )
        self._pictures = StoredPictures(
            f"shapes3d-official-1-{source_key(file)}",
            (len(self.grid), 3, 64, 64),
            lambda array: convert(file, self.grid, VALUES, array),
        )

    @property
    def fingerprint(self) -> str:
        return f"3D Shapes, official file, {self._pictures.digest}"

    def images(self, index: Int[Tensor, "b"]) -> UInt8[Tensor, "b 3 64 64"]:
        return self._pictures.images(index)

    def to(self, device: torch.device | str) -> Self:
        """Keeps the pictures on a GPU where they take less than half of its free memory."""
        self._pictures.to(device)
        return self


def convert(
    file: Path, grid: FactorGrid, values: tuple[np.ndarray, ...], array: np.ndarray
) -> None:
    """Writes the file's pictures, channels first, into uint8 `array` [N, 3, 64, 64] by flat index.

    Args:
        file: HDF5 with `images` uint8 [N, 64, 64, 3] and `labels` [N, K], in any order of rows.
        grid: What the file must hold, each point once.
        values: For each factor, the labels of its values.
        array: Where to write.
    Raises:
        ValueError: The file does not hold that.
    """
    import h5py  # here: nothing else needs it

    try:
        with h5py.File(file, "r", locking=False) as store:
            images, labels = store.get("images"), store.get("labels")
            if not isinstance(images, h5py.Dataset) or not isinstance(labels, h5py.Dataset):
                raise ValueError(f"it has {list(store)}, but images and labels are wanted")
            if images.shape != (len(grid), 64, 64, 3) or images.dtype != np.uint8:
                raise ValueError(
                    f"images has shape {list(images.shape)} and dtype {images.dtype}, but uint8 "
                    f"of shape [{len(grid)}, 64, 64, 3] is wanted"
                )
            _check_labels(labels, grid)
            rows = _order(labels[:], grid, values)
            for start in track(range(0, len(grid), CHUNK), "converting 3D Shapes"):
                chunk = images[start : start + CHUNK]
                array[rows[start : start + len(chunk)]] = chunk.transpose(0, 3, 1, 2)
                release(array)
    except (OSError, ValueError, RuntimeError) as error:  # h5py raises no others
        told = " ".join(str(error).split())
        raise ValueError(
            f"{file} cannot be read as the official 3dshapes.h5: {told}. Download it again "
            f"(see {HOME})."
        ) from error


def _check_labels(labels: Any, grid: FactorGrid) -> None:
    """Raises ValueError for labels of another kind; before they are read, for they may be huge."""
    wanted = (len(grid), len(grid.sizes))
    if labels.shape != wanted:
        came = "no shape" if labels.shape is None else f"shape {list(labels.shape)}"
        raise ValueError(f"labels has {came}, but {list(wanted)} is wanted")
    if labels.dtype.kind not in "fiu":
        raise ValueError(f"labels has dtype {labels.dtype}, but numbers are wanted")


def _order(labels: np.ndarray, grid: FactorGrid, values: tuple[np.ndarray, ...]) -> np.ndarray:
    """The flat index of each row, by its own labels."""
    factors = np.empty(labels.shape, np.int64)
    for k, known in enumerate(values):
        factors[:, k] = np.abs(labels[:, k, None] - known).argmin(1)
        if not np.allclose(known[factors[:, k]], labels[:, k], rtol=0, atol=1e-4):
            raise ValueError(f"labels holds values of {grid.names[k]} that are not in {known}")
    rows = grid.index(torch.from_numpy(factors)).numpy()
    if len(np.unique(rows)) != len(grid):
        raise ValueError("labels names some points of the grid twice and others never")
    return rows
