# SPDX-License-Identifier: Apache-2.0
"""The same run from its folder, from W&B's offline folder, and from W&B's server."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from disent.runs import load_histories, load_runs, score_names
from tests.cli.small import SMALL

ROOT = Path(__file__).parents[2]
NUMBERS = ["beta", "seed", "step", "rate", "distortion", "mig", "mig.chance"]


@pytest.fixture(scope="module")
def logged(tmp_path_factory):
    """A run that W&B logged offline."""
    folder = tmp_path_factory.mktemp("logged")
    clean = {k: v for k, v in os.environ.items() if not k.startswith("WANDB")}
    clean |= {"WANDB_MODE": "offline", "WANDB_SILENT": "true", "HOME": str(folder / "home")}
    clean |= {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "WANDB_X_DISABLE_STATS": "true"}
    words = [sys.executable, "-m", "disent", "fit", *SMALL, "--logger", "wandb", "--run", "a"]
    words += ["--runs", str(folder / "runs")]
    done = subprocess.run(words, cwd=ROOT, env=clean, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return folder / "runs" / "a"


def test_an_offline_folder_gives_the_row_of_the_run(logged):
    ours = load_runs(logged)
    theirs = load_runs(logged / "wandb")
    assert theirs[["run", "state", "reason"]].to_numpy().tolist() == [["a", "finished", ""]]
    assert theirs[["model", "data"]].equals(ours[["model", "data"]])
    for name in NUMBERS:
        assert theirs[name].tolist() == pytest.approx(ours[name].tolist(), rel=1e-6), name


def test_an_offline_folder_gives_the_logged_steps(logged):
    ours, theirs = load_histories(logged), load_histories(logged / "wandb")
    assert theirs["step"].tolist() == [10, 20, 30, 40, 50, 60]
    for name in ("rate", "distortion", "rate_0", "elbo"):
        assert theirs[name].tolist() == pytest.approx(ours[name].tolist(), rel=1e-6)


def test_a_log_that_is_cut_off_says_so_and_keeps_what_was_written(logged, tmp_path):
    shutil.copytree(logged / "wandb", tmp_path / "wandb")
    (file,) = tmp_path.glob("wandb/offline-run-*/*.wandb")
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2])
    cut = load_runs(tmp_path / "wandb")
    assert cut["state"].tolist() == ["unknown"]
    assert "no end" in cut["reason"][0]
    assert cut["beta"].tolist() == load_runs(logged)["beta"].tolist()
    file.write_bytes(b"no log at all")
    broken = load_runs(tmp_path / "wandb")
    assert broken["state"].tolist() == ["unreadable"]
    assert "not a log of W&B" in broken["reason"][0]
    with pytest.warns(UserWarning, match="not a log of W&B"):
        assert load_histories(tmp_path / "wandb").empty


def test_a_torn_table_of_scores_makes_its_run_unreadable_and_no_other(logged, tmp_path):
    shutil.copytree(logged / "wandb", tmp_path / "wandb")
    (table,) = tmp_path.glob("wandb/offline-run-*/files/media/table/scores*.json")
    table.write_text('{"columns": ["sco')
    rows = load_runs([tmp_path / "wandb", logged / "wandb"])
    assert rows["state"].tolist() == ["unreadable", "finished"]
    table.write_text('{"columns": ["mine"], "data": [[1]]}')
    assert load_runs(tmp_path / "wandb")["state"].tolist() == ["finished"]


class Online:
    """A run as W&B's public API gives it."""

    name, state, path = "online", "crashed", ["me", "disent", "abc"]
    config = {  # noqa: RUF012
        "seed_everything": 3,
        "model": {"class_path": "disent.models.BetaVAE", "init_args": {"beta": 4.0}},
    }
    summary = {  # noqa: RUF012
        "_step": 60,
        "rate": 5.0,
        "mig": 0.25,
        "scores": {"_type": "table-file", "path": "media/table/scores.json"},
    }

    def file(self, path):
        class File:
            def download(self, root, replace):
                target = Path(root) / path
                target.parent.mkdir(parents=True)
                columns = ["score", "value", "chance", "variant"]
                row = ["mig", 0.25, 0.01, "disent.metrics.mig.mig"]
                target.write_text(json.dumps({"columns": columns, "data": [row]}))

        return File()

    def scan_history(self):
        yield {"_step": 50, "rate": 4.0, "_runtime": 1.0}
        yield {"_step": 60, "rate": 5.0}
        yield {"_step": 60, "mig": 0.25, "pictures/curves": {"_type": "image-file"}}


@pytest.fixture
def online(monkeypatch):
    class Api:
        def runs(self, path):
            if path != "me/disent":
                raise ValueError(f"Could not find project {path}")
            return [Online()]

        def run(self, path):
            assert path == "me/disent/abc"
            return Online()

    import wandb

    monkeypatch.setattr(wandb, "Api", Api)


def test_a_project_of_wandb_gives_the_same_columns(online):
    table = load_runs("wandb:me/disent")
    row = table.iloc[0].to_dict()
    expected = {"run": "online", "path": "wandb:me/disent/abc", "state": "failed", "seed": 3}
    expected |= {"model": "BetaVAE", "beta": 4.0, "step": 60, "rate": 5.0, "mig": 0.25}
    assert {name: row[name] for name in expected} == expected
    assert row["reason"] == "W&B says: crashed"
    assert score_names(table) == ["mig"]
    assert row["mig.chance"] == 0.01
    pd.testing.assert_frame_equal(load_runs("wandb:me/disent/abc"), table)
    history = load_histories("wandb:me/disent")
    assert history[["step", "rate"]].to_numpy().tolist() == [[50, 4.0], [60, 5.0]]
    assert history["mig"].tolist()[1] == 0.25


def test_what_wandb_cannot_give_is_said(online):
    with pytest.raises(ValueError, match="wandb:ENTITY/PROJECT is wanted"):
        load_runs("wandb:disent")
    with pytest.raises(ValueError, match="WANDB_API_KEY"):
        load_runs("wandb:me/other")


def test_sources_of_all_kinds_stand_in_one_table(online, logged):
    table = load_runs([logged, logged / "wandb", "wandb:me/disent"])
    assert table["run"].tolist() == ["a", "a", "online"]
    assert pd.api.types.is_float_dtype(table["mig"])
