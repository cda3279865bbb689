# SPDX-License-Identifier: Apache-2.0
"""Runs in folders of folders, among what others put there."""

import subprocess

import pytest

from disent.cli.main import main
from disent.runs import RunDir, load_histories, load_runs
from disent.runs.find import find_runs


def run(folder, step):
    """A run that has logged one step."""
    made = RunDir(folder)
    made.write_status("finished", step=step)
    made.append_row(made.metrics, {"step": step, "loss": 1.0})


@pytest.fixture
def root(tmp_path):
    for name, step in (("top", 1), ("study/one", 2), ("study/deep/er/two", 3)):
        run(tmp_path / name, step)
    run(tmp_path / "top" / "inside", 4)  # a run inside a run is a part of it
    run(tmp_path / ".sweeps" / "hidden", 5)
    log = tmp_path / "wandb" / "offline-run-1"
    run(log / "files", 6)
    (log / "run-1.wandb").write_bytes(b"")
    (tmp_path / "study" / "notes" / "more").mkdir(parents=True)
    (tmp_path / "empty").mkdir()
    (tmp_path / "circle").symlink_to(tmp_path)
    (tmp_path / "linked").symlink_to(tmp_path / "study" / "one")
    return tmp_path


def test_runs_at_any_depth_and_what_is_none(root):
    found = find_runs(root)
    assert found.runs == ["linked", "study/deep/er/two", "study/one", "top"]
    assert found.others == ["empty", "study/notes", "wandb"]


def test_tables_name_them_by_their_paths(root):
    names = ["linked", "study/deep/er/two", "study/one", "top"]
    for _ in range(2):  # the second time from the index
        table = load_runs(root)
        assert list(table["run"]) == names
        assert list(table["step"]) == [2, 3, 2, 1]
        assert list(table["path"]) == [str(root / name) for name in names]
    assert set(load_histories(root)["run"]) == set(names)


def test_the_list_says_what_was_passed_over(root, capsys):
    assert main(["runs", str(root)]) == 0
    said = capsys.readouterr()
    assert "study/deep/er/two" in said.out
    assert "3 folders without a run (empty, study/notes, wandb)" in said.err


def test_one_run_is_named_by_its_folder(root):
    assert list(load_runs(root / "study" / "one")["run"]) == ["one"]


def test_the_step_of_a_run_is_where_it_ended_not_where_it_logged(tmp_path):
    made = RunDir(tmp_path / "run")
    made.append_row(made.metrics, {"step": 50, "loss": 1.0})
    made.write_status("finished", step=60, max_steps=60)
    assert list(load_runs(tmp_path)["step"]) == [60]


def test_a_tree_without_end_is_given_up(tmp_path):
    run(tmp_path / "one", 1)
    deep = tmp_path / "deep"
    for _ in range(1200):
        deep.mkdir()
        deep = deep / "d"
    try:
        assert find_runs(tmp_path).runs == ["one"]
    finally:  # Python's own ways to remove a tree would not come to its end
        subprocess.run(["rm", "-r", str(tmp_path / "deep")], check=True)
