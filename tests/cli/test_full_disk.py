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


def fill(folder):
    with (folder / "filler").open("wb") as filler:
        filler.write(bytes(shutil.disk_usage(folder).free))
    assert shutil.disk_usage(folder).free == 0


def forbid(folder):
    _mount("-o", "remount,ro", str(folder))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("spoil", "reason"), [(fill, "No space left"), (forbid, "Read-only file system")]
)
@pytest.mark.parametrize("name", ["evaluate", "report", "export", "traverse", "sweep", "runs"])
def test_a_disk_that_cannot_be_written_is_one_line(spoil, reason, name, small, capsys):
    spoil(small)
    before = files_in(small)
    assert main(commands(small)[name]) == 1
    said = errors(capsys)
    assert len(said) == 1, said
    assert reason in said[0]
    assert files_in(small) == before


@pytest.mark.slow
def test_a_run_on_a_full_disk_is_refused_in_one_line(small, capsys):
    fill(small)
    before = files_in(small)
    assert fit(small / "runs", "--run", "other", *QUIET) == 1
    said = [line for line in errors(capsys) if line.startswith("disent:")]
    assert len(said) == 1
    assert "No space left" in said[0]
    assert files_in(small) == before
