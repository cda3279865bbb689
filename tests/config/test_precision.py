# SPDX-License-Identifier: Apache-2.0
"""Every precision that the trainer documents, and seeds: taken, or refused in a line."""

import pytest
import yaml

from disent.cli.main import main
from disent.config.compare import is_finished
from disent.config.fit import FitConfig
from disent.config.precision import checked_precision
from disent.runs import RunDir
from disent.training.start import check_tasks

TINY = ["--config", "locatello2019", "--model.network", "Linear", "--data", "tests.tiny.Squares"]
TINY += ["--trainer.max_steps", "2", "--loader.batch_size", "4", "--evaluate.at_end", "false"]
TINY += ["--pictures.at_end", "false", "--trainer.log_every_n_steps", "1"]


@pytest.mark.parametrize(
    ("given", "known_as"),
    [("32", "32-true"), ("32-true", "32-true"), ("bf16", "bf16-mixed"), ("16", "16-mixed")],
)
def test_older_names_of_a_precision_are_the_present_ones(given, known_as):
    config = FitConfig.read([*TINY, "--trainer.precision", given])
    assert config.trainer["precision"] == config.dump()["trainer"]["precision"] == known_as


@pytest.mark.parametrize("precision", ["32-true", "bf16-mixed"])
def test_a_precision_that_is_taken_trains(precision, tmp_path):
    assert main(["fit", *TINY, "--runs", str(tmp_path), "--trainer.precision", precision]) == 0


@pytest.mark.parametrize(
    ("precision", "instead"),
    [
        ("16-true", "16-mixed"), ("bf16-true", "bf16-mixed"), ("64-true", "32-true"),
        ("64", "32-true"), ("transformer-engine", "bf16-mixed"),
        ("transformer-engine-float16", "bf16-mixed"),
    ],
)  # fmt: skip
def test_one_that_changes_the_weights_is_refused_in_a_line(precision, instead, tmp_path, capsys):
    argv = ["fit", *TINY, "--runs", str(tmp_path / "runs"), "--trainer.precision", precision]
    assert main(argv) == 1
    said = capsys.readouterr().err
    assert f"--trainer.precision is {precision}, but a model's weights are float32" in said
    assert said.endswith(f"Take {instead}.\n")
    assert said.count("\n") == 1
    assert not (tmp_path / "runs").exists()


def test_none_is_the_trainers_default():
    assert checked_precision(None) is None


def test_a_run_of_an_older_version_under_an_older_name_is_the_same(tmp_path):
    config = FitConfig.read([*TINY, "--trainer.precision", "bf16"]).dump()
    folder = RunDir(tmp_path)
    older = config | {"trainer": config["trainer"] | {"precision": "bf16"}}
    folder.config.write_text(yaml.safe_dump(older))
    folder.write_status(state="finished")
    assert is_finished(folder, config)


@pytest.mark.parametrize("seed", ["false", "true"])
def test_a_seed_that_is_no_number_is_refused_in_a_line(seed, tmp_path, capsys):
    argv = ["fit", *TINY, "--runs", str(tmp_path / "runs"), "--seed_everything", seed]
    assert main(argv) == 1
    said = capsys.readouterr().err
    assert f"--seed_everything is {seed}, but a whole number is wanted" in said
    assert said.count("\n") == 1
    assert not (tmp_path / "runs").exists()


def test_tasks_of_a_slurm_job_that_nobody_can_share_out_are_refused_in_a_line(
    tmp_path, monkeypatch, capsys
):
    job = {"SLURM_NTASKS": "2", "SLURM_JOB_NAME": "mine", "SLURM_JOB_ID": "4", "SLURM_PROCID": "0"}
    for name, value in job.items():
        monkeypatch.setenv(name, value)
    assert main(["fit", *TINY, "--runs", str(tmp_path / "runs")]) == 1
    said = capsys.readouterr().err
    assert "this Slurm job has --ntasks=2" in said
    assert "Write --ntasks-per-node=2 in its script" in said
    assert said.count("\n") == 1
    assert not (tmp_path / "runs").exists()
    check_tasks(job | {"SLURM_JOB_NAME": "bash"})  # a shell on a node: one process
    check_tasks(job | {"SLURM_NTASKS": "1"})
