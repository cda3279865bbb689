# SPDX-License-Identifier: Apache-2.0
"""Stored arrays: made once, checked when opened, never half-written."""

import errno
import os
import time
from pathlib import Path

import numpy as np
import pytest

from disent.data import files
from disent.data.files import FOOTER, STALE, cache_folder, digest, release, stored

SHAPE = (16, 4096)


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch) -> Path:
    folder = tmp_path / "cache"
    monkeypatch.setenv("DISENT_DATA_DIR", str(folder))
    return folder


class Rows:
    """Fills row i with the value i, and counts how often it was asked to."""

    calls = 0

    def __call__(self, array: np.ndarray) -> None:
        self.calls += 1
        array[:] = np.arange(len(array))[:, None]


def left_behind(folder: Path) -> list[str]:
    return [path.name for path in folder.glob("*") if path.suffix != ".lock"]


def test_an_array_is_made_once_and_opened_again(folder):
    fill = Rows()
    for _ in range(2):
        array = stored("rows", SHAPE, fill)
        assert array.shape == SHAPE
        assert (array == np.arange(16)[:, None]).all()
    assert fill.calls == 1
    assert (folder / "rows.bin").stat().st_size == 16 * 4096 + FOOTER
    assert left_behind(folder) == ["rows.bin"]


def test_writing_to_an_array_leaves_the_file_as_it_is(folder):
    array = stored("rows", SHAPE, Rows())
    known = (folder / "rows.bin").read_bytes()
    array[:] = 7
    assert (folder / "rows.bin").read_bytes() == known


@pytest.mark.parametrize(
    "wrong", ["truncated", "halved", "empty", "footer", "first", "last", "longer"]
)
def test_a_torn_file_is_made_again(folder, wrong):
    fill = Rows()
    stored("rows", SHAPE, fill)
    file = folder / "rows.bin"
    whole = bytearray(file.read_bytes())
    places = {"footer": -FOOTER, "first": 0, "last": -FOOTER - 1}
    if wrong in places:
        whole[places[wrong]] ^= 1
    else:
        half = whole[: len(whole) // 2]
        others = {"truncated": whole[:-1], "halved": half, "empty": b"", "longer": whole + b" "}
        whole = others[wrong]
    file.write_bytes(whole)
    array = stored("rows", SHAPE, fill)
    assert fill.calls == 2
    assert (array == np.arange(16)[:, None]).all()


def test_a_foreign_file_is_made_again(folder):
    fill = Rows()
    stored("other", SHAPE, fill)  # as large, but not what it is called
    (folder / "other.bin").rename(folder / "rows.bin")
    stored("rows", SHAPE, fill)
    stored("rows", (4096, 16), fill)
    assert fill.calls == 3


@pytest.mark.parametrize(
    "error", [ValueError("damaged"), PermissionError(13, "no"), KeyboardInterrupt()]
)
def test_a_fill_that_fails_leaves_nothing_and_its_own_error(folder, error):
    def fail(array: np.ndarray) -> None:
        array[0] = 1
        raise error

    with pytest.raises(type(error)):
        stored("rows", SHAPE, fail)
    assert left_behind(folder) == []
    assert stored("rows", SHAPE, Rows())[3, 0] == 3  # nor is the lock held


@pytest.mark.parametrize("where", ["file", "file/below"])
def test_a_folder_that_cannot_be_made_costs_a_warning(tmp_path, monkeypatch, where):
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("DISENT_DATA_DIR", str(tmp_path / where))
    with pytest.warns(UserWarning, match=r"cannot be written .* Set DISENT_DATA_DIR"):
        array = stored("rows", SHAPE, Rows())
    assert (array == np.arange(16)[:, None]).all()


def test_a_read_only_folder_costs_a_warning_once_its_file_is_missing(folder, monkeypatch):
    stored("rows", SHAPE, Rows())
    # root may write anywhere, so the answer is given in the system's place
    monkeypatch.setattr(os, "access", lambda path, mode: mode != os.W_OK)
    assert stored("rows", SHAPE, Rows())[3, 0] == 3
    with pytest.warns(UserWarning, match="Permission denied"):
        assert stored("others", SHAPE, Rows())[3, 0] == 3
    assert left_behind(folder) == ["rows.bin"]


def test_a_full_disk_is_named_before_anything_is_written(folder, monkeypatch):
    usage = type("Usage", (), {"free": 65_000})
    monkeypatch.setattr(files.shutil, "disk_usage", lambda _: usage)
    with pytest.raises(OSError, match=r"0\.1 MB are wanted in .* 0\.1 MB free .*DISENT_DATA_DIR"):
        stored("rows", SHAPE, Rows())
    assert left_behind(folder) == []


def test_a_quota_is_named_like_a_full_disk(folder, monkeypatch):
    def refuse(*_: int) -> None:
        raise OSError(errno.EDQUOT, os.strerror(errno.EDQUOT))

    monkeypatch.setattr(os, "posix_fallocate", refuse)
    with pytest.raises(OSError, match=r"quota exceeded.*DISENT_DATA_DIR"):
        stored("rows", SHAPE, Rows())
    assert left_behind(folder) == []


def test_old_unfinished_files_are_deleted_and_young_ones_kept(folder):
    folder.mkdir()
    old, young = (folder / f".rows.bin.{name}.tmp" for name in ("old", "young"))
    for file in (old, young):
        file.touch()
    past = time.time() - STALE - 60
    os.utime(old, (past, past))
    stored("rows", SHAPE, Rows())
    assert not old.exists()
    assert young.exists()


def test_released_pages_are_still_in_the_array_and_in_the_file():
    def fill(array: np.ndarray) -> None:
        for i, row in enumerate(array):
            row[:] = i
            release(array)
        assert (array == np.arange(16)[:, None]).all()

    assert (stored("rows", SHAPE, fill) == np.arange(16)[:, None]).all()
    memory = np.ones(3)
    release(memory)
    assert (memory == 1).all()


def test_the_digest_looks_at_both_ends():
    array = np.zeros((1000, 4096), np.uint8)
    known = {digest(array)}
    for place in (0, -1):
        array.flat[place] = 1
        known.add(digest(array))
    assert len(known) == 3


def test_the_folder_is_named_by_the_environment_or_the_users_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("DISENT_DATA_DIR", "~/pictures")
    assert cache_folder() == tmp_path / "pictures"
    monkeypatch.setenv("DISENT_DATA_DIR", "")
    assert cache_folder().name == "disent"
