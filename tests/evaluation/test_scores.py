# SPDX-License-Identifier: Apache-2.0
"""The entries of a score: of numbers that are not finite, of failures, and of what comes later."""

import math
from typing import NamedTuple

import pytest
import torch
from torch import Tensor

from disent.codes import CodeTable
from disent.evaluation import Options
from disent.evaluation.encoded import Encoded
from disent.evaluation.scores import NO_SCORE, entries, without
from disent.metrics import dci, mig, sap, sap_r2
from disent.metrics.base import Score
from disent.metrics.solvers.convergence import NotConverged
from tests.evaluation.encoders import Oracle
from tests.tiny import Squares

TABLE = CodeTable.encode(Oracle(), Squares())
UNSUPERVISED = (
    "gaussian_total_correlation",
    "gaussian_wasserstein_correlation",
    "mutual_info_score",
)


def entries_of(name: str, score: Score, options: Options) -> dict:
    own = [Encoded.of(TABLE, options.codes, options.seed + r) for r in range(options.repeats)]
    return entries(name, score, own, {"untrained": own[0]}, options)


class Two(NamedTuple):
    finite: Tensor
    other: Tensor


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_repeats_of_a_number_that_is_not_finite_have_no_spread(value):
    def score(codes: Tensor, *, seed: int = 0) -> Two:
        return Two(torch.tensor(float(seed)), torch.tensor(value))

    found = entries_of("two", score, Options(repeats=3))
    assert found["two.finite"]["value"] == found["two.finite"]["spread"] == 1  # of 0, 1 and 2
    assert found["two.other"]["value"] == pytest.approx(value, nan_ok=True)
    assert found["two.other"]["spread"] is None


@pytest.mark.parametrize("error", [NotConverged, *NO_SCORE])
def test_a_solver_that_gives_up_costs_its_own_score_only(error):
    def score(codes: Tensor) -> Tensor:
        raise error("no optimum was found")

    (entry,) = entries_of("fails", score, Options()).values()
    assert entry["value"] is None
    assert entry["reason"] == "no optimum was found"


def test_a_failure_on_samples_leaves_the_name_of_the_means_alone():
    def score(codes: Tensor) -> Tensor:
        raise ValueError("not these codes")

    assert list(entries_of("fails", score, Options(codes="sampled"))) == ["fails.sampled"]
    assert list(entries_of("fails", score, Options())) == ["fails"]


@pytest.mark.parametrize("name", UNSUPERVISED)
def test_scores_without_factors_have_the_estimate_of_the_protocol(name):
    options = Options([name], repeats=2)
    entry = entries_of(name, options.of_one_run[name], options)[name]
    assert entry["protocol"]["points"] == 10_000
    assert entry["protocol"]["spread"] > 0
    # a grid's factors are independent, and so are nearly those of points drawn from it
    assert entry["value"] == pytest.approx(0, abs=1e-3)
    assert 0 < entry["protocol"]["value"] < 0.02


def test_a_score_that_is_evaluated_anew_replaces_all_that_it_left():
    earlier = dict.fromkeys(
        ["dci", "dci.a", "dci.a.sampled", "dci.sampled", "sap", "sap_r2", "mig"]
    )
    means, samples = Options(), Options(codes="sampled")
    kept = without(earlier, {"dci": dci, "sap": sap}, means)
    assert set(kept) == {"dci.a.sampled", "dci.sampled", "sap_r2", "mig"}
    kept = without(earlier, {"dci": dci, "sap_r2": sap_r2, "mig": mig}, samples)
    assert set(kept) == {"dci", "dci.a", "sap", "sap_r2", "mig"}
