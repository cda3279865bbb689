# SPDX-License-Identifier: Apache-2.0
"""The log-likelihood in an evaluation: its entries, what they stand beside, how it is printed."""

import json
import math

import pytest
import torch

from disent import metrics
from disent.cli.main import main
from disent.evaluation import Options, evaluate, log_weights_of
from disent.evaluation.likelihood import drawn_pictures, likelihood_entries
from disent.evaluation.options import BY_NAME_ONLY
from disent.likelihoods import FixedGaussian
from disent.metrics.bounds import BoundViolated, check_log_likelihood
from disent.metrics.log_likelihood import importance_bounds
from disent.models import VAE
from disent.networks import Linear
from disent.report.terminal import print_scores
from disent.runs import RunDir
from tests.cli.small import QUIET, fit
from tests.evaluation.linear_gaussian import (
    DATA,
    ROWS,
    SIGMA,
    SIZE,
    TRUTH,
    D,
    S,
    linear,
)
from tests.tiny import Squares


@pytest.fixture(scope="module")
def record():
    options = Options(["log_likelihood"], samples=200, pictures=40, repeats=2, seed=5)
    blank = VAE(network=Linear, likelihood=FixedGaussian(SIGMA), latent_dim=D, size=SIZE)
    return evaluate(linear(1.5 * S), blank, DATA, options)[0]


def test_an_evaluation_holds_the_bound_beside_elbo_naive_untrained_and_pca(record):
    scores = record["scores"]
    assert list(scores) == [
        "log_likelihood", "log_likelihood.elbo", "log_likelihood.naive",
    ]  # fmt: skip
    best, elbo, naive = scores.values()
    rows = drawn_pictures(48, Options(pictures=40, seed=5))
    truth, spread = float(TRUTH[rows].mean()), float(TRUTH[rows].std() / 40**0.5)
    assert best["value"] == pytest.approx(truth, abs=0.02)
    assert best["error"] == pytest.approx(spread, rel=0.1)
    assert naive["value"] < elbo["value"] < best["value"]
    assert best["untrained"] < truth - 100
    assert best["pca"] == pytest.approx(truth, abs=8)  # fitted to the very 48 pictures
    assert best["chance"] is None
    assert "chance" in best["reasons"]
    assert list(best["bounds"]) == ["1", "10", "100", "200"]
    assert best["bounds"]["1"] == pytest.approx(elbo["value"])
    assert best["bounds"]["200"] == pytest.approx(best["value"])
    assert naive["of_these"] == best["of_these"] == pytest.approx(best["value"])  # all of them


def test_an_entry_says_all_that_it_depends_on(record):
    for name, entry in record["scores"].items():
        assert entry["settings"] == {"samples": 200, "pictures": 40, "seed": 5}, name
        assert entry["variant"] == "disent.metrics.log_likelihood.log_likelihood"
        assert (entry["points"], entry["repeats"], entry["seed"]) == (40, 2, 5)
        assert entry["fingerprint"] == "drawn-of-the-tests"
        assert 0 < entry["spread"] < entry["error"]
    assert json.loads(json.dumps(record, allow_nan=False)) == record


def test_probabilities_are_not_compared_with_densities():
    model = VAE(network=Linear, latent_dim=2)
    options = Options(["log_likelihood"], samples=3, pictures=10)
    entry = likelihood_entries(model, model, Squares(), options)["log_likelihood"]
    assert entry["pca"] is None
    assert "a density of pixels" in entry["reasons"]["pca"]
    assert entry["value"] == pytest.approx(-4096 * math.log(2), rel=0.2)  # every pixel a coin


def test_pictures_are_drawn_once_each_by_the_seed():
    few = drawn_pictures(1000, Options(pictures=30))
    assert len(few.unique()) == 30
    assert torch.equal(few, drawn_pictures(1000, Options(pictures=30)))
    assert not torch.equal(few, drawn_pictures(1000, Options(pictures=30, seed=1)))
    assert torch.equal(drawn_pictures(20, Options(pictures=30)).sort()[0], torch.arange(20))


@pytest.mark.parametrize("samples", [0, 3])
def test_groups_that_cannot_be_are_refused(samples):
    with pytest.raises(ValueError, match=f"got {samples} samples and log_weights of shape"):
        importance_bounds(torch.zeros(4, 2), samples)
    with pytest.raises(ValueError, match="got samples=0"):
        log_weights_of(linear(), DATA, ROWS, 0)


def test_all_leaves_out_what_costs_minutes():
    assert set(Options(["all"]).metrics) == set(metrics.__all__) - BY_NAME_ONLY
    assert "log_likelihood" in BY_NAME_ONLY
    assert set(Options(["all", *BY_NAME_ONLY]).metrics) == set(metrics.__all__)


def test_no_model_is_better_than_the_entropy():
    check_log_likelihood(-2.0, 2.0)
    check_log_likelihood(-1.7, 2.0, standard_error=0.1)
    with pytest.raises(BoundViolated, match="lies above minus the entropy"):
        check_log_likelihood(-1.5, 2.0, standard_error=0.1)


def test_it_is_printed_with_its_error_and_how_it_grew(record, capsys):
    print_scores("runs/a", record)
    printed = capsys.readouterr().out
    assert "By samples: 1: " in printed
    assert (
        f"of 40 of them, whose own value is {record['scores']['log_likelihood']['value']:.2f}"
        in (" ".join(printed.split()))
    )
    lines = [line.split() for line in printed.splitlines()]
    assert ["score", "value", "+-", "error", "untrained", "PCA"] in lines
    assert any(line[:1] == ["log_likelihood.naive"] and len(line) == 4 for line in lines)


def test_the_command_scores_a_run(tmp_path, capsys):
    assert fit(tmp_path, "--run", "a", *QUIET) == 0
    run = str(tmp_path / "a")
    assert main(["evaluate", run, "--metrics", "log_likelihood", "--samples", "0"]) == 1
    assert "got samples=0, pictures=1024. log_likelihood wants at" in capsys.readouterr().err
    options = ["--samples", "20", "--pictures", "30", "--device", "cpu"]
    assert main(["evaluate", run, "--metrics", "mig,log_likelihood", *options]) == 0
    scores = RunDir(run).read_scores()["scores"]
    assert set(scores) == {
        "mig", "log_likelihood", "log_likelihood.elbo", "log_likelihood.naive",
    }  # fmt: skip
    best = scores["log_likelihood"]
    assert scores["log_likelihood.elbo"]["value"] < best["value"] < -math.log(128)
    assert (best["points"], best["settings"]["samples"]) == (30, 20)
    # evaluated again with fewer samples, nothing of the first time stays
    assert main(["evaluate", run, "--metrics", "log_likelihood", "--samples", "2"]) == 0
    again = RunDir(run).read_scores()["scores"]
    assert {e["settings"].get("samples") for n, e in again.items() if n != "mig"} == {2}
