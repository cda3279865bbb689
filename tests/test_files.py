# SPDX-License-Identifier: Apache-2.0
"""Files are the old or the new, never half of one; what is created once is created by one."""

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from disent import files
from disent.files import create, replacing, replacing_path, write_text


def names(folder: Path) -> list[str]:
    return sorted(file.name for file in folder.iterdir())


def test_a_file_is_created_once(tmp_path):
    file = tmp_path / "new" / "file"
    assert create(file, "first")
    assert not create(file, "second")
    assert file.read_text() == "first"
    assert names(file.parent) == ["file"]


@pytest.mark.parametrize("links", [True, False])
def test_of_many_that_create_at_once_one_is_told_so(tmp_path, monkeypatch, links):
    def refuse(*_):
        raise PermissionError("no hard links here")

    if not links:
        monkeypatch.setattr(os, "link", refuse)
    file = tmp_path / "file"
    with ThreadPoolExecutor(16) as pool:
        created = list(pool.map(lambda i: create(file, str(i)), range(64)))
    assert sum(created) == 1
    assert file.read_text() == str(created.index(True))
    assert names(tmp_path) == ["file"]


def test_a_full_disk_creates_nothing(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        create(tmp_path / "file", "text")
    assert names(tmp_path) == []


def test_text_replaces_what_was_there(tmp_path):
    file = tmp_path / "new" / "file"
    write_text(file, "β = 4\n")
    assert file.read_bytes() == b"\xce\xb2 = 4\n"
    write_text(file, "")
    assert file.read_bytes() == b""
    assert names(file.parent) == ["file"]


def test_readers_see_the_old_file_until_the_new_one_is_whole(tmp_path):
    file = tmp_path / "file"
    file.write_bytes(b"old")
    with replacing(file) as stream:
        stream.write(b"new")
        stream.flush()
        assert file.read_bytes() == b"old"
    assert file.read_bytes() == b"new"
    with replacing_path(file) as path:
        path.write_bytes(b"newer")
        assert path.parent == tmp_path  # of the same disk, or it could not be renamed in one step
        assert file.read_bytes() == b"new"
    assert file.read_bytes() == b"newer"
    assert names(tmp_path) == ["file"]


@pytest.mark.parametrize("error", [OSError, KeyboardInterrupt])
def test_a_writer_that_fails_leaves_the_old_file_and_no_other(tmp_path, error):
    file = tmp_path / "file"
    file.write_bytes(b"old")

    def to_stream():
        with replacing(file) as stream:
            stream.write(b"half")
            raise error

    def to_path():
        with replacing_path(file) as path:
            path.write_bytes(b"half")
            raise error

    for writer in (to_stream, to_path):
        with pytest.raises(error):
            writer()
    assert file.read_bytes() == b"old"
    assert names(tmp_path) == ["file"]


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_disk_that_fails_leaves_the_old_file_and_no_other(tmp_path, monkeypatch, step):
    def fail(*_):
        raise OSError(5, "Input/output error")

    write_text(tmp_path / "file", "old")
    monkeypatch.setattr(os, step, fail)
    with pytest.raises(OSError, match="Input/output error"):
        write_text(tmp_path / "file", "new")
    assert (tmp_path / "file").read_text() == "old"
    assert names(tmp_path) == ["file"]


def test_what_is_renamed_is_on_the_disk_already(tmp_path, monkeypatch):
    """Else a power cut could leave the new name with nothing in it."""
    done = []
    sync, replace = os.fsync, os.replace

    def noted_sync(descriptor):
        done.append(("on the disk", os.fstat(descriptor).st_size))
        sync(descriptor)

    def noted_replace(source, target):
        done.append(("renamed", os.stat(source).st_size))
        replace(source, target)

    monkeypatch.setattr(files.os, "fsync", noted_sync)
    monkeypatch.setattr(files.os, "replace", noted_replace)
    with replacing(tmp_path / "file") as stream:
        stream.write(b"1234")
    assert done == [("on the disk", 4), ("renamed", 4)]


def test_threads_that_write_one_file_do_not_meet(tmp_path):
    file, together = tmp_path / "file", threading.Barrier(8)

    def write(i: int) -> None:
        with replacing(file) as stream:
            together.wait(10)  # all are open now
            stream.write(bytes([i]) * 1000)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(8)))
    content = file.read_bytes()
    assert content == content[:1] * 1000
    assert names(tmp_path) == ["file"]
