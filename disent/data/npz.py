# SPDX-License-Identifier: Apache-2.0
"""Arrays of bytes in an .npz, read some rows at a time: never unpickled, never whole in memory."""

import lzma
import struct
import tokenize
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

import numpy as np
from numpy.lib import format as npy

# what damaged bytes make of zipfile (NotImplementedError too) and of NumPy's header
DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    MemoryError,
    tokenize.TokenError,
    EOFError,
    OSError,
    KeyError,
    RuntimeError,
    TypeError,
    ValueError,
)

Rows = Iterator[np.ndarray]


def header(member: IO[bytes]) -> tuple[tuple[int, ...], np.dtype, bool]:
    """Shape, dtype, and whether the first index runs fastest, of an array that begins here."""
    version = npy.read_magic(member)
    read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
    shape, fortran, dtype = read(member)
    return shape, dtype, fortran


@contextmanager
def table(
    archive: zipfile.ZipFile, name: str, count: int
) -> Iterator[tuple[tuple[int, ...], Rows]]:
    """Shape of the uint8 array `name` of an archive, and its rows, `count` at a time.

    The archive's checksum of the array is compared when the last row has been read.

    Raises:
        ValueError: There is no such array, or it is no table of bytes in row order.
        DAMAGE: Whatever damaged bytes lead to, here or while rows are read.
    """
    if f"{name}.npy" not in archive.namelist():
        raise ValueError(f"the archive has no {name}.npy, but {', '.join(archive.namelist())}")
    with archive.open(f"{name}.npy") as member:
        shape, dtype, fortran = header(member)
        if dtype != np.uint8 or fortran or not shape:
            raise ValueError(f"{name} has dtype {dtype}, but uint8 in row order is wanted")
        yield shape, _rows(member, name, shape, count)


def _rows(member: IO[bytes], name: str, shape: tuple[int, ...], count: int) -> Rows:
    size = int(np.prod(shape[1:]))
    for start in range(0, shape[0], count):
        rows = min(count, shape[0] - start)
        data = member.read(rows * size)
        if len(data) != rows * size:
            raise ValueError(f"{name} ends after {start + len(data) // size} pictures")
        yield np.frombuffer(data, np.uint8).reshape(rows, *shape[1:])
    if member.read(1):  # and with it the checksum
        raise ValueError(f"{name} goes on after its {shape[0]} pictures")
