# SPDX-License-Identifier: Apache-2.0
"""The official dSprites files, packed to one bit a pixel, a chunk at a time."""

import os
import zipfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import torch
from numpy.lib import format as npy

from disent.data import npz
from disent.data.files import release, source_key
from disent.files import expanded
from disent.grid import FactorGrid

CHUNK = 8192  # pictures read at a time
HOME = "https://github.com/google-deepmind/dsprites-dataset"
Images = Iterator[np.ndarray]


def prepare(
    path: str | os.PathLike[str], grid: FactorGrid
) -> tuple[str, Callable[[np.ndarray], None]]:
    """The name under which to keep the packed pictures of a file, and what packs them.

    Args:
        path: The official .npz (members `imgs`, `latents_classes`; `metadata`, a pickle, is never
            read) or .hdf5 (`imgs`, `latents/classes`).
        grid: What the file must hold, each point once, in any order.
    Raises:
        FileNotFoundError: There is no such file.
        ValueError: Its name ends in neither .npz nor .hdf5 nor .h5.
    """
    file = expanded(path)
    if not file.is_file():
        raise FileNotFoundError(
            f"there is no file {file}. Download dSprites from {HOME}, or leave the path out to "
            "have it rendered."
        )
    if file.suffix not in READERS:
        raise ValueError(
            f"{file} ends in none of {', '.join(READERS)}. The official files are "
            f"dsprites_ndarray_co1sh3sc6or40x32y32_64x64.npz and .hdf5, from {HOME}."
        )
    return f"dsprites-official-1-{source_key(file)}", lambda array: pack(file, grid, array)


def pack(file: Path, grid: FactorGrid, array: np.ndarray) -> None:
    """Writes the file's pictures, 8 pixels a byte, into uint8 `array` [N, 512] by flat index.

    Raises:
        PermissionError: The file may not be read.
        ValueError: It is not the official file, or damaged. The .npz carries a checksum of every
            member; a damaged byte among the pictures of an .hdf5 may go unseen.
    """
    with ExitStack() as stack:
        try:
            classes, shape, images = READERS[file.suffix](file, grid, stack)
            rows = _order(classes, grid)
            _check_shape(shape, len(grid))
            start = 0
            for chunk in images:
                if chunk.max() > 1:
                    raise ValueError(f"imgs holds the value {chunk.max()}, but only 0 and 1 occur")
                flat = chunk.reshape(len(chunk), -1)
                array[rows[start : start + len(chunk)]] = np.packbits(flat, -1, bitorder="little")
                start += len(chunk)
                release(array)
        except PermissionError:  # nothing is wrong with the file
            raise
        except npz.DAMAGE as error:  # h5py raises no others
            told = " ".join(str(error).split())
            raise ValueError(
                f"{file} cannot be read as the official dSprites file: {told}. Download it again "
                f"from {HOME}, or leave the path out to have dSprites rendered."
            ) from error


def _read_npz(
    file: Path, grid: FactorGrid, stack: ExitStack
) -> tuple[np.ndarray, tuple[int, ...], Images]:
    archive = stack.enter_context(zipfile.ZipFile(file))
    members = {"imgs.npy", "latents_classes.npy"}
    if missing := members - set(archive.namelist()):
        raise ValueError(f"the archive has no {', '.join(sorted(missing))}")
    with archive.open("latents_classes.npy") as member:
        shape, dtype, _ = npz.header(member)
        _check_labels(shape, dtype, grid)
    with archive.open("latents_classes.npy") as member:
        classes = npy.read_array(member, allow_pickle=False)
    shape, images = stack.enter_context(npz.table(archive, "imgs", CHUNK))
    return classes, shape, images


def _read_hdf5(
    file: Path, grid: FactorGrid, stack: ExitStack
) -> tuple[np.ndarray, tuple[int, ...], Images]:
    import h5py  # here: rendered pictures need none

    # unlocked: some file systems know no locks, and what is only read needs none
    store = stack.enter_context(h5py.File(file, "r", locking=False))
    imgs, classes = store.get("imgs"), store.get("latents/classes")
    if not isinstance(imgs, h5py.Dataset) or not isinstance(classes, h5py.Dataset):
        raise ValueError(f"it has {list(store)}, but imgs and latents/classes are wanted")
    _check_labels(classes.shape, classes.dtype, grid)
    if imgs.dtype != np.uint8:
        raise ValueError(f"imgs has dtype {imgs.dtype}, but uint8 is wanted")

    def images() -> Images:
        for start in range(0, imgs.shape[0], CHUNK):
            yield imgs[start : start + CHUNK]

    return classes[:], imgs.shape, images()


def _check_labels(shape: tuple[int, ...] | None, dtype: np.dtype, grid: FactorGrid) -> None:
    """Raises ValueError for labels of another kind; before they are read, for they may be huge."""
    wanted = (len(grid), 1 + len(grid.sizes))
    if shape != wanted or dtype.kind not in "iu":
        came = "no shape" if shape is None else f"shape {list(shape)}"
        raise ValueError(
            f"latents_classes has {came} and dtype {dtype}, but integers of shape {list(wanted)} "
            "are wanted"
        )


def _order(classes: np.ndarray, grid: FactorGrid) -> np.ndarray:
    """The flat index of each row, by the file's own labels: colour, then the factors."""
    if classes[:, 0].any():
        raise ValueError("latents_classes has more than one colour in its first column")
    try:
        rows = grid.index(torch.from_numpy(classes[:, 1:].astype(np.int64))).numpy()
    except IndexError as error:
        raise ValueError(f"latents_classes: {error}") from None
    if len(np.unique(rows)) != len(grid):
        raise ValueError("latents_classes names some points of the grid twice and others never")
    return rows


def _check_shape(shape: tuple[int, ...] | None, pictures: int) -> None:
    if shape != (pictures, 64, 64):
        came = "no shape" if shape is None else f"shape {list(shape)}"
        raise ValueError(f"imgs has {came}, but [{pictures}, 64, 64] is wanted")


READERS = {".npz": _read_npz, ".hdf5": _read_hdf5, ".h5": _read_hdf5}
