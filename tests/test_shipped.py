# SPDX-License-Identifier: Apache-2.0
"""Presets, sweeps, profiles and templates by name, from any folder, of a checkout and a wheel."""

import shutil
import tomllib
from pathlib import Path

import pytest

from disent import shipped
from disent.cli.main import main
from disent.launch.slurm.profile import read_profile
from disent.launch.sweep.file import read_sweep
from disent.runs import Run

ROOT = Path(__file__).parents[1]


@pytest.fixture(params=["checkout", "wheel"])
def package(request, tmp_path, monkeypatch) -> Path:
    """A package whose files lie beside it, or inside it, as pyproject.toml says of the wheel."""
    top = tmp_path / "site"
    inside = top / "disent"
    shutil.copytree(ROOT / "disent" / "presets", inside / "presets")
    built = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]
    for source, place in built["targets"]["wheel"]["force-include"].items():
        shutil.copytree(ROOT / source, top / (place if request.param == "wheel" else source))
    monkeypatch.setattr(shipped.resources, "files", lambda _: inside)
    monkeypatch.chdir(tmp_path)
    return top


def test_every_file_of_the_checkout_has_its_name(package):
    wanted = {
        "preset": ROOT / "disent" / "presets",
        "sweep": ROOT / "sweeps",
        "profile": ROOT / "slurm" / "profiles",
    }
    for kind, folder in wanted.items():
        assert list(shipped.shipped(kind)) == sorted(file.stem for file in folder.glob("*.yaml"))
    assert "array" in shipped.shipped("template")
    assert all(package in file.parents for file in shipped.shipped("sweep").values())


def test_a_sweep_and_a_profile_are_found_by_name_in_any_folder(package, capsys):
    assert main(["slurm", "beta", "--profile", "gpu", "--dry-run"]) == 0
    assert "#SBATCH --gres=gpu:1" in capsys.readouterr().out
    assert read_sweep(shipped.find("beta", "sweep")).name == "beta"
    assert read_profile("cpu").cpus == 4


def test_a_file_of_ones_own_wins_over_a_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("gpu").write_text('time: "00:10:00"\n')
    assert read_profile("gpu").gpus == 0
    assert shipped.find("./gpu", "profile") == Path("gpu")


def test_a_home_folder_is_looked_in(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "mine.yaml").touch()
    assert shipped.find("~/mine.yaml", "sweep") == tmp_path / "mine.yaml"
    assert shipped.find("$HOME/mine.yaml", "sweep") == tmp_path / "mine.yaml"


@pytest.mark.parametrize(
    ("argv", "near", "listed"),
    [
        (["sweep", "bta"], "there is no sweep bta: no such file", "mean beta? The sweeps are: "),
        (["fleet", "sweeps/quik.yaml"], "there is no sweep sweeps/quik.yaml", "mean quick?"),
        (["slurm", "beta", "--profile", "gpuu"], "there is no profile gpuu", "mean gpu?"),
        (["slurm", "beta", "--profile", "gpu", "--template", "x"], "no template x", "are: array"),
        (["copy", "lapto"], "nothing here is called lapto", "mean laptop"),
    ],
)
def test_a_wrong_name_lists_the_nearest_and_what_there_is(argv, near, listed, capsys):
    assert main(argv) == 1
    said = capsys.readouterr().err
    assert near in said
    assert listed in said
    assert said.count("\n") == 1


def test_a_copy_lies_beside_one_and_is_never_overwritten(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["copy", "quick"]) == 0
    assert capsys.readouterr().out.splitlines() == ["quick.yaml", "use it: disent sweep quick.yaml"]
    assert Path("quick.yaml").read_text() == (ROOT / "sweeps" / "quick.yaml").read_text()
    Path("quick.yaml").write_text("mine")
    assert main(["copy", "quick"]) == 1
    assert "quick.yaml is there already, and is not overwritten" in capsys.readouterr().err
    assert Path("quick.yaml").read_text() == "mine"
    assert main(["copy", "gpu", "cluster.yaml"]) == 0
    assert "--profile cluster.yaml" in capsys.readouterr().out
    assert main(["slurm", "quick", "--profile", "cluster.yaml", "--dry-run"]) == 0


def test_where_two_kinds_have_a_name_it_is_asked_for(tmp_path, capsys):
    assert main(["copy", "locatello2019", str(tmp_path)]) == 1
    assert "locatello2019 is a preset and a sweep. Say which: --kind" in capsys.readouterr().err
    assert main(["copy", "locatello2019", str(tmp_path), "--kind", "sweep"]) == 0
    assert read_sweep(tmp_path / "locatello2019.yaml").method == "grid"


def test_a_copied_template_looks_for_profiles_beside_it_first(tmp_path, capsys):
    (tmp_path / "profiles").mkdir()
    (tmp_path / "profiles" / "gpu.yaml").write_text('time: "00:10:00"\npartition: mine\n')
    assert main(["copy", "array", str(tmp_path)]) == 0
    template = str(tmp_path / "array.sbatch")
    for profile, wanted in (("gpu", "--partition=mine"), ("cpu", "--cpus-per-task=4")):
        argv = ["slurm", "quick", "--profile", profile, "--template", template, "--dry-run"]
        assert main(argv) == 0
        assert wanted in capsys.readouterr().out


def test_a_run_of_the_zoo_has_a_name(package, tmp_path):
    inside = package / "disent" / "zoo"
    folder = inside if inside.parent.joinpath("sweeps").is_dir() else package / "analysis" / "zoo"
    for name in ("BetaVAE", "digits/VAE"):
        for seed in ("seed0", "seed1"):
            (folder / name / seed).mkdir(parents=True)
            (folder / name / seed / "config.yaml").write_text("model: {}\n")
    assert shipped.zoo() == {name: folder / name / "seed0" for name in ("BetaVAE", "digits/VAE")}
    assert Run.load("zoo/BetaVAE").path == folder / "BetaVAE" / "seed0"
    with pytest.raises(ValueError, match=r"nothing is written there. Copy it.*seed0 BetaVAE"):
        shipped.check_not_shipped("zoo/BetaVAE")
    with pytest.raises(FileNotFoundError, match=r"Did you mean zoo/BetaVAE\?"):
        Run.load("zoo/BetaVAES")
    (tmp_path / "zoo" / "BetaVAE").mkdir(parents=True)  # one's own wins
    with pytest.raises(FileNotFoundError, match="is not a run"):
        Run.load("zoo/BetaVAE")
    shipped.check_not_shipped("zoo/BetaVAE")
