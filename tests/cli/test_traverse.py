# SPDX-License-Identifier: Apache-2.0
"""disent traverse on a run: the pictures it writes, and what it says when it cannot."""

import argparse
import subprocess
import sys
from pathlib import Path

import pytest
import torch
import yaml
from PIL import Image

from disent.cli import traverse
from disent.models import VAE
from disent.networks import Linear
from disent.runs import RunDir

NAMES = ["curves.png", "interpolation.png", "reconstructions.png", "samples.png", "traversals.png"]
# jsonargparse 4.49 renamed a method that older releases, allowed here, know by the old name only
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


@pytest.fixture
def run(tmp_path) -> RunDir:
    """A run that was trained on the tests' squares."""
    run = RunDir(tmp_path / "run")
    settings = {"network": {"class_path": "disent.networks.Linear"}, "latent_dim": 3}
    config = {
        "model": {"class_path": "disent.models.VAE", "init_args": settings},
        "data": {"class_path": "tests.tiny.Squares"},
    }
    run.last.parent.mkdir(parents=True)
    run.config.write_text(yaml.safe_dump(config))
    run.metrics.write_text("step,loss,rate_0\n1,2.5,0.1\n2,2.0,0.2\n")
    torch.save({"state_dict": VAE(network=Linear, latent_dim=3).state_dict()}, run.last)
    return run


def parse(*argv: str | int | Path) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    traverse.add_parser(parser.add_subparsers())
    return parser.parse_args(["traverse", *map(str, argv)])


def test_pictures_go_into_the_run_and_their_paths_are_printed(run, capsys):
    arguments = parse(run.path)
    assert arguments.run(arguments) == 0
    printed = capsys.readouterr().out.splitlines()
    assert sorted(printed) == [str(run.path / "figures" / name) for name in NAMES]
    assert sorted(path.name for path in (run.path / "figures").iterdir()) == NAMES


def test_another_folder_can_be_named(run, tmp_path, capsys):
    arguments = parse(run.path, "--latents", 2, "--columns", 3, "--output", tmp_path / "elsewhere")
    assert arguments.run(arguments) == 0
    assert sorted(path.name for path in (tmp_path / "elsewhere").iterdir()) == NAMES
    assert not (run.path / "figures").exists()


def test_options_reach_the_traversal(run, monkeypatch):
    seen = {}
    monkeypatch.setattr(
        "disent.latents.pictures.draw_pictures", lambda *_, **named: seen.update(named) or {}
    )
    arguments = parse(run.path, "--latents", 2, "--range", 3, "--columns", 5, "--index", 7)
    arguments.run(arguments)
    assert not seen["traversal"].animated
    chosen = seen["traversal"]
    assert (chosen.latents, chosen.limit, chosen.columns, chosen.index) == (2, 3.0, 5, 7)


def test_traversals_can_be_animated(run, capsys):
    arguments = parse(run.path, "--animate", "--latents", 2)
    assert arguments.run(arguments) == 0
    assert "traversals_animated.gif" in capsys.readouterr().out
    with Image.open(run.path / "figures" / "traversals_animated.gif") as film:
        assert getattr(film, "n_frames", 1) > 1


@pytest.fixture
def three(run) -> Path:
    """A folder of three runs; the third has no weights."""
    text = run.config.read_text()
    for name in ("second", "third"):
        other = RunDir(run.path.with_name(name))
        other.last.parent.mkdir(parents=True)
        other.config.write_text(text + "seed_everything: 1\n")
    weights = VAE(network=Linear, latent_dim=3, seed=1).state_dict()
    torch.save({"state_dict": weights}, RunDir(run.path.with_name("second")).last)
    return run.path.parent


@pytest.mark.parametrize("argv", [("run", "second", "third"), (".",)])
def test_many_runs_are_one_figure(three, argv, capsys, monkeypatch):
    monkeypatch.chdir(three)
    arguments = parse(*argv)
    assert arguments.run(arguments) == 0
    said = capsys.readouterr()
    assert said.out.splitlines() == ["traversals_of_runs.png"]
    assert "third has no weights" in said.err
    assert (three / "traversals_of_runs.png").stat().st_size > 10_000
    assert not (three / "run" / "figures").exists()


@pytest.mark.parametrize("option", ["--animate", "--film", "--latents=2"])
def test_what_is_of_one_run_is_refused_for_many(three, option):
    arguments = parse(three, option)
    with pytest.raises(ValueError, match=f"{option.split('=')[0]} is of one run"):
        arguments.run(arguments)


def test_runs_of_other_pictures_are_refused(three):
    config = three / "second" / "config.yaml"
    config.write_text(config.read_text().replace("tests.tiny.Squares", "disent.data.DSprites"))
    arguments = parse(three)
    with pytest.raises(ValueError, match=r"run is of Squares, but .*second of DSprites: a row can"):
        arguments.run(arguments)


def test_a_folder_without_runs_is_said(tmp_path):
    (tmp_path / "empty").mkdir()
    arguments = parse(tmp_path / "empty")
    with pytest.raises(ValueError, match=r"no run with weights in .*empty"):
        arguments.run(arguments)


@pytest.mark.parametrize(
    ("argv", "error", "message"),
    [
        (["nowhere"], FileNotFoundError, "is not a run"),
        (["nowhere", "--columns", "1"], ValueError, "columns must be >= 2"),
    ],
)
def test_says_what_is_wrong_and_makes_nothing(argv, error, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    arguments = parse(*argv)
    with pytest.raises(error, match=message):
        arguments.run(arguments)
    assert list(tmp_path.iterdir()) == []


def test_help_does_not_import_torch():
    program = (
        "import argparse, sys; from disent.cli import traverse; p = argparse.ArgumentParser(); "
        "traverse.add_parser(p.add_subparsers()); p.format_help(); print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout.strip() == "False", done.stderr
