# SPDX-License-Identifier: Apache-2.0
"""Arrays that came from outside: read from an .npz without trusting it; and pictures of such."""

import hashlib
import zipfile
from pathlib import Path
from typing import IO

import numpy as np
import torch
from jaxtyping import Int, UInt8
from torch import Tensor

from disent.data.base import PictureDataset, check_index
from disent.factors import NumberedFactors
from disent.memory import memory_left

WANTED, ALLOWED = ("codes", "factors"), ("names", "images")


def read_arrays(path: Path) -> dict[str, np.ndarray]:
    """The arrays of a file by name, each of which NumPy reads without executing anything.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: It is no .npz, lacks an array that is wanted, or holds objects.
    """
    if not path.is_file():
        raise FileNotFoundError(f"there is no file {path}. numpy.savez writes one.")
    with path.open("rb") as stream:  # which NumPy leaves open where it fails
        return _read(path, stream)


def _read(path: Path, stream: IO[bytes]) -> dict[str, np.ndarray]:
    try:
        file = np.load(stream, allow_pickle=False)
    except Exception as error:  # zipfile and numpy meet damage with errors of ten types
        raise ValueError(f"{path} is torn, or is no .npz of arrays: {error}") from error
    if isinstance(file, np.ndarray):
        raise ValueError(f"{path} holds one array, but an .npz is wanted: numpy.savez writes it.")
    with file:
        _check_room(path, file.zip)
        missing = [name for name in WANTED if name not in file]
        if missing:
            raise ValueError(
                f"{path} has no array {' and no array '.join(missing)}. It has: "
                f"{', '.join(file.files) or 'nothing'}. Wanted are {' and '.join(WANTED)}, "
                f"and taken are {' and '.join(ALLOWED)}."
            )
        found = {}
        for name in (*WANTED, *ALLOWED):
            try:
                if name in file:
                    found[name] = _array(file[name])
            except Exception as error:
                raise ValueError(
                    f"{name} of {path} cannot be read: {error}. Arrays of objects are not taken: "
                    "give numbers, or strings of one length (numpy.array(..., str))."
                ) from error
    return found


def _array(found: np.ndarray | bytes) -> np.ndarray:
    """What NumPy makes of a member: bytes, where it is no array."""
    if not isinstance(found, np.ndarray):
        raise ValueError("it is no array")
    return found


def _check_room(path: Path, archive: zipfile.ZipFile) -> None:
    """Raises ValueError where the arrays, unpacked, would not leave half of the memory free."""
    size = sum(part.file_size for part in archive.infolist())
    left = memory_left()
    room = size if left is None else left // 2
    if size > room:
        raise ValueError(
            f"the arrays of {path} take {size / 1e9:.1f} GB unpacked, but {room / 1e9:.1f} GB may "
            "be used here: leave images out, or give fewer rows."
        )


def digest_of(arrays: dict[str, np.ndarray]) -> str:
    """SHA-256 of names, shapes, types and all bytes."""
    sha = hashlib.sha256()
    for name, array in arrays.items():
        sha.update(f"{name} {array.shape} {array.dtype.str}".encode())
        sha.update(np.ascontiguousarray(array).tobytes())
    return sha.hexdigest()


class GivenPictures(PictureDataset):
    """Pictures in main memory, with their factors.

    Args:
        images: [n, h, w], [n, h, w, c] or [n, c, h, w] with c 1 or 3: bytes, truth values, or
            fractions from 0 to 1, which are rounded to 255ths.
        factors: Of the same pictures.
        fingerprint: Of the arrays.
    """

    def __init__(self, images: np.ndarray, factors: NumberedFactors, fingerprint: str) -> None:
        self._pictures = torch.from_numpy(_channels_first(_bytes(images)))
        self.channels = self._pictures.shape[1]
        self.size = (self._pictures.shape[2], self._pictures.shape[3])
        self.names, self._factors = factors.names, factors.values
        self._fingerprint = fingerprint

    @property
    def fingerprint(self) -> str:
        return self._fingerprint

    def __len__(self) -> int:
        return len(self._pictures)

    def images(self, index: Int[Tensor, "b"]) -> UInt8[Tensor, "b c h w"]:
        check_index(index, len(self))
        return self._pictures[index]

    def factors(self, index: Int[Tensor, "b"]) -> Int[Tensor, "b k"]:
        return self._factors[index]


def _bytes(images: np.ndarray) -> np.ndarray:
    if images.dtype == np.bool_:
        return images.astype(np.uint8) * 255
    if images.dtype == np.uint8:
        return images
    if images.dtype.kind == "f" and images.size and images.min() >= 0 and images.max() <= 1:
        return np.rint(images * 255).astype(np.uint8)
    ends = f", from {images.min()} to {images.max()}" if images.dtype.kind in "iuf" else ""
    raise ValueError(
        f"images has dtype {images.dtype}{ends}, but bytes, truth values, or fractions from 0 to 1 "
        "are wanted: scale them, or leave images away to go without PCA."
    )


def _channels_first(images: np.ndarray) -> np.ndarray:
    if images.ndim == 3:
        return images[:, None]
    if images.ndim == 4 and images.shape[-1] in (1, 3):
        return np.ascontiguousarray(np.moveaxis(images, -1, 1))
    if images.ndim == 4 and images.shape[1] in (1, 3):
        return images
    raise ValueError(
        f"images has shape {list(images.shape)}, but [n, h, w], [n, h, w, c] or [n, c, h, w] is "
        "wanted, with 1 or 3 channels c."
    )
