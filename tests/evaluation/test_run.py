# SPDX-License-Identifier: Apache-2.0
"""Scores of whole runs, and between runs of several seeds, as `disent evaluate` writes them."""

import json
import math
import re

import pytest

from disent import metrics
from disent.cli.main import main
from disent.evaluation.options import BY_NAME_ONLY
from disent.metrics.base import wants
from disent.runs import RunDir, load_runs
from tests.cli.small import QUIET, fit


@pytest.fixture(scope="module")
def three(tmp_path_factory):
    """Two runs that differ in the seed alone, and one of another beta."""
    folder = tmp_path_factory.mktemp("three")
    for name, more in {"a": ["0"], "b": ["1"], "other": ["0", "--model.beta", "1"]}.items():
        assert fit(folder, "--run", name, *QUIET, "--seed_everything", *more) == 0
    return folder


@pytest.fixture(scope="module")
def scored(three):
    folders = [str(three / name) for name in ("a", "b", "other")]
    options = ["--metrics", "all", "--repeats", "2", "--device", "cpu"]
    assert main(["evaluate", *folders, *options]) == 0
    return {name: RunDir(three / name).read_scores() for name in ("a", "b", "other")}


def test_all_means_every_score_each_with_baselines_and_settings(scored):
    scores = scored["a"]["scores"]
    assert {name.split(".")[0] for name in scores} == set(metrics.__all__) - BY_NAME_ONLY
    for name, entry in scores.items():
        assert {"value", "variant", "codes", "settings", "seed", "points"} <= set(entry)
        assert entry["fingerprint"] == "squares-of-the-tests"
        member = getattr(metrics, name.split(".")[0])
        if {"factors", "grid"} & set(wants(member)) and "seed" not in entry["settings"]:
            assert entry["chance"] is not None
        if name not in ("udr", "infomec.compactness"):
            assert entry["untrained"] is not None
            assert entry["pca"] is not None
    assert json.loads(json.dumps(scored["a"], allow_nan=False)) == scored["a"]


def test_what_is_drawn_has_a_spread(scored):
    assert scored["a"]["scores"]["dci.disentanglement"]["repeats"] == 2
    assert scored["a"]["scores"]["dci.disentanglement"]["spread"] is not None
    assert scored["a"]["scores"]["mig"]["protocol"]["spread"] is not None


def test_runs_of_two_seeds_are_compared_and_the_third_is_not(scored):
    for name in ("a", "b"):
        entry = scored[name]["scores"]["udr"]
        assert 0 <= entry["value"] <= 1
        assert [path.rsplit("/", 1)[1] for path in entry["runs"]] == ["a", "b"]
        assert 0 <= entry["chance"] < 0.2
    # with two runs the similarity of each to the other is its score; nearly symmetric
    both = [scored[name]["scores"]["udr"]["value"] for name in ("a", "b")]
    assert both[0] == pytest.approx(both[1], abs=0.1)
    alone = scored["other"]["scores"]["udr"]
    assert alone["value"] is None
    assert "name the runs of several seeds" in alone["reason"]


def test_bounds_and_place_on_the_plane_are_recorded(scored):
    place = scored["a"]["rate_distortion"]
    assert place["total"] == pytest.approx(place["rate"] + place["distortion"])
    assert place["entropy"] == pytest.approx(math.log(128))
    assert place["total"] > place["entropy"]
    assert place["mutual_information"] <= place["rate"] + 4 * place["mutual_information_error"]
    assert place["rate"] == pytest.approx(scored["a"]["rate"])


def test_earlier_scores_of_the_same_step_stay(three, scored, capsys):
    assert main(["evaluate", str(three / "a"), "--metrics", "mig", "--codes", "sampled"]) == 0
    after = RunDir(three / "a").read_scores()["scores"]
    assert set(after) == {*scored["a"]["scores"], "mig.sampled"}
    assert after["mig"] == scored["a"]["scores"]["mig"]
    assert "mig.sampled" in capsys.readouterr().out


def test_scores_become_columns(three, scored):
    row = load_runs(three).set_index("run").loc["a"]
    assert row["dci.disentanglement"] == scored["a"]["scores"]["dci.disentanglement"]["value"]
    for part in ("chance", "untrained", "pca", "spread"):
        assert math.isfinite(row.to_dict()[f"dci.disentanglement.{part}"])


def test_a_run_that_cannot_be_scored_is_named_and_the_others_go_on(three, tmp_path, capsys):
    assert main(["evaluate", str(tmp_path / "none"), str(three / "b"), "--metrics", "mig"]) == 1
    out = capsys.readouterr()
    assert re.search(r"disent: error: .*none: ", out.err)
    assert "scores of" in out.out


@pytest.mark.parametrize(
    ("wrong", "said"),
    [(["--metrics", "mgi"], "there is no metric mgi"), (["--repeats", "0"], "repeats=0")],
)
def test_wrong_options_are_one_line(three, wrong, said, capsys):
    assert main(["evaluate", str(three / "a"), *wrong]) == 1
    assert said in capsys.readouterr().err


def test_a_violated_bound_names_itself(three, monkeypatch, capsys):
    """A decoder whose log-probabilities are not those of a probability."""
    from disent.likelihoods import Bernoulli

    before = RunDir(three / "b").read_scores()
    monkeypatch.setattr(Bernoulli, "log_prob", lambda self, x, p: 0 * x.sum((1, 2, 3)) + 100)
    assert main(["evaluate", str(three / "b"), "--metrics", "mig"]) == 1
    assert "lies below the entropy of the pictures" in capsys.readouterr().err
    assert RunDir(three / "b").read_scores() == before
