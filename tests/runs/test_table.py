# SPDX-License-Identifier: Apache-2.0
"""One row a run, whatever state it is in."""

import pytest

from disent.runs import RunDir, load_runs

CONFIG = """
seed_everything: 7
model:
  class_path: disent.models.BetaVAE
  init_args: {beta: 4.0, network: {class_path: disent.networks.Linear}}
data:
  class_path: disent.data.DSprites
"""


@pytest.fixture
def runs(tmp_path):
    whole = RunDir(tmp_path / "a")
    whole.write_text(whole.config, CONFIG)
    whole.write_status("finished")
    for step in (50, 100):
        whole.append_row(whole.metrics, {"step": step, "rate": step / 10})
    whole.write_scores({"scores": {"mig": {"value": 0.3, "chance": 0.0, "untrained": 0.01}}})
    young = RunDir(tmp_path / "b")
    young.write_text(young.config, CONFIG)
    broken = RunDir(tmp_path / "c")
    broken.write_status("failed", reason="loss is nan")
    broken.write_text(broken.config, "model: [")
    (tmp_path / "notes").mkdir()
    return tmp_path


def test_a_row_holds_config_last_values_and_scores(runs):
    row = load_runs(runs).set_index("run").loc["a"]
    expected = {
        "state": "finished",
        "model": "BetaVAE",
        "model.beta": 4.0,
        "model.network": "Linear",
        "data": "DSprites",
        "seed": 7,
        "step": 100,
        "rate": 10.0,
        "mig": 0.3,
        "mig.untrained": 0.01,
    }
    assert {name: row[name] for name in expected} == expected


@pytest.mark.parametrize(("scored", "said"), [(60, "scores are of step 60"), (100, "")])
def test_scores_of_an_earlier_step_are_said_to_be_so(runs, scored, said):
    RunDir(runs / "a").write_scores({"step": scored, "scores": {"mig": {"value": 0.3}}})
    row = load_runs(runs).set_index("run").loc["a"]
    assert (row["mig"], row["state"], row["reason"]) == (0.3, "finished", said)


def test_broken_and_young_runs_are_rows_too(runs):
    table = load_runs(runs).set_index("run")
    assert list(table.index) == ["a", "b", "c"]
    assert table.loc["b", "state"] == "unknown"
    assert table.loc["c", "state"] == "unreadable"
    assert "config.yaml is not YAML" in str(table.loc["c", "reason"])


def test_one_run_can_be_named(runs):
    assert list(load_runs(runs / "a")["run"]) == ["a"]


def test_no_folder_is_an_error_and_an_empty_one_an_empty_table(tmp_path):
    assert load_runs(tmp_path).empty
    with pytest.raises(FileNotFoundError, match="there is no folder"):
        load_runs(tmp_path / "missing")
