# SPDX-License-Identifier: Apache-2.0
"""Stored arrays where the file system refuses: locks, room, and what belongs to another user.

Root is refused nothing, so most refusals are given in the system's place.
"""

import errno
import fcntl
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pytest

from disent.data import files
from disent.data.files import STALE, stored

SHAPE = (4, 4096)


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("DISENT_DATA_DIR", str(tmp_path))
    return tmp_path


def sevens(array: np.ndarray) -> None:
    array[:] = 7


def refuse(monkeypatch, owner: object, name: str, error: Exception) -> None:
    def refused(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(owner, name, refused)


@pytest.mark.parametrize(
    "error", [OSError(errno.ENOLCK, "No locks available"), NotImplementedError("no flock")]
)
def test_without_locks_the_file_is_made_all_the_same(folder, monkeypatch, error):
    refuse(monkeypatch, files.FileLock, "acquire", error)
    assert (stored("sevens", SHAPE, sevens) == 7).all()
    assert [path.name for path in folder.iterdir()] == ["sevens.bin"]


def test_another_trouble_with_the_lock_is_no_licence_to_go_on(folder, monkeypatch):
    refuse(monkeypatch, files.FileLock, "acquire", OSError(errno.EIO, "Input/output error"))
    with pytest.raises(OSError, match="Input/output error"):
        stored("sevens", SHAPE, sevens)
    assert list(folder.iterdir()) == []


def test_a_lock_of_another_user_costs_a_warning_that_names_it(folder, monkeypatch):
    theirs = PermissionError(errno.EACCES, "Permission denied", str(folder / "sevens.lock"))
    refuse(monkeypatch, files.FileLock, "acquire", theirs)
    with pytest.warns(UserWarning, match=r"sevens\.lock cannot be written \(Permission denied\)"):
        assert (stored("sevens", SHAPE, sevens) == 7).all()
    assert list(folder.iterdir()) == []


def is_locked(lock: Path) -> bool:
    with lock.open("rb") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def test_a_lock_that_may_only_be_read_is_held_all_the_same(folder, monkeypatch):
    lock = folder / "sevens.lock"
    lock.touch(0o444)
    refuse(monkeypatch, files.FileLock, "acquire", PermissionError(errno.EACCES, "no", str(lock)))
    seen = []

    def fill(array: np.ndarray) -> None:
        seen.append(is_locked(lock))
        sevens(array)

    assert (stored("sevens", SHAPE, fill) == 7).all()
    assert seen == [True]
    assert not is_locked(lock)
    assert (folder / "sevens.bin").exists()


@pytest.mark.parametrize(
    ("of_folder", "of_file", "of_lock"),
    [(0o777, 0o644, 0o666), (0o775, 0o644, 0o664), (0o750, 0o640, 0o640), (0o700, 0o600, 0o600)],
)
def test_who_shares_the_folder_shares_the_file_whatever_the_umask(
    folder, of_folder, of_file, of_lock
):
    folder.chmod(of_folder)
    before = os.umask(0o077)
    try:
        stored("sevens", SHAPE, sevens)
    finally:
        os.umask(before)
    modes = {path.suffix: path.stat().st_mode & 0o777 for path in folder.iterdir()}
    assert modes == {".bin": of_file, ".lock": of_lock}


@pytest.mark.slow
@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be two users")
def test_a_second_user_finds_and_makes_files_in_a_shared_folder(monkeypatch):
    """As nobody: one file is there, of the other there is only a lock of the first user's."""
    code = (
        "import os; from disent.data.files import stored\n"  # it may lie where only root looks
        "os.chdir('/'); os.setgid(65534); os.setuid(65534)\n"
        "def sevens(array): array[:] = 7\n"
        "stored('there', (4, 4096), None); stored('wanted', (4, 4096), sevens)"
    )
    with tempfile.TemporaryDirectory(dir="/tmp") as name:
        shared = Path(name)
        shared.chmod(0o777)
        monkeypatch.setenv("DISENT_DATA_DIR", name)
        monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
        stored("there", SHAPE, sevens)
        (shared / "wanted.lock").touch(0o644)
        words = [sys.executable, "-W", "error", "-c", code]
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        assert (shared / "wanted.bin").stat().st_uid == 65534


def test_a_disk_without_room_for_the_lock_is_named(monkeypatch):
    full = OSError(errno.ENOSPC, "No space left on device")
    refuse(monkeypatch, files.FileLock, "acquire", full)
    with pytest.raises(OSError, match=r"MB are wanted in .*No space left.*DISENT_DATA_DIR") as got:
        stored("sevens", SHAPE, sevens)
    assert got.value.errno == errno.ENOSPC


def test_a_disk_without_room_for_the_folder_is_named(folder, monkeypatch):
    monkeypatch.setenv("DISENT_DATA_DIR", str(folder / "not" / "made"))
    refuse(monkeypatch, Path, "mkdir", OSError(errno.ENOSPC, "No space left on device"))
    with pytest.raises(OSError, match=r"MB are wanted in .*made, .*No space left"):
        stored("sevens", SHAPE, sevens)


def test_a_torn_file_that_cannot_be_replaced_is_named(folder):
    (folder / "sevens.bin").mkdir()
    with pytest.raises(OSError, match=r"sevens\.bin is torn or foreign, and cannot be replaced"):
        stored("sevens", SHAPE, sevens)
    assert not list(folder.glob(".*.tmp"))


def test_what_another_user_left_unfinished_is_left_to_them(folder, monkeypatch):
    theirs = folder / ".sevens.bin.theirs.tmp"
    theirs.touch()
    past = time.time() - STALE - 60
    os.utime(theirs, (past, past))
    unlink = Path.unlink

    def only_ours(path: Path, missing_ok: bool = False) -> None:
        if path == theirs:
            raise PermissionError(errno.EPERM, "Operation not permitted", str(path))
        unlink(path, missing_ok=missing_ok)

    monkeypatch.setattr(Path, "unlink", only_ours)
    assert (stored("sevens", SHAPE, sevens) == 7).all()
    assert theirs.exists()
