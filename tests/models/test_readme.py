# SPDX-License-Identifier: Apache-2.0
"""The model that the guide shows trains, resumes, is scored and drawn by the commands."""

import re
import sys
from pathlib import Path

import pandas as pd
import pytest

from disent.cli.main import main
from disent.runs import RunDir, load_runs, with_families

GUIDE = Path(__file__).parents[2] / "disent" / "models" / "README.md"


@pytest.fixture
def mine(tmp_path, monkeypatch):
    """The guide's file, in the working folder."""
    (code,) = re.findall(r"<!-- mine\.py -->\n```python\n(.*?)```", GUIDE.read_text(), re.S)
    (tmp_path / "mine.py").write_text(code)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.path", [*sys.path])
    return tmp_path


def test_a_model_of_ones_own_from_the_guide(mine, capfd):
    words = "--config quickstart --model mine.SparseAutoencoder --model.sparsity 0.5 --run own"
    small = "--data tests.tiny.Squares --loader.batch_size 8 --trainer.log_every_n_steps 5"
    save = "--checkpoint_every_n_steps 10 --evaluate.metrics mig,mig_chen"
    words = [*words.split(), *small.split(), *save.split(), "--runs", str(mine / "runs")]
    assert main(["fit", *words, "--trainer.max_steps", "20"]) == 0
    run = RunDir(mine / "runs" / "own")
    logged = pd.read_csv(run.metrics)
    assert list(logged["step"]) == [5, 10, 15, 20]
    assert {"loss", "error", "sparse"} <= set(logged)
    scores = run.read_scores()
    assert 0 <= scores["scores"]["mig"]["value"] <= 1
    assert scores["scores"]["mig_chen"]["value"] is None
    assert scores["rate"] is None
    assert "no rate" in capfd.readouterr().out
    assert (run.figures / "traversals.png").exists()
    table = with_families(load_runs(mine / "runs"))
    assert table["setting"].tolist() == ["sparsity 0.5"]
    assert main(["report", str(mine / "runs")]) == 0
    assert main(["evaluate", str(run.path), "--metrics", "dci"]) == 0
