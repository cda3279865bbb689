# SPDX-License-Identifier: Apache-2.0
"""Pictures kept in one file each, made once for all processes, and opened by memory map."""

import errno
import fcntl
import hashlib
import json
import math
import mmap
import os
import shutil
import time
import uuid
import warnings
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from pathlib import Path

import numpy as np
from filelock import FileLock
from platformdirs import user_cache_path

from disent.files import expanded

FOOTER = 256  # bytes after the pictures: what they are, as JSON, padded with blanks
PROBES, PROBE = 64, 4096  # so many blocks of so many bytes are read again when a file is opened
STALE = 24 * 3600  # seconds after which an unfinished file belongs to a process that died
UNWRITABLE = (errno.EACCES, errno.EPERM, errno.EROFS, errno.EEXIST, errno.ENOTDIR)
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
LOCKLESS = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP)  # of file systems that know no locks

Fill = Callable[[np.ndarray], None]


def cache_folder() -> Path:
    """Where pictures are kept: DISENT_DATA_DIR, or `disent` in the user's cache folder."""
    named = os.environ.get("DISENT_DATA_DIR")
    return expanded(named) if named else user_cache_path("disent", appauthor=False)


def source_key(*files: Path) -> str:
    """16 hexadecimal digits of what the files are: names, sizes and times of the last change."""
    known = ((file.name, file.stat()) for file in files)
    told = "\n".join(f"{name} {stat.st_size} {stat.st_mtime_ns}" for name, stat in known)
    return hashlib.sha256(told.encode()).hexdigest()[:16]


def md5(file: Path) -> str:
    """MD5 of a whole file, by which the official ones are known; a minute for 12 GB."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "md5").hexdigest()


def stored(name: str, shape: tuple[int, ...], fill: Fill) -> np.ndarray:
    """The uint8 array that `fill` makes, kept in the cache folder under `name`.

    The first process to come makes the file under another name and renames it; others wait. A file
    of the wrong size, with another footer, or with other bytes at its probes is made again. On a
    file system that knows no locks nobody waits: each process makes the file, and the last stays.

    Args:
        name: Of the file: what it holds and by which version of the maker.
        shape: Of the array.
        fill: Writes every element of the array that it is given; a long one calls `release` now
            and then.
    Returns:
        A memory map, copy-on-write: writing to it changes nothing on disk. Where the folder cannot
        be written, the array itself, in main memory, with a warning.
    Raises:
        OSError: The disk has no room, or a torn file cannot be replaced; nothing is left behind.
    """
    file = cache_folder() / f"{name}.bin"
    found = _open(file, name, shape)
    if found is not None:
        return found
    try:
        lock = _lock(file)
    except OSError as error:
        if error.errno in FULL:
            raise _no_room(file.parent, math.prod(shape) + FOOTER, error) from None
        if error.errno not in UNWRITABLE:
            raise
        return _in_memory(file.parent, shape, fill, error)
    with lock:
        found = _open(file, name, shape)  # another process may have made it meanwhile
        return _make(file, name, shape, fill) if found is None else found


def release(array: np.ndarray) -> None:
    """Takes what has been written to an array given to `fill` out of this process's memory.

    It stays in the file, and comes back when it is read. Does nothing in main memory.
    """
    owner: object = array
    while isinstance(owner, np.ndarray):
        owner = owner.base
    if isinstance(owner, mmap.mmap):
        owner.madvise(mmap.MADV_DONTNEED)


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
    """The array in `file`, or None if it is missing, unreadable, torn or of another kind."""
    size = math.prod(shape)
    try:
        whole = np.memmap(file, np.uint8, mode="c")
    except (OSError, ValueError):  # ValueError: an empty file cannot be mapped
        return None
    if len(whole) != size + FOOTER:
        return None
    array = np.asarray(whole[:size]).reshape(shape)
    return array if whole[size:].tobytes() == _footer(name, shape, array) else None


def _lock(file: Path) -> AbstractContextManager[object]:
    """A lock on `file`, for a `with` statement; none where there are none.

    Raises:
        OSError: With an errno of UNWRITABLE if the folder is read-only.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    if not os.access(file.parent, os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(file.parent))
    lock = file.with_suffix(".lock")
    try:
        return FileLock(lock, mode=0o600 | shared_mode(file.parent)).acquire()
    except PermissionError:
        if not lock.exists():
            raise
        return _locked_by_reading(lock)  # another user's, who made it by a narrower umask
    except NotImplementedError:  # what filelock makes of ENOSYS, depending on its version
        return nullcontext()
    except OSError as error:
        if error.errno not in LOCKLESS:
            raise
        return nullcontext()


@contextmanager
def _locked_by_reading(lock: Path) -> Iterator[None]:
    """The same lock on a file that may only be read; or, where even that is refused, none.

    Without it two users may make the file at once; each makes it whole, and the last one stays.
    """
    try:
        handle = os.open(lock, os.O_RDONLY)
    except PermissionError:
        yield
        return
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)  # released when the file is closed
        yield
    finally:
        os.close(handle)


def shared_mode(folder: Path) -> int:
    """Who may read and write the files of a folder: those who may read and write the folder.

    A user's umask does not say it: who shares a cache folder shares what is in it.
    """
    return folder.stat().st_mode & 0o666


def _in_memory(folder: Path, shape: tuple[int, ...], fill: Fill, error: OSError) -> np.ndarray:
    warnings.warn(
        f"{error.filename or folder} cannot be written ({error.strerror}), so the pictures are "
        "made anew in main memory. Set DISENT_DATA_DIR to a folder of your own to keep them.",
        stacklevel=3,
    )
    array = np.empty(shape, np.uint8)
    fill(array)
    return array


def _make(file: Path, name: str, shape: tuple[int, ...], fill: Fill) -> np.ndarray:
    """Writes the whole of `file`, or nothing, and opens it."""
    _clear(file)
    # unique among the processes of all machines that share the folder
    temporary = file.with_name(f".{file.name}.{uuid.uuid4().hex}.tmp")
    size = math.prod(shape) + FOOTER
    try:
        _reserve(temporary, size)
        whole = np.memmap(temporary, np.uint8, mode="r+", shape=(size,))
        array = whole[:-FOOTER].reshape(shape)
        fill(array)
        whole[-FOOTER:] = np.frombuffer(_footer(name, shape, array), np.uint8)
        whole.flush()
        with suppress(OSError):  # of file systems without modes
            temporary.chmod(0o600 | shared_mode(file.parent) & 0o644)
        _rename(temporary, file)
    finally:
        temporary.unlink(missing_ok=True)
    made = _open(file, name, shape)
    if made is None:
        raise OSError(
            f"{file} was written but reads back otherwise. Check the disk, or set DISENT_DATA_DIR "
            "to a folder on another one."
        )
    return made


def _reserve(temporary: Path, size: int) -> None:
    """Makes a file of `size` bytes that the disk is sure to have room for.

    Without the reservation a disk that fills up later would kill the process: writing to a memory
    map raises no exception (SIGBUS).
    """
    try:
        if shutil.disk_usage(temporary.parent).free < size:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        with temporary.open("xb") as new:
            if hasattr(os, "posix_fallocate"):
                os.posix_fallocate(new.fileno(), 0, size)
            else:
                new.truncate(size)
    except OSError as error:
        if error.errno not in FULL:
            raise
        raise _no_room(temporary.parent, size, error) from None


def _no_room(folder: Path, size: int, error: OSError) -> OSError:
    """`error` in words; the folder itself may be what there was no room for."""
    made = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    room = shutil.disk_usage(made).free
    return OSError(
        error.errno,
        f"{size / 1e6:,.1f} MB are wanted in {folder}, whose disk has {room / 1e6:,.1f} MB "
        f"free ({error.strerror}). Make room, or set DISENT_DATA_DIR to a folder on another disk",
    )


def _rename(temporary: Path, file: Path) -> None:
    try:
        os.replace(temporary, file)
    except (PermissionError, IsADirectoryError) as error:  # another user's, in a shared folder
        raise OSError(
            error.errno,
            f"{file} is torn or foreign, and cannot be replaced ({error.strerror}). Have its owner "
            "delete it, or set DISENT_DATA_DIR to a folder of your own",
        ) from None


def _clear(file: Path) -> None:
    """Deletes what processes that were killed left of earlier attempts at `file`, where it may."""
    for left in file.parent.glob(f".{file.name}.*.tmp"):
        try:
            if time.time() - left.stat().st_mtime > STALE:
                left.unlink()
        except (FileNotFoundError, PermissionError):  # gone, or another user's
            pass
