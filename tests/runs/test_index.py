# SPDX-License-Identifier: Apache-2.0
"""The index beside the runs: the same table with and without it, and nothing stale."""

import os

import pandas as pd
import pytest

from disent.runs import index as index_file
from disent.runs import load_runs
from tests.runs.study import write_run


@pytest.fixture
def study(tmp_path):
    for number in range(6):
        write_run(tmp_path, number, logged=3)
    return tmp_path


def without_index(root):
    (root / index_file.NAME).unlink()
    return load_runs(root)


def test_the_index_gives_the_same_table_as_the_runs(study):
    first, again = load_runs(study), load_runs(study)
    pd.testing.assert_frame_equal(first, again)
    columns = ["run", "beta", "seed", "step"]
    assert first[columns].to_numpy().tolist()[0] == ["study-00000", 1.0, 0, 9000]


def test_only_runs_that_changed_are_read(study, monkeypatch):
    load_runs(study)
    read = []
    row_of = index_file.row_of
    monkeypatch.setattr(index_file, "row_of", lambda run: read.append(run.path.name) or row_of(run))
    assert len(load_runs(study)) == 6
    assert read == []
    write_run(study, 2, seed=1, logged=3)
    write_run(study, 6, logged=3)
    table = load_runs(study)
    assert read == ["study-00002", "study-00006"]
    pd.testing.assert_frame_equal(table, without_index(study), check_like=True)


def test_an_index_that_holds_all_is_left_as_it_is(study):
    write_run(study, 0, state="running", logged=3)
    load_runs(study)
    file = study / index_file.NAME
    before = file.stat()
    load_runs(study)
    assert (file.stat().st_ino, file.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_runs_that_are_removed_leave_the_table(study):
    load_runs(study)
    for file in (study / "study-00003").iterdir():
        file.unlink()
    (study / "study-00003").rmdir()
    assert "study-00003" not in set(load_runs(study)["run"])


def test_a_row_that_is_logged_is_seen_though_nothing_else_changed(study):
    load_runs(study)
    with (study / "study-00001" / "metrics.csv").open("a") as stream:
        stream.write("12000,1,2,3,-5" + ",0" * 10 + "\n")
    assert load_runs(study).loc[1, "step"] == 12000


def test_values_of_several_types_come_back_as_they_were(study):
    for number, held_out in ((0, "pos_x > 3"), (1, 7), (2, "[a, null]")):
        config = study / f"study-{number:05d}" / "config.yaml"
        text = config.read_text().replace("held_out: null", f"held_out: {held_out}")
        config.write_text(text)
    first, again = load_runs(study), load_runs(study)
    for table in (first, again):
        assert table["loader.held_out"].tolist()[:3] == ["pos_x > 3", 7, ["a", None]]


def test_a_damaged_index_is_made_anew(study):
    expected = load_runs(study)
    whole = (study / index_file.NAME).read_bytes()
    damaged = [b"", b"\xff", b"[]", b"[" * 100_000, b'{"columns": [], "rows": []}', whole[:-9]]
    damaged += [whole.replace(b'["run",', b"["), whole.replace(b'"state"', b'"stale"')]
    damaged += [whole.replace(b'"study-00000":[', b'"study-00000":[[],')]
    for content in damaged:
        (study / index_file.NAME).write_bytes(content)
        pd.testing.assert_frame_equal(load_runs(study), expected)


def test_a_folder_that_cannot_be_written_is_read_all_the_same(study, monkeypatch):
    def refuse(*_):
        raise PermissionError("read-only")

    monkeypatch.setattr(os, "replace", refuse)
    assert len(load_runs(study)) == 6
    assert sorted(p.name for p in study.iterdir() if p.name.startswith(".")) == []


def test_a_run_that_could_not_be_read_is_tried_again(study, monkeypatch):
    """A disk that answers again leaves no trace in times and sizes."""
    row_of = index_file.row_of

    def unreadable(run):
        return {"run": run.path.name, "state": "unreadable", "reason": "OSError: stale"}

    monkeypatch.setattr(index_file, "row_of", unreadable)
    assert set(load_runs(study)["state"]) == {"unreadable"}
    monkeypatch.setattr(index_file, "row_of", row_of)
    assert set(load_runs(study)["state"]) == {"finished"}


def test_a_run_that_trains_is_always_read_anew(study):
    """Its process may have ended without a word since."""
    write_run(study, 0, state="running", logged=3)
    load_runs(study)
    status = study / "study-00000" / "status.json"
    stat = status.stat()
    status.write_text('{"state": "FAILED!", "reason": ""}')
    os.utime(status, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert load_runs(study).loc[0, "state"] == "FAILED!"
