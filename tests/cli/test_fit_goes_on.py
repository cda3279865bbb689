# SPDX-License-Identifier: Apache-2.0
"""disent fit of runs that are there: longer than they were, stopped by the clock, moved."""

import json
import re

import pandas as pd
import pytest
import torch
import yaml

from disent.cli.main import main
from disent.runs import RunDir, load_runs
from disent.training.initial import digest
from tests.cli.small import QUIET, assert_same_weights, fit, weights

SCORED = ["--evaluate.metrics", "mig", "--pictures.at_end", "false"]


def test_a_finished_run_goes_on_to_a_new_end(tmp_path, capfd):
    """As one that was meant to be so long; its scores are of the new end."""
    assert fit(tmp_path, "--run", "grown", *SCORED) == 0
    assert fit(tmp_path, "--run", "grown", *SCORED, "--trainer.max_steps", "90") == 0
    assert "goes on from step 60 of 90" in capfd.readouterr().out
    assert fit(tmp_path, "--run", "whole", *SCORED, "--trainer.max_steps", "90") == 0
    assert_same_weights(tmp_path / "grown", tmp_path / "whole")
    grown, whole = (RunDir(tmp_path / name) for name in ("grown", "whole"))
    one, other = (
        pd.read_csv(run.metrics).drop(columns="images_per_second") for run in (grown, whole)
    )
    pd.testing.assert_frame_equal(one, other)
    assert grown.read_scores()["step"] == 90
    assert grown.read_scores()["scores"]["mig"] == whole.read_scores()["scores"]["mig"]
    config = grown.read_config()
    assert config["trainer"]["max_steps"] == 90
    assert config["provenance"]["extended"] == [{"from": 60, "to": 90}]
    assert "extended" not in whole.read_config()["provenance"]
    status = grown.status()
    assert (status["state"], status["step"], status["extended_from"]) == ("finished", 90, 60)


def test_it_is_not_cut_back(tmp_path, capfd):
    assert fit(tmp_path, "--run", "some", *QUIET) == 0
    assert fit(tmp_path, "--run", "some", *QUIET, "--trainer.max_steps", "40") == 1
    assert "gone to step 60, and is not cut back to 40" in capfd.readouterr().err


def test_a_run_without_time_is_stopped_and_goes_on_with_more(tmp_path, capfd):
    words = ["--run", "timed", *QUIET, "--trainer.callbacks", "tests.tiny.Slow"]
    assert fit(tmp_path, *words, "--trainer.max_time", "00:00:00:01") == 0
    status = RunDir(tmp_path / "timed").status()
    assert status["state"] == "stopped"
    assert 0 < status["step"] < 60
    said = capfd.readouterr().out
    assert f"stopped by --trainer.max_time at step {status['step']} of 60" in said
    assert "disent evaluate" in said
    assert fit(tmp_path, *words, "--trainer.max_time", "00:01:00:00") == 0
    assert fit(tmp_path, "--run", "whole", *QUIET) == 0
    assert RunDir(tmp_path / "timed").status()["state"] == "finished"
    assert_same_weights(tmp_path / "timed", tmp_path / "whole")


def test_a_run_that_was_moved_goes_on_where_it_lies(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert fit(tmp_path / "old", "--run", "job", *QUIET) == 0
    (tmp_path / "other place").mkdir()
    moved = (tmp_path / "old" / "job").rename(tmp_path / "other place" / "job")
    named = ["fit", "--config", "other place/job/config.yaml"]
    assert main([*named, "--trainer.max_steps", "80"]) == 0
    assert RunDir(moved).status()["step"] == 80
    assert not (tmp_path / "old" / "job").exists()
    # with other settings it is another run, beside where this one was said to be
    assert main([*named, "--model.lr", "0.01", "--trainer.max_steps", "5"]) == 0
    (other,) = load_runs(tmp_path / "old")["run"]
    assert other.startswith("job-")
    assert RunDir(moved).status()["step"] == 80


@pytest.mark.slow
def test_a_sweep_whose_steps_grew_goes_on(sweep, tmp_path, capfd):
    runs = tmp_path / "runs"
    once = ["sweep", str(sweep(evaluate__at_end=False)), "--runs", str(runs)]
    assert main(once) == 0
    again = ["sweep", str(sweep(evaluate__at_end=False, trainer__max_steps=80))]
    assert main([*again, "--runs", str(runs)]) == 0
    assert "3 of 3 done" in capfd.readouterr().out
    assert [RunDir(run).status()["step"] for run in sorted(runs.glob("tiny*"))] == [80] * 3
    log = json.loads((runs / ".sweeps" / "tiny" / "sweep.json").read_text())
    assert log["fixed"]["trainer.max_steps"] == [80]
    sweep(evaluate__at_end=False)  # the first file, in its place
    assert main(once) == 1
    assert "trainer.max_steps: 80 -> 60" in capfd.readouterr().err
    config = yaml.safe_load((next(runs.glob("tiny*")) / "config.yaml").read_text())
    assert config["provenance"]["extended"] == [{"from": 60, "to": 80}]


def test_a_run_starts_with_the_weights_of_another(tmp_path, capfd):
    assert fit(tmp_path, "--run", "source", *QUIET) == 0
    source = tmp_path / "source"
    words = ["--run", "tuned", *QUIET, "--init_from", str(source), "--model.lr", "1e-30"]
    assert fit(tmp_path, *words) == 0
    began, tuned = weights(source), weights(tmp_path / "tuned")
    for name in began:  # next to nothing was learned: what it began with
        torch.testing.assert_close(tuned[name], began[name], rtol=0, atol=1e-20)
    origin = RunDir(tmp_path / "tuned").read_config()["provenance"]["init_from"]
    assert (origin["path"], origin["step"]) == (str(source), 60)
    assert origin["sha256"] == digest(weights(source))
    source.rename(tmp_path / "gone")  # what goes on needs it no more, and still says where from
    assert fit(tmp_path, *words, "--trainer.max_steps", "70") == 0
    assert RunDir(tmp_path / "tuned").read_config()["provenance"]["init_from"] == origin
    assert fit(tmp_path, "--run", "other", *QUIET, "--init_from", str(source)) == 1
    assert "is not a run" in capfd.readouterr().err
    assert not (tmp_path / "other").exists()


def test_weights_of_another_shape_are_no_start(tmp_path, capfd):
    assert fit(tmp_path, "--run", "source", *QUIET) == 0
    words = ["--init_from", str(tmp_path / "source"), "--model.latent_dim", "3"]
    assert fit(tmp_path, "--run", "tuned", *QUIET, *words) == 1
    said = capfd.readouterr().err
    assert "its weights do not fit this model: " in said
    assert re.search(r"has shape \[[\d, ]+\], but \[[\d, ]+\] is wanted.*Take the model", said)
    assert not (tmp_path / "tuned").exists()


def test_a_damaged_checkpoint_is_said_before_anything_is_written(tmp_path, capfd):
    assert fit(tmp_path, "--run", "some", *QUIET) == 0
    run = RunDir(tmp_path / "some")
    run.last.write_bytes(run.last.read_bytes()[:1000])
    before = {file: file.read_bytes() for file in run.path.rglob("*") if file.is_file()}
    capfd.readouterr()
    assert fit(tmp_path, "--run", "some", *QUIET, "--trainer.max_steps", "90") == 1
    said = capfd.readouterr().err.strip().splitlines()
    assert len(said) == 1
    assert "last.ckpt is damaged" in said[0]
    assert {file: file.read_bytes() for file in run.path.rglob("*") if file.is_file()} == before
