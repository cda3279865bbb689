# SPDX-License-Identifier: Apache-2.0
"""Disks without room and folders that cannot be written: one line, and nothing half-written."""

import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from disent.cli.main import main
from tests.cli.small import QUIET, fit
from tests.export.runs import LINEAR, write_run
from tests.launch.fake import COMMAND


def _mount(*words: str) -> None:
    if subprocess.run(["mount", *words], capture_output=True, check=False).returncode:
        pytest.skip("a file system can only be mounted as root")


@pytest.fixture
def small(tmp_path):
    """A disk of two megabytes with a finished run and a sweep on it."""
    folder = tmp_path / "small"
    folder.mkdir()
    _mount("-t", "tmpfs", "-o", "size=2m", "tmpfs", str(folder))
    try:
        write_run(folder / "runs" / "some", "BetaVAE", network=LINEAR, latent_dim=2)
        content = {"method": "grid", "parameters": {"x": {"values": [1, 2]}}, "command": COMMAND}
        (folder / "sweep.yaml").write_text(yaml.safe_dump(content))
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def commands(folder: Path) -> dict[str, list[str]]:
    run, runs = str(folder / "runs" / "some"), str(folder / "runs")
    return {
        "evaluate": ["evaluate", run, "--metrics", "mig"],
        "report": ["report", runs],
        "export": ["export", run],
        "traverse": ["traverse", run],
        "sweep": ["sweep", str(folder / "sweep.yaml"), "--runs", runs],
        "runs": ["runs", runs, "--csv", str(folder / "all.csv")],
    }


def errors(capsys) -> list[str]:
    """What was said on stderr beside progress bars."""
    return [line for line in capsys.readouterr().err.splitlines() if "images/s" not in line]


def files_in(folder: Path) -> dict[str, bytes]:
    """Content by name; locks, logs and folders are none that anybody reads as a result."""
    found = [file for file in folder.rglob("*") if file.is_file()]
    return {
        str(file): file.read_bytes()
        for file in found
        if ".sweeps" not in file.parts and file.name not in (".lock", "filler")
    }


@pytest.mark.slow
@pytest.mark.parametrize("name", ["evaluate", "report", "export", "traverse", "sweep", "runs"])
def test_a_full_disk_is_one_line_and_leaves_all_as_it_was(name, small, capsys):
    with (small / "filler").open("wb") as filler:
        filler.write(bytes(shutil.disk_usage(small).free))
    assert shutil.disk_usage(small).free == 0
    before = files_in(small)
    assert main(commands(small)[name]) == 1
    said = errors(capsys)
    assert len(said) == 1, said
    assert "No space left" in said[0]
    assert files_in(small) == before


@pytest.mark.slow
@pytest.mark.parametrize("name", ["evaluate", "report", "export", "traverse", "sweep", "runs"])
def test_a_disk_that_may_only_be_read_is_one_line(name, small, capsys):
    _mount("-o", "remount,ro", str(small))
    before = files_in(small)
    assert main(commands(small)[name]) == 1
    said = errors(capsys)
    assert len(said) == 1, said
    assert "Read-only file system" in said[0]
    assert files_in(small) == before


@pytest.mark.slow
def test_a_run_on_a_full_disk_is_refused_in_one_line(small, capsys):
    with (small / "filler").open("wb") as filler:
        filler.write(bytes(shutil.disk_usage(small).free))
    before = files_in(small)
    assert fit(small / "runs", "--run", "other", *QUIET) == 1
    said = [line for line in errors(capsys) if line.startswith("disent:")]
    assert len(said) == 1
    assert "No space left" in said[0]
    assert files_in(small) == before
