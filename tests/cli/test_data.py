# SPDX-License-Identifier: Apache-2.0
"""disent data prepare."""

import subprocess
import sys

import pytest

from disent.cli.main import main
from tests.data import official_grids


def test_dsprites_is_prepared_and_named(capsys):
    assert main(["data", "prepare", "dsprites"]) == 0
    assert "737,280 pictures: dsprites, rendered" in capsys.readouterr().out


def test_the_look_alike_says_what_it_is_and_that_nothing_is_kept(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("DISENT_DATA_DIR", str(tmp_path))
    assert main(["data", "prepare", "shapes3d-lookalike"]) == 0
    said = capsys.readouterr().out
    assert "480,000 pictures: look-alike of 3D Shapes" in said
    assert "nothing is kept on disk" in said
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["cars3d", "smallnorb", "mpi3d-toy", "mpi3d-real"])
def test_official_files_are_converted_and_named(name, tmp_path, monkeypatch, capsys):
    official_grids.shrink(monkeypatch, tmp_path / "cache")
    kind, _, variant = name.partition("-")
    writers = {"cars3d": official_grids.write_cars3d, "smallnorb": official_grids.write_norb}
    writer, options = writers.get(kind, official_grids.write_mpi3d), [variant] if variant else []
    path = official_grids.known(monkeypatch, writer(tmp_path, *options))
    assert main(["data", "prepare", name, "--path", str(path)]) == 0
    said = capsys.readouterr().out
    assert "pictures: " + {"cars3d": "Cars3D", "smallnorb": "SmallNORB"}.get(kind, "MPI3D") in said
    assert len(list((tmp_path / "cache").glob("*.bin"))) == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["dsprites", "--path", "missing.npz"], "there is no file missing.npz"),
        (["shapes3d"], "--path is missing: 3D Shapes needs its official file"),
        (["shapes3d", "--path", "missing.h5"], "there is no file missing.h5"),
        (["cars3d"], "--path is missing: Cars3D needs nips2015-analogy-data.tar.gz or its folder"),
        (["cars3d", "--path", "missing.tar.gz"], "missing.tar.gz does not exist"),
        (
            ["smallnorb", "--path", "missing"],
            "missing has neither smallnorb-5x46789x9x18x6x2x96x96",
        ),
        (["mpi3d-real"], "--path is missing: MPI3D needs its official file, mpi3d_real.npz"),
        (["mpi3d-complex", "--path", "a.npz"], "Download the npz of MPI3D complex"),
        (["shapes3d-lookalike", "--path", "3dshapes.h5"], "the look-alike is rendered"),
    ],
)
def test_what_is_missing_or_too_much_is_said(arguments, message, capsys):
    assert main(["data", "prepare", *arguments]) == 1
    assert message in capsys.readouterr().err


def test_help_answers_without_torch():
    code = """
import sys
from disent.cli.main import main
try:
    main(["data", "prepare", "--help"])
except SystemExit as end:
    sys.exit(end.code or "torch" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "shapes3d-lookalike" in done.stdout
