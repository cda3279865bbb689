# SPDX-License-Identifier: Apache-2.0
"""Files that are whole at every moment: written beside their place and renamed, or created once."""

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO


def expanded(path: str | os.PathLike[str]) -> Path:
    """A path as it is meant wherever one is said: ~ is the home folder, $NAME a variable.

    A relative one is seen from the working folder, whether a file or the command line says it.

    Example:
        >>> expanded("~/runs") == Path.home() / "runs"
        True
    """
    return Path(os.path.expanduser(os.path.expandvars(path)))


def create(file: Path, text: str) -> bool:
    """Creates a file with its content in one step; False if it exists already.

    Of any number of processes and machines that try at once, one is told True.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    temporary = _beside(file)
    try:
        temporary.write_text(text, encoding="utf-8")
        _to_disk(temporary)
        try:
            os.link(temporary, file)  # fails if the file exists, on NFS as well
        except FileExistsError:
            raise
        except OSError:  # a file system without hard links: readers may meet half of the text
            with file.open("x", encoding="utf-8") as stream:
                stream.write(text)
    except FileExistsError:
        return False
    finally:
        temporary.unlink(missing_ok=True)
    return True


def write_text(file: Path, text: str) -> None:
    """Replaces `file` by `text` in one step; what was there stays if that fails."""
    with replacing(file) as stream:
        stream.write(text.encode())


@contextmanager
def replacing(file: Path) -> Iterator[IO[bytes]]:
    """A file to write to, which becomes `file` if the block succeeds and is removed if not.

    Example:
        >>> with replacing(Path("codes.npz")) as stream:  # doctest: +SKIP
        ...     np.savez(stream, means=means)
    """
    with replacing_path(file) as temporary, temporary.open("wb") as stream:
        yield stream


@contextmanager
def replacing_path(file: Path) -> Iterator[Path]:
    """As `replacing`, for writers that open a path of their own."""
    file.parent.mkdir(parents=True, exist_ok=True)
    temporary = _beside(file)
    try:
        yield temporary
        _to_disk(temporary)
        os.replace(temporary, file)
    finally:
        temporary.unlink(missing_ok=True)


def _beside(file: Path) -> Path:
    """A name in the same folder, so of the same disk, that no other thread or machine takes."""
    return file.with_name(f".{uuid.uuid4().hex}.tmp")


def _to_disk(file: Path) -> None:
    """Waits until the content is on the disk: else a power cut could leave the name without it."""
    with file.open("rb+") as stream:
        os.fsync(stream.fileno())
