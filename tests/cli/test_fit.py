# SPDX-License-Identifier: Apache-2.0
"""disent fit, end to end on a tiny dataset: the run directory, repeating, refusing."""

import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
import torch
import yaml

from disent.cli.main import main
from disent.models import load_run
from disent.runs import RunDir, load_runs
from tests.cli.small import QUIET, SMALL, assert_same_weights, fit, weights

LATER = {
    "pandas",
    "pyarrow",
    "sklearn",
    "joblib",
    "h5py",
    "jinja2",
    "altair",
    "vl_convert",
    "wandb",
}


def test_a_run_directory_holds_everything(runs):
    run = RunDir(runs / "whole")
    config = yaml.safe_load(run.config.read_text())
    assert config["model"]["class_path"] == "disent.models.BetaVAE"
    assert torch.__version__.startswith(config["provenance"]["torch"])
    assert run.status()["state"] == "finished"
    assert {p.name for p in (run.path / "checkpoints").iterdir()} == {"last.ckpt", "best.ckpt"}
    assert {p.stem for p in run.figures.glob("*.png")} >= {"traversals", "reconstructions"}
    score = run.read_scores()["scores"]["mig"]
    assert {"value", "variant", "settings", "seed", "fingerprint"} <= score.keys()
    assert {"chance", "untrained"} <= score.keys()
    assert list(pd.read_csv(run.evaluations)["step"]) == [30, 60]


def test_logged_terms_add_up(runs):
    logged = pd.read_csv(runs / "whole" / "metrics.csv").to_dict("records")
    assert [row["step"] for row in logged] == [10, 20, 30, 40, 50, 60]
    for row in logged:
        latents = [row[f"rate_{j}"] for j in range(10)]
        assert row["elbo"] == pytest.approx(-(row["distortion"] + row["rate"]), rel=1e-5)
        assert row["rate"] == pytest.approx(sum(latents), rel=1e-4)
        assert row["loss"] == pytest.approx(row["distortion"] + 4 * row["rate"], rel=1e-5)
        assert row["active_latents"] == sum(rate > 0.01 for rate in latents)


def test_a_training_loads_nothing_that_only_scores_pictures_or_tables_need(tmp_path):
    """What is loaded before the first step delays it, and stays in memory to the last."""
    code = (
        "import sys\nfrom disent.cli.main import main\nstatus = main(sys.argv[1:])\n"
        f"print(sorted({LATER} & set(sys.modules)))\nsys.exit(status)"
    )
    words = ["fit", *SMALL, *QUIET, "--trainer.max_steps", "10", "--runs", str(tmp_path)]
    done = subprocess.run(
        [sys.executable, "-c", code, *words],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines()[-1] == "[]"


def test_a_trained_model_comes_back(runs):
    model = load_run(runs / "whole")
    assert not model.training
    assert torch.equal(
        model.state_dict()["network.encoder.1.weight"],
        weights(runs / "whole")["network.encoder.1.weight"],
    )


def test_a_finished_run_is_not_run_again(runs, capsys):
    before = RunDir(runs / "whole").status()
    assert fit(runs, "--run", "whole") == 0
    assert "is finished, so nothing is done" in capsys.readouterr().out
    assert RunDir(runs / "whole").status() == before


def test_other_settings_under_the_same_name_are_refused(runs, capsys):
    assert fit(runs, "--run", "whole", "--model.beta", "8") == 1
    assert "model.init_args.beta: 4.0 -> 8.0" in capsys.readouterr().err
    assert (
        yaml.safe_load((runs / "whole/config.yaml").read_text())["model"]["init_args"]["beta"]
        == 4.0
    )


def test_its_config_repeats_a_run(runs, tmp_path):
    config = str(runs / "whole" / "config.yaml")
    assert main(["fit", "--config", config, "--runs", str(tmp_path), "--run", "twin"]) == 0
    assert_same_weights(runs / "whole", tmp_path / "twin")


def test_again_keeps_the_old_folder(runs):
    assert fit(runs, "--run", "twice", *QUIET) == 0
    assert fit(runs, "--run", "twice", *QUIET, "--again", "true") == 0
    assert_same_weights(runs / "twice", runs / "twice.1")
    assert {"twice", "twice.1"} <= set(load_runs(runs)["run"])


@pytest.mark.parametrize(
    ("arguments", "answer"),
    [
        (["--config", "quickstrat"], "Did you mean quickstart?"),
        (["--config", "quickstart", "--model", "BetaVEA"], "BetaVAE"),
        (["--config", "locatello2019", "--model.betta", "3"], "model.beta"),
        (["--config", "quickstart", "--trainer.max_stepz", "3"], "--trainer.max_steps"),
        (["--config", "quickstart", "--data", "DSprite"], "DSprites"),
        (["--model", "BetaVAE"], "the number of steps is not said"),
        ([], "no model is chosen. Take a preset"),
        (["--config", "quickstart", "--data", "Shapes3D"], "--data.path is missing"),
        (["--config", "quickstart", "--data.path", "no.npz"], "no.npz. Download dSprites"),
        (["--config", "locatello2019", "--model.beta", "x"], "--model.beta x: Expected a float."),
        (["--config", "locatello2019", "--model.beta", "-1"], "beta must be >= 0, got -1"),
        (["--config", "quickstart", "--loader.held_out", "posx > 3"], "pos_x"),
        (["--config", "quickstart", "--evaluate.metrics", "mig, mgi"], "there is no metric mgi"),
    ],
)
def test_mistakes_are_answered_in_one_line(arguments, answer, tmp_path, capsys):
    assert main(["fit", *arguments, "--runs", str(tmp_path)]) == 1
    error = capsys.readouterr().err.strip()
    assert error.startswith("disent: error: ")
    assert answer in error
    assert len(error.splitlines()) == (4 if "--loader.held_out" in arguments else 1), error
    assert not list(tmp_path.iterdir())


def test_a_run_can_be_scored_and_drawn_again(runs, tmp_path, capsys):
    run = RunDir(runs / "whole")
    before = run.read_scores()
    arguments = ["--metrics", "mig", "--points", "40"]
    assert main(["evaluate", str(run.path), str(tmp_path / "missing"), *arguments]) == 1
    output = capsys.readouterr()
    assert "mig" in output.out
    assert "missing: " in output.err
    assert run.read_scores()["points"] == 32
    assert main(["evaluate", str(run.path)]) == 0
    assert run.read_scores() == before
    assert main(["traverse", str(run.path), "--latents", "2", "--output", str(tmp_path)]) == 0
    assert (tmp_path / "traversals.png").exists()
    assert main(["runs", str(runs), "--csv", str(tmp_path / "runs.csv")]) == 0
    assert "whole" in set(pd.read_csv(tmp_path / "runs.csv")["run"])
