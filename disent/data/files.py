# SPDX-License-Identifier: Apache-2.0
"""Pictures kept in one file each, made once for all processes, and opened by memory map."""

import hashlib
import json
import os
import shutil
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
from filelock import FileLock
from platformdirs import user_cache_path

FOOTER = 256  # bytes after the pictures: what they are, as JSON, padded with blanks
PROBES, PROBE = 64, 4096  # so many blocks of so many bytes are read again when a file is opened

Fill = Callable[[np.ndarray], None]


def cache_folder() -> Path:
    """Where pictures are kept: DISENT_DATA_DIR, or `disent` in the user's cache folder."""
    named = os.environ.get("DISENT_DATA_DIR")
    return Path(named) if named else user_cache_path("disent", appauthor=False)


def stored(name: str, shape: tuple[int, ...], fill: Fill) -> np.ndarray:
    """The uint8 array that `fill` makes, kept in the cache folder under `name`.

    The first process to come makes the file under another name and renames it; others wait. A file
    of the wrong size, with another footer, or with other bytes at its probes is made again.

    Args:
        name: Of the file: what it holds and by which version of the maker.
        shape: Of the array.
        fill: Writes every element of the array that it is given.
    Returns:
        A memory map, copy-on-write: writing to it changes nothing on disk. Where the folder cannot
        be written, the array itself, in main memory, with a warning.
    Raises:
        OSError: The disk has no room; nothing is left behind.
    """
    file = cache_folder() / f"{name}.bin"
    found = _open(file, name, shape)
    if found is not None:
        return found
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(file.with_suffix(".lock"))
        lock.acquire()
    except (PermissionError, OSError) as error:
        if not isinstance(error, PermissionError | FileExistsError | NotADirectoryError) and (
            error.errno != 30  # EROFS, a read-only file system
        ):
            raise
        warnings.warn(
            f"{file.parent} cannot be written ({error.strerror}), so the pictures are made anew in "
            "main memory. Set DISENT_DATA_DIR to a folder of your own to keep them.",
            stacklevel=2,
        )
        array = np.empty(shape, np.uint8)
        fill(array)
        return array
    try:
        found = _open(file, name, shape)
        if found is None:
            _make(file, name, shape, fill)
            found = _open(file, name, shape)
    finally:
        lock.release()
    assert found is not None, f"{file} was written, but cannot be read back"
    return found


def digest(array: np.ndarray) -> str:
    """SHA-256 of PROBES blocks of the array's bytes, evenly spread from the first to the last."""
    flat = array.reshape(-1)
    starts = np.linspace(0, max(flat.size - PROBE, 0), PROBES).astype(np.int64)
    sha = hashlib.sha256()
    for start in starts:
        sha.update(flat[start : start + PROBE].tobytes())
    return sha.hexdigest()


def _footer(name: str, shape: tuple[int, ...], array: np.ndarray) -> bytes:
    text = json.dumps({"name": name, "shape": list(shape), "probes": digest(array)})
    return text.encode().ljust(FOOTER)


def _open(file: Path, name: str, shape: tuple[int, ...]) -> np.ndarray | None:
    """The array in `file`, or None if it is missing, torn or of another kind."""
    size = int(np.prod(shape))
    try:
        if file.stat().st_size != size + FOOTER:
            return None
        whole = np.memmap(file, np.uint8, mode="c")
    except (FileNotFoundError, NotADirectoryError):
        return None
    array = np.asarray(whole[:size]).reshape(shape)
    return array if whole[size:].tobytes() == _footer(name, shape, array) else None


def _make(file: Path, name: str, shape: tuple[int, ...], fill: Fill) -> None:
    size = int(np.prod(shape)) + FOOTER
    room = shutil.disk_usage(file.parent).free
    if room < size:
        raise OSError(
            f"{file.parent} has room for {room / 1e6:,.0f} MB, but {size / 1e6:,.0f} MB are "
            f"wanted for {name}. Make room, or set DISENT_DATA_DIR to a folder on another disk."
        )
    temporary = file.with_name(f".{file.name}.{os.getpid()}.tmp")
    try:
        whole = np.memmap(temporary, np.uint8, mode="w+", shape=(size,))
        array = whole[:-FOOTER].reshape(shape)
        fill(array)
        whole[-FOOTER:] = np.frombuffer(_footer(name, shape, array), np.uint8)
        whole.flush()
        os.replace(temporary, file)
    finally:
        temporary.unlink(missing_ok=True)
