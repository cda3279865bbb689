# SPDX-License-Identifier: Apache-2.0
"""Paths: ~ is the home folder everywhere; what is stored does not depend on where one stood."""

from pathlib import Path

import pytest
import yaml

from disent.cli.main import at_home, main
from disent.config.compare import is_finished
from disent.config.fit import FitConfig
from disent.config.places import make_absolute, path_arguments
from disent.data import MNIST, MPI3D, Cars3D, DSprites, Shapes3D, SmallNORB
from disent.models import SCAN, VAE
from disent.runs import Run, RunDir
from tests.data.idx_files import write

TINY = "--config locatello2019 --model.network Linear --data MNIST --trainer.max_steps 3"
TINY += " --trainer.log_every_n_steps 1 --loader.batch_size 4 --pictures.at_end false"
TINY += " --evaluate.at_end false"


@pytest.fixture
def home(tmp_path, monkeypatch) -> Path:
    """A home folder with small files of MNIST in data/mnist; one stands in it."""
    (tmp_path / "data").mkdir()
    write(tmp_path / "data" / "mnist")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def fit(*more: str) -> int:
    return main(["fit", *TINY.split(), "--run", "a", *more])


@pytest.mark.parametrize(
    ("word", "wanted"),
    [
        ("~/a", "HOME/a"),
        ("--runs=~/a b", "--runs=HOME/a b"),
        ("--extra=--runs=~/a", "--extra=--runs=~/a"),  # its run reads it
        ("~", "~"),  # YAML's null
        ("--a=~", "--a=~"),
        ("x~/a", "x~/a"),
        ("mig~/x", "mig~/x"),
    ],
)
def test_a_word_of_a_command_line_is_read_as_a_shell_reads_it(word, wanted, monkeypatch):
    monkeypatch.setenv("HOME", "HOME")
    assert at_home(word) == wanted


@pytest.mark.parametrize("kind", [MNIST, Cars3D, SmallNORB, Shapes3D, DSprites])
def test_every_dataset_reads_the_home_folder(kind, home):
    with pytest.raises(FileNotFoundError, match=f"{home}/gone"):
        kind("~/gone")
    with pytest.raises(FileNotFoundError, match=f"{home}/gone"):
        MPI3D("$HOME/gone", "toy")


def test_paths_among_arguments_are_known_by_their_annotations():
    assert path_arguments(SCAN) == {"vision"}
    assert path_arguments(VAE) == set()
    given = {"class_path": "disent.models.SCAN", "init_args": {"vision": "a", "factor_names": "b"}}
    make_absolute(given)
    assert given["init_args"] == {"vision": f"{Path.cwd()}/a", "factor_names": "b"}
    empty = {"class_path": "disent.data.DSprites", "init_args": {"path": None}}
    make_absolute(empty)
    make_absolute("disent.data.DSprites")
    assert empty["init_args"] == {"path": None}


@pytest.mark.parametrize("given", ["data/mnist", "~/data/mnist", "$HOME/data/mnist"])
def test_a_config_has_absolute_paths_however_they_are_written(given, home, tmp_path):
    file = tmp_path / "mine.yaml"
    section = {"class_path": "disent.data.MNIST", "init_args": {"path": given}}
    file.write_text(yaml.safe_dump({"data": section, "runs": "~/all"}))
    argv = ["--config", "locatello2019", "--config", "~/mine.yaml", "--trainer.max_steps", "3"]
    config = FitConfig.read(argv)
    assert config.dump()["data"]["init_args"]["path"] == f"{home}/data/mnist"
    assert config.runs == f"{home}/all"


def test_a_config_of_an_older_version_is_of_the_same_run(home):
    argv = [*TINY.split(), "--data.path", "data/mnist"]
    config = FitConfig.read(argv).dump()
    older = FitConfig.read(argv).dump()
    older["data"]["init_args"]["path"] = "data/mnist"
    folder = RunDir(home / "run")
    folder.path.mkdir()
    folder.config.write_text(yaml.safe_dump(older))
    folder.write_status(state="finished")
    assert is_finished(folder, config)


def test_a_run_is_read_from_any_folder_and_a_file_that_is_gone_is_one_line(home, capsys):
    assert fit("--data.path", "data/mnist", "--runs=~/all runs") == 0
    run = home / "all runs" / "a"
    assert RunDir(run).read_config()["data"]["init_args"]["path"] == f"{home}/data/mnist"
    elsewhere = home / "elsewhere"
    elsewhere.mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(elsewhere)
        assert main(["export", "~/all runs/a"]) == 0
        assert len(Run.load("~/all runs/a").dataset()) == 8
        (home / "data" / "mnist" / "train-images-idx3-ubyte").unlink()
        capsys.readouterr()
        for command in ("evaluate", "traverse"):
            assert main([command, "~/all runs/a"]) == 1
            said = capsys.readouterr().err
            assert "data/mnist has neither train-images-idx3-ubyte nor" in said
            assert said.count("\n") == 1
    assert fit("--data.path=~/data/mnist", "--runs", "other") == 1
    assert capsys.readouterr().err.count("\n") == 1
    assert not Path("other").exists()
