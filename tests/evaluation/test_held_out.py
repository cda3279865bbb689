# SPDX-License-Identifier: Apache-2.0
"""What a run that held pictures out says of them."""

import pytest

from disent.cli.main import main
from disent.runs import RunDir, load_runs
from tests.cli.small import QUIET, fit


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("held_out")
    assert fit(folder, "--run", "all", *QUIET) == 0
    assert fit(folder, "--run", "some", *QUIET, "--loader.held_out", "pos_x >= 6") == 0
    folders = [str(folder / "all"), str(folder / "some")]
    assert main(["evaluate", *folders, "--metrics", "mig", "--device", "cpu"]) == 0
    return folder


def test_unseen_pictures_stand_beside_trained_ones(runs):
    record = RunDir(runs / "some").read_scores()
    found = record["held_out"]
    assert found["condition"] == "pos_x >= 6"
    assert (found["trained"]["pictures"], found["unseen"]["pictures"]) == (96, 32)
    # the mean over both sides is the rate of the whole grid
    parts = [found[side]["rate"] * found[side]["pictures"] for side in ("trained", "unseen")]
    assert sum(parts) / 128 == pytest.approx(record["rate"], rel=1e-5)
    parts = [found[side]["distortion"] * found[side]["pictures"] for side in ("trained", "unseen")]
    error = 5 * record["rate_distortion"]["total_error"]
    assert sum(parts) / 128 == pytest.approx(record["rate_distortion"]["distortion"], abs=error)
    assert set(found["factors"]) == {"size", "pos_x", "pos_y"}


def test_they_are_the_same_pictures_where_the_grid_is_thinned(runs):
    """Of 2 x 4 x 4 pictures, at every second place: pos_x 6 is held out, 0, 2 and 4 are not."""
    before = RunDir(runs / "some").read_scores()
    folder = [str(runs / "some"), "--metrics", "mig", "--device", "cpu"]
    try:
        assert main(["evaluate", *folder, "--points", "40"]) == 0
        found = RunDir(runs / "some").read_scores()["held_out"]
    finally:
        RunDir(runs / "some").write_scores(before)
    assert (found["trained"]["pictures"], found["unseen"]["pictures"]) == (24, 8)


def test_they_are_columns_of_the_table_of_runs(runs):
    table = load_runs(runs).set_index("run")
    assert table["held_out.unseen.pictures"].isna().to_dict() == {"all": True, "some": False}
    assert table["held_out.unseen.distortion"].max() > 0


def test_a_run_that_held_nothing_out_says_nothing(runs):
    assert "held_out" not in RunDir(runs / "all").read_scores()


def test_both_sides_have_a_log_likelihood_of_their_own_pictures_where_it_is_asked_for(runs):
    run = RunDir(runs / "some")
    before = run.read_scores()
    options = ["--metrics", "log_likelihood", "--samples", "4", "--pictures", "128"]
    try:
        assert main(["evaluate", str(run.path), *options, "--device", "cpu"]) == 0
        record = run.read_scores()
    finally:
        run.write_scores(before)
    found, sides = record["held_out"], ("trained", "unseen")
    # every picture is drawn, each with the same samples: 96 + 32 of 128
    parts = [found[side]["log_likelihood"] * found[side]["pictures"] for side in sides]
    assert sum(parts) / 128 == pytest.approx(record["scores"]["log_likelihood"]["value"], rel=1e-5)
    assert found["trained"]["log_likelihood"] != found["unseen"]["log_likelihood"]
    assert found["unseen"]["log_likelihood_error"] > 0
    assert "log_likelihood" not in before["held_out"]["unseen"]


def test_a_named_split_and_correlated_factors_train_and_are_scored_on_the_whole_grid(tmp_path):
    options = ["--loader.sampling", "iid", "--loader.held_out", "montero:extrapolation"]
    options += ["--loader.correlated", "pos_x ~ pos_y : 0.2", "--trainer.max_steps", "20"]
    assert fit(tmp_path, "--run", "both", *QUIET, *options) == 0
    run = RunDir(tmp_path / "both")
    assert run.read_config()["loader"]["correlated"] == "pos_x ~ pos_y : 0.2"
    assert main(["evaluate", str(run.path), "--metrics", "mig", "--device", "cpu"]) == 0
    record = run.read_scores()
    assert record["points"] == 128
    assert record["held_out"]["condition"] == "montero:extrapolation"
    assert record["held_out"]["unseen"]["pictures"] == 64
    assert load_runs(tmp_path)["loader.correlated"].tolist() == ["pos_x ~ pos_y : 0.2"]
