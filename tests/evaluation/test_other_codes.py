# SPDX-License-Identifier: Apache-2.0
"""Encoders whose posterior is no diagonal Gaussian, and pictures that are no grid of factors."""

import json
import math

import pytest

from disent.evaluation import Options, evaluate
from disent.report.terminal import print_scores
from tests.bars import BarModel, Bars, LabelledBars
from tests.evaluation.encoders import Correlated, Points
from tests.tiny import Squares

ALL = [name for name in Options(["all", "log_likelihood"]).metrics if name != "udr"]


@pytest.fixture(scope="module")
def points():
    return evaluate(Points(), Points(), Squares(), Options(["mig", "mig_chen", "active_units"]))[0]


@pytest.fixture(scope="module")
def correlated():
    options = Options(["mig", "mig_chen", "active_units"])
    return evaluate(Correlated(), Correlated(), Squares(), options)[0]


def test_points_have_scores_and_no_rate(points):
    assert points["scores"]["mig"]["value"] == pytest.approx(1)
    assert points["scores"]["active_units"]["value"] == 3
    assert (points["rate"], points["rates"], points["active_latents"]) == (None, None, None)
    # of 0, 1 and of 0 .. 7, evenly: (n^2 - 1) / 12
    assert points["code_variances"] == pytest.approx([0.25, 5.25, 5.25])
    assert points["code_means"] == pytest.approx([0.5, 3.5, 3.5])
    assert points["rate_distortion"] == {
        "distortion": 3.0,
        "distortion_error": 0.0,
        "pictures": 4096,
    }


@pytest.mark.parametrize("record", ["points", "correlated"])
def test_a_score_of_variances_says_that_there_are_none(record, request):
    entry = request.getfixturevalue(record)["scores"]["mig_chen"]
    assert entry["value"] is None
    assert "mig_chen wants `logvars`" in entry["reason"]
    assert "such as VAE" in entry["reason"]


def test_a_gaussian_with_covariances_has_rate_distortion_and_their_sum(correlated):
    # (E mean^2 + variance - 1) / 2 - ln of the Cholesky factor's diagonal
    rates = [0.25, (17.5 + 1.25 - 1) / 2, (17.5 + 4 - 1) / 2 - math.log(2)]
    assert correlated["rates"] == pytest.approx(rates)
    assert correlated["rate"] == pytest.approx(sum(rates))
    found = correlated["rate_distortion"]
    # 3, and the trace of the covariance: 1 + 1.25 + 4; standard error 0.1
    assert found["distortion"] == pytest.approx(9.25, abs=0.4)
    assert found["total"] == pytest.approx(sum(rates) + found["distortion"])
    assert found["mutual_information"] is None


def test_samples_that_are_not_kept_are_a_reason_and_points_are_their_own_samples():
    options = Options(["mig", "active_units"], codes="sampled")
    record = evaluate(Correlated(), Points(), Squares(), options)[0]
    assert record["scores"]["mig.sampled"]["value"] is None
    assert "samples of them are not kept" in record["scores"]["mig.sampled"]["reason"]
    assert record["scores"]["active_units"]["value"] == 3
    record = evaluate(Points(), Points(), Squares(), options)[0]
    assert record["scores"]["mig.sampled"]["value"] == pytest.approx(1)


def test_pictures_without_labels_are_scored_as_far_as_that_goes():
    record, table = evaluate(BarModel(), BarModel(), Bars(), Options(ALL))
    assert (record["points"], record["labelled"], record["factors"]) == (60, 0, {})
    assert table.factors is None
    scores = record["scores"]
    assert "mig wants `factors`" in scores["mig"]["reason"]
    assert "beta_vae_score wants `factors`" in scores["beta_vae_score"]["reason"]
    assert "mig_chen wants `logvars`" in scores["mig_chen"]["reason"]
    assert scores["active_units"]["value"] == 2
    assert scores["active_units"]["baseline_fingerprint"] == "bars-of-the-tests[::1]"
    # place and brightness are independent
    assert scores["mutual_info_score"]["value"] == pytest.approx(0, abs=1e-9)
    assert scores["mutual_info_score"]["pca"] is not None
    assert json.loads(json.dumps(record, allow_nan=False)) == record


def test_of_partly_labelled_pictures_those_with_all_labels_are_scored():
    record = evaluate(BarModel(), BarModel(), LabelledBars(), Options(ALL))[0]
    assert (record["points"], record["labelled"]) == (60, 40)
    mig = record["scores"]["mig"]
    assert mig["value"] == pytest.approx(1)
    assert mig["points"] == mig["baseline_points"] == 40
    assert mig["chance"] < 0.5
    for name in ("beta_vae_score", "factor_vae_score"):
        assert record["scores"][name]["value"] == 1
        assert record["scores"][name]["points"] == 40
    assert record["scores"]["active_units"]["points"] == 60
    # the labelled 40 are at 4 of 6 places, each in all 10 brightnesses
    assert record["factor_entropy"] == pytest.approx([math.log(4), math.log(10)])
    assert record["factors"]["brightness"]["single_r2_latent"] == 1


def test_pictures_can_be_thinned_without_a_grid():
    record, table = evaluate(BarModel(), BarModel(), Bars(), Options(["active_units"], points=25))
    assert len(table) == record["points"] == 20  # every third
    assert record["fingerprint"] == "bars-of-the-tests[::3]"


@pytest.mark.parametrize(
    ("encoder", "dataset", "said"),
    [
        (
            Points(),
            Squares(),
            ["no rate: the code of a picture is a point", "distortion 3.00 nats"],
        ),
        (Correlated(), Squares(), ["rate 18.68 nats per image, 3 active", "I(x; z) ? nats"]),
        (BarModel(), Bars(), ["Scores on 60 pictures, without labels", "no factor of these"]),
        (BarModel(), LabelledBars(), ["Scores on 60 pictures, 40 of them labelled"]),
    ],
)
def test_what_is_not_there_is_printed_in_words(encoder, dataset, said, capsys):
    print_scores("runs/a", evaluate(encoder, encoder, dataset, Options(["mig", "mig_chen"]))[0])
    printed = capsys.readouterr().out
    for text in said:
        assert text in printed
    assert "None" not in printed
