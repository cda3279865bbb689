# SPDX-License-Identifier: Apache-2.0
"""An evaluation holds each score with what it is and what to read it against."""

import math

import pytest
import torch

from disent.codes import CodeTable
from disent.evaluation import Options, Shared, evaluate, find_scores, flat_scores
from disent.evaluation.pca import PixelPCA
from tests.evaluation.encoders import Blind, Oracle
from tests.tiny import Squares

DATA = Squares()
BOTH = ("mig", "beta_vae_score")


@pytest.fixture(scope="module")
def record():
    return evaluate(Oracle(), Blind(), DATA, Options(BOTH, repeats=3))[0]


def test_a_perfect_code_scores_high_and_its_baselines_low(record):
    for name in BOTH:
        score = record["scores"][name]
        assert score["value"] > 0.9
        assert score["chance"] < 0.6
        assert score["untrained"] < 0.8
    # the first three components of the pixels' variance are no factors
    assert record["scores"]["mig"]["pca"] < 0.5


def test_a_score_says_what_it_is(record):
    score = record["scores"]["mig"]
    assert score["variant"] == "disent.metrics.mig.mig"
    assert score["settings"] == {"bins": 20, "seed": 0}
    assert score["codes"] == "posterior means, float32"
    assert score["points"] == score["baseline_points"] == 128
    assert score["fingerprint"] == score["baseline_fingerprint"].split("[")[0]
    assert score["fingerprint"] == "squares-of-the-tests"


def test_what_is_drawn_is_drawn_anew_and_what_is_not_is_computed_once(record):
    drawn, whole = record["scores"]["beta_vae_score"], record["scores"]["mig"]
    assert drawn["repeats"] == 3
    assert drawn["spread"] is not None
    assert whole["repeats"] == 1
    assert whole["spread"] is None
    assert "protocol" not in drawn
    assert whole["protocol"]["points"] == 10_000
    assert whole["protocol"]["spread"] > 0
    assert whole["protocol"]["value"] == pytest.approx(whole["value"], abs=0.01)


def test_a_mean_over_repeats_is_that_of_its_seeds():
    options = [Options(["beta_vae_score"], seed=seed) for seed in (4, 5)]
    single = [_value(option) for option in options]
    both = _value(Options(["beta_vae_score"], seed=4, repeats=2))
    assert both["value"] == pytest.approx((single[0]["value"] + single[1]["value"]) / 2)
    assert both["spread"] == pytest.approx(abs(single[0]["value"] - single[1]["value"]) / 2**0.5)


def _value(options):
    return evaluate(Blind(), Blind(), DATA, options)[0]["scores"]["beta_vae_score"]


def test_sampled_codes_are_noisier_and_have_a_name_of_their_own():
    options = Options(["mig"], codes="sampled", repeats=3)
    record = evaluate(Oracle(), Blind(), DATA, options)[0]
    score = record["scores"]["mig.sampled"]
    assert "mig" not in record["scores"]
    assert score["codes"] == "posterior samples, float32"
    assert score["repeats"] == 3
    assert score["spread"] > 0
    # the noise of variance 1 hides which of two sizes it was, and blurs the eight places
    assert 0.1 < score["value"] < 0.9


def test_factors_are_described(record):
    for j, name in enumerate(DATA.grid.names):
        factor = record["factors"][name]
        assert factor["single_r2_latent"] == factor["information_latent"] == j
        assert factor["linear_r2"] == pytest.approx(1)
        assert factor["single_r2"] == pytest.approx(1)
        assert factor["information"] == pytest.approx(1)
    # mean squares of 0, 1 and of 0 .. 7: rates 1/4 and 35/4 of each position
    assert record["rates"] == pytest.approx([0.25, 8.75, 8.75])
    assert record["rate"] == pytest.approx(17.75)
    assert record["active_latents"] == 3


def test_information_of_the_whole_grid_and_as_estimated(record):
    entropies = [math.log(2), math.log(8), math.log(8)]
    assert record["factor_entropy"] == pytest.approx(entropies)
    whole, estimated = (
        torch.tensor(record[name]) for name in ("information", "information_estimated")
    )
    torch.testing.assert_close(whole, torch.diag(torch.tensor(entropies)), atol=1e-6, rtol=0)
    off = ~torch.eye(3, dtype=torch.bool)
    assert (estimated[off] > 0).all()  # counting 10,000 draws is biased upwards
    assert estimated[off].max() < 0.01


def test_the_grid_can_be_thinned():
    record, table = evaluate(Oracle(), Blind(), DATA, Options(["mig"], points=40))
    assert record["points"] == len(table) == 32
    assert record["fingerprint"] != "squares-of-the-tests"
    assert record["scores"]["mig"]["value"] > 0.9


def test_unknown_scores_are_refused_by_name():
    with pytest.raises(ValueError, match=r"there is no metric mgi\. The metrics are: .*mig"):
        find_scores(["mgi"])


@pytest.mark.parametrize(
    ("wrong", "match"),
    [
        ({"repeats": 0}, "repeats=0"),
        ({"seed": -1}, "seed=-1"),
        ({"points": 1}, "points=1"),
        ({"codes": "samples"}, "codes='samples'"),
        ({"metrics": []}, "an empty list"),
    ],
)
def test_options_that_cannot_be_are_refused(wrong, match):
    with pytest.raises(ValueError, match=match):
        Options(**wrong)


def test_scores_flatten_into_a_row(record):
    row = flat_scores(record)
    assert row["mig"] == record["scores"]["mig"]["value"]
    assert set(row) >= {"mig", "mig.chance", "mig.untrained", "mig.pca", "beta_vae_score"}


def test_the_table_is_of_the_whole_grid():
    table = CodeTable.encode(Oracle(), DATA)
    assert table.factors is not None
    torch.testing.assert_close(table.means, table.factors.float())


def test_what_runs_share_is_made_once_and_changes_no_number(monkeypatch):
    made = []
    fit = PixelPCA.fit
    monkeypatch.setattr(PixelPCA, "fit", lambda *given: made.append(given) or fit(*given))
    options, shared = Options(BOTH), Shared()
    alone = [evaluate(model, Blind(), DATA, options)[0] for model in (Oracle(), Blind())]
    assert len(made) == 2
    given = [evaluate(m, Blind(), DATA, options, shared=shared)[0] for m in (Oracle(), Blind())]
    assert len(made) == 3
    assert given == alone
    evaluate(Oracle(), Blind(), DATA, Options(BOTH, points=40), shared=shared)
    assert len(made) == 4
