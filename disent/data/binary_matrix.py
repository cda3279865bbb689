# SPDX-License-Identifier: Apache-2.0
"""The binary matrices of NORB: a magic number, sizes, and numbers, little end first."""

import gzip
import hashlib
import math
import os
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import numpy as np

from disent.files import expanded

MAGIC = {np.dtype(np.uint8): 0x1E3D4C55, np.dtype("<i4"): 0x1E3D4C54}
FEWEST = 3  # sizes that a header has, where there are fewer dimensions
PACKED = b"\x1f\x8b"  # how gzip begins


def find(folder: str | os.PathLike[str], name: str, home: str) -> Path:
    """The file `name` in a folder, or `name`.gz.

    Raises:
        FileNotFoundError: Neither is there.
        NotADirectoryError: `folder` is no folder.
    """
    folder = expanded(folder)
    if folder.exists() and not folder.is_dir():
        raise NotADirectoryError(f"{folder} is a file, but the folder of the matrices is wanted.")
    for spelling in (name, f"{name}.gz"):
        if (folder / spelling).is_file():
            return folder / spelling
    raise FileNotFoundError(
        f"{folder} has neither {name} nor {name}.gz. Download it from {home}; nothing is "
        "downloaded here."
    )


def read(
    file: Path, dtype: np.dtype, shape: tuple[int, ...], md5: str, count: int
) -> Iterator[np.ndarray]:
    """The rows of a matrix, `count` at a time, from a file that may be packed by gzip.

    Args:
        file: Magic number, number of dimensions and at least three sizes, four bytes each, then the
            numbers, the last dimension fastest.
        dtype: That it must have: one of MAGIC.
        shape: That it must have.
        md5: Of the file, unpacked; compared when the last row has been read.
        count: Rows at a time.
    Raises:
        ValueError: It is another matrix, cut short, too long, or torn.
    """
    sizes = (*shape, *[1] * (FEWEST - len(shape)))
    header = np.array([MAGIC[dtype], len(shape), *sizes], "<i4").tobytes()
    with _unpacked(file) as stream:
        found = stream.read(len(header))
        if found != header:
            raise ValueError(
                f"{file} begins with {found[:24].hex(' ', 4) or 'nothing'}, but a matrix of "
                f"{' x '.join(map(str, shape))} numbers ({dtype}) begins with "
                f"{header[:24].hex(' ', 4)}. Take the official file of this name."
            )
        known, row = hashlib.md5(header), math.prod(shape[1:]) * dtype.itemsize
        for start in range(0, shape[0], count):
            rows = min(count, shape[0] - start)
            data = stream.read(rows * row)
            if len(data) != rows * row:
                raise ValueError(
                    f"{file} is cut short: it ends after {start + len(data) // row:,} of "
                    f"{shape[0]:,} rows. Download it again."
                )
            known.update(data)
            yield np.frombuffer(data, dtype).reshape(rows, *shape[1:])
        if stream.read(1):
            raise ValueError(f"{file} goes on after its {shape[0]:,} rows. Download it again.")
    if known.hexdigest() != md5:
        raise ValueError(
            f"{file} has the MD5 {known.hexdigest()} (unpacked), but the official file has {md5}. "
            "Download it again."
        )


@contextmanager
def _unpacked(file: Path) -> Iterator[IO[bytes]]:
    with file.open("rb") as raw:
        packed = raw.read(2) == PACKED
        raw.seek(0)
        try:
            yield gzip.GzipFile(fileobj=raw) if packed else raw  # pyright: ignore
        except (gzip.BadGzipFile, EOFError, zlib.error) as error:
            raise ValueError(
                f"{file} is torn: gzip cannot unpack it ({error}). Download it again."
            ) from None
