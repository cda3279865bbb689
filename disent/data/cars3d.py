# SPDX-License-Identifier: Apache-2.0
"""Cars3D, from the official MATLAB files, packed or not."""

import gzip
import io
import os
import tarfile
import warnings
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Self

import numpy as np
import torch
from jaxtyping import Int, UInt8
from PIL import Image
from rich.progress import track
from torch import Tensor

from disent.data.base import FactorDataset
from disent.data.files import md5, release, source_key
from disent.data.stored_pictures import StoredPictures
from disent.files import expanded
from disent.grid import FactorGrid

GRID = FactorGrid(("elevation", "azimuth", "object_type"), (4, 24, 183))
SIDE = 128  # of the pictures in the files, in pixels
LARGEST = 64 * 2**20  # bytes of a packed file; the official ones have about 2 MB
KNOWN = "4e866a7919c1beedf53964e6f7a23686"  # MD5 of the official archive
HOME = "http://www.scottreed.info"


class Cars3D(FactorDataset):
    """Cars3D: 183 models of cars, turned by 24 azimuths and 4 elevations, in 64 x 64 pixels.

    The pictures of Fidler, Dickinson & Urtasun (2012), as Reed et al. (2015), "Deep Visual
    Analogy-Making", https://papers.nips.cc/paper/5845-deep-visual-analogy-making, published them.
    Their 128 x 128 pixels are halved by Pillow's Lanczos filter as in Locatello et al. (2019),
    https://arxiv.org/abs/1811.12359, nothing is cut off, and kept once in the cache folder (216
    MB). Cars are numbered by the names of their files; that study took them as its file system
    listed them, which no score sees.

    Args:
        path: nips2015-analogy-data.tar.gz, of which nothing is unpacked on disk; or its folder
            data/cars of 183 files car_NNN_mesh.mat.
    Raises:
        FileNotFoundError: There is nothing at `path`, or no such file in the folder.
        ValueError: It is not the official data, or damaged.
        OSError: The disk has no room.
    """

    grid = GRID
    channels = 3

    def __init__(self, path: str | os.PathLike[str]) -> None:
        place = expanded(path)
        self._pictures = StoredPictures(
            f"cars3d-official-1-{source_key(*_sources(place))}",
            (len(self.grid), 3, 64, 64),
            lambda array: convert(place, self.grid, KNOWN, array),
        )

    @property
    def fingerprint(self) -> str:
        return f"Cars3D, official files, {self._pictures.digest}"

    def images(self, index: Int[Tensor, "b"]) -> UInt8[Tensor, "b 3 64 64"]:
        return self._pictures.images(index)

    def to(self, device: torch.device | str) -> Self:
        """Keeps the pictures on a GPU where they take less than half of its free memory."""
        self._pictures.to(device)
        return self


def convert(place: Path, grid: FactorGrid, known: str, array: np.ndarray) -> None:
    """Writes the cars' pictures, channels first, into uint8 `array` [N, 3, 64, 64] by flat index.

    Args:
        place: A folder of .mat files with `im` uint8 [128, 128, 3, azimuths, elevations], or a
            .tar.gz with such a folder `cars`.
        grid: Elevations, azimuths and cars that it must hold.
        known: MD5 of the official archive. Another one may have been packed anew: it is taken with
            a warning, for it carries a checksum of its own.
        array: Where to write.
    Raises:
        ValueError: It does not hold that, or a file is damaged.
    """
    elevations, azimuths, cars = grid.sizes
    if not place.is_dir() and md5(place) != known:
        warnings.warn(
            f"{place} has another MD5 than the official nips2015-analogy-data.tar.gz. It is taken "
            "as such where its layout is right: check where it is from.",
            stacklevel=2,
        )
    shape = (SIDE, SIDE, 3, azimuths, elevations)
    pictures: dict[str, np.ndarray] = {}
    for name, raw in track(_meshes(place), "converting Cars3D", total=cars):
        pictures[name] = halved(_read(f"{place}, {name}", raw, shape))
        if len(pictures) > cars:
            break
    if len(pictures) != cars:
        raise ValueError(
            f"{place} holds {'more' if len(pictures) > cars else len(pictures)} .mat files of "
            f"cars, but {cars} are wanted. Take the whole of the official data (see {HOME})."
        )
    places = array.reshape(elevations, azimuths, cars, 3, 64, 64)
    for car, name in enumerate(sorted(pictures)):
        places[:, :, car] = pictures.pop(name)
    release(array)


def halved(mesh: np.ndarray) -> np.ndarray:
    """Pictures [H, W, 3, azimuths, elevations] as uint8 [elevations, azimuths, 3, 64, 64]."""
    views = np.ascontiguousarray(mesh.transpose(4, 3, 0, 1, 2))
    small = np.empty((*views.shape[:2], 64, 64, 3), np.uint8)
    for view in np.ndindex(*views.shape[:2]):
        picture = Image.fromarray(views[view])
        small[view] = np.asarray(picture.resize((64, 64), Image.Resampling.LANCZOS))
    return small.transpose(0, 1, 4, 2, 3)


def _sources(place: Path) -> list[Path]:
    """The files that are read: the archive, or those in the folder."""
    files = _in_folder(place) if place.is_dir() else [place]
    if not files or not place.exists():
        raise FileNotFoundError(
            f"{place} {'has no .mat files' if place.is_dir() else 'does not exist'}. Download "
            f"nips2015-analogy-data.tar.gz from {HOME}, and name it or its folder data/cars; "
            "nothing is downloaded here."
        )
    return files


def _in_folder(folder: Path) -> list[Path]:
    return sorted(file for file in folder.glob("*.mat") if not file.name.startswith("."))


def _meshes(place: Path) -> Iterator[tuple[str, bytes]]:
    """Names and contents of the .mat files, one at a time."""
    if place.is_dir():
        yield from ((file.name, file.read_bytes()) for file in _in_folder(place))
        return
    try:
        with gzip.open(place) as unpacked, tarfile.open(fileobj=unpacked, mode="r|") as archive:
            for member in archive:
                name = PurePosixPath(member.name)
                wanted = name.parent.name == "cars" and name.suffix == ".mat"
                if not wanted or name.name.startswith("."):
                    continue
                content = archive.extractfile(member) if member.isreg() else None
                if content is None or member.size > LARGEST:
                    raise ValueError(f"its {name} is no file of a car")
                yield name.name, content.read()
            while unpacked.read(2**20):  # to the end, where the checksum is
                pass
    except PermissionError:  # nothing is wrong with the file
        raise
    except (tarfile.TarError, zlib.error, EOFError, OSError, ValueError) as error:
        raise ValueError(
            f"{place} cannot be read as nips2015-analogy-data.tar.gz: {error}. Download it again "
            f"from {HOME}."
        ) from error


def _read(told: str, raw: bytes, shape: tuple[int, ...]) -> np.ndarray:
    """`im` of a MATLAB file, if it is uint8 of this shape; looked at before it is unpacked."""
    from scipy.io import loadmat, whosmat  # loading it takes a second

    try:
        kinds = {name: f"{kind} {list(found)}" for name, found, kind in whosmat(io.BytesIO(raw))}
        if kinds.get("im") != f"uint8 {list(shape)}":
            found = kinds.get("im", f"only {', '.join(kinds) or 'nothing'}")
            raise ValueError(f"as im it has {found}, but uint8 {list(shape)} is wanted")
        return loadmat(io.BytesIO(raw), variable_names=["im"])["im"]
    except Exception as error:  # damaged bytes lead SciPy to errors of many kinds
        raise ValueError(
            f"{told} cannot be read as an official file of Cars3D: {error}. Download the data "
            f"again from {HOME}."
        ) from error
