# SPDX-License-Identifier: Apache-2.0
"""IDX, the format of MNIST and its kin: a magic number, sizes, and bytes in row-major order."""

import gzip
import math
import os
import zlib
from pathlib import Path

import numpy as np

from disent.files import expanded

BYTES = 8  # type code of unsigned bytes, the only one that pictures and labels use
LARGEST = 2**30  # bytes, unpacked; those of EMNIST have up to 547 million
PACKED = b"\x1f\x8b"  # how gzip begins
WHAT = {1: "labels", 3: "pictures"}  # by number of dimensions


def find(folder: str | os.PathLike[str], name: str, home: str) -> Path:
    """The file `name`, such as train-images-idx3-ubyte, in a folder: with .gz or without.

    Some copies spell a dot before idx; of several spellings the first one counts.

    Args:
        folder: Where it is looked for.
        name: With its hyphens.
        home: Where it is to be had, for the error.
    Raises:
        FileNotFoundError: It is not there.
        NotADirectoryError: `folder` is no folder.
    """
    folder = expanded(folder)
    dotted = name.replace("-idx", ".idx")
    if folder.exists() and not folder.is_dir():
        raise NotADirectoryError(f"{folder} is a file, but the folder of the IDX files is wanted.")
    for spelling in (name, f"{name}.gz", dotted, f"{dotted}.gz"):
        if (folder / spelling).is_file():
            return folder / spelling
    raise FileNotFoundError(
        f"{folder} has neither {name} nor {name}.gz. Download it from {home}; nothing is "
        "downloaded here."
    )


def read(file: Path, dimensions: int) -> np.ndarray:
    """The uint8 array of an IDX file, packed by gzip or not, whatever its name says.

    Args:
        file: Two zero bytes, the type code, the number of dimensions, each size as four bytes, the
            highest first, and the values.
        dimensions: How many the array must have: 3 for pictures, 1 for labels.
    Raises:
        ValueError: It is of another kind, cut short, too long, or torn.
    """
    raw = _unpacked(file)
    start = 4 + 4 * dimensions
    wanted = bytes([0, 0, BYTES, dimensions])
    if raw[:4] != wanted:
        raise ValueError(
            f"{file} begins with {raw[:4].hex(' ') or 'nothing'}, but IDX {WHAT[dimensions]} begin "
            f"with {wanted.hex(' ')}. Take the official file of this name."
        )
    if len(raw) < start:
        raise ValueError(f"{file} is cut short: it ends within its header. Download it again.")
    sizes = np.frombuffer(raw, ">u4", dimensions, 4).tolist()
    if len(raw) != start + math.prod(sizes):
        raise ValueError(
            f"{file} has {len(raw) - start:,} bytes after its header, which promises "
            f"{' x '.join(map(str, sizes))} = {math.prod(sizes):,}: it is "
            f"{'cut short' if len(raw) < start + math.prod(sizes) else 'too long'}. Download it "
            "again."
        )
    return np.frombuffer(raw, np.uint8, offset=start).reshape(sizes)


def _unpacked(file: Path) -> bytes:
    """The content, as far as LARGEST: a small file may unpack into any number of bytes."""
    with file.open("rb") as raw:
        packed = raw.read(2) == PACKED
        raw.seek(0)
        try:
            found = (gzip.GzipFile(fileobj=raw) if packed else raw).read(LARGEST + 1)
        except (gzip.BadGzipFile, EOFError, zlib.error) as error:
            raise ValueError(
                f"{file} is torn: gzip cannot unpack it ({error}). Download it again."
            ) from None
    if len(found) > LARGEST:
        raise ValueError(f"{file} holds more than {LARGEST / 1e6:,.0f} MB. Take the official file.")
    return found
