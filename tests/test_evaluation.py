# SPDX-License-Identifier: Apache-2.0
"""An evaluation holds each score with what it is and what to read it against."""

import pytest
import torch
from torch import nn

from disent.codes import CodeTable
from disent.evaluation import evaluate, find_scores, flat_scores
from disent.gaussian import DiagonalGaussian
from tests.tiny import Squares

DATA = Squares()


class Oracle(nn.Module):
    """Encodes each picture as its own factors, read from the pixels."""

    def encode(self, x):
        white = (x[:, 0] > 0.5).float()
        side = white.amax(1).sum(1)
        place = [white.amax(axis).argmax(1) for axis in (1, 2)]
        mean = torch.stack([side / 8 - 1, *(p / 6 for p in place)], 1)
        return DiagonalGaussian(mean, torch.zeros_like(mean))


class Blind(nn.Module):
    """Encodes every picture alike, up to noise that is a function of the row in the batch."""

    def encode(self, x):
        mean = torch.linspace(0, 1, 3 * len(x)).view(len(x), 3).sin().mul(1e4).frac()
        return DiagonalGaussian(mean, torch.zeros_like(mean))


@pytest.fixture(scope="module")
def record():
    return evaluate(Oracle(), Blind(), DATA, ["mig", "beta_vae_score"])[0]


def test_a_perfect_code_scores_high_and_its_baselines_low(record):
    for name in ("mig", "beta_vae_score"):
        score = record["scores"][name]
        assert score["value"] > 0.9
        assert score["chance"] < 0.6
        assert score["untrained"] < 0.8


def test_a_score_says_what_it_is(record):
    score = record["scores"]["mig"]
    assert score["variant"] == "disent.metrics.mig.mig"
    assert score["settings"] == {"bins": 20, "seed": 0}
    assert score["codes"] == "posterior means, float32"
    assert score["points"] == score["untrained_points"] == 128
    assert score["fingerprint"] == "squares-of-the-tests"


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


def test_the_grid_can_be_thinned():
    record, table = evaluate(Oracle(), Blind(), DATA, ["mig"], points=40)
    assert record["points"] == len(table.grid) == 32
    assert record["fingerprint"] != "squares-of-the-tests"
    assert record["scores"]["mig"]["value"] > 0.9


def test_unknown_scores_are_refused_by_name():
    with pytest.raises(ValueError, match=r"there is no metric mgi\. The metrics are: .*mig"):
        find_scores(["mgi"])


def test_scores_flatten_into_a_row(record):
    row = flat_scores(record)
    assert row["mig"] == record["scores"]["mig"]["value"]
    assert set(row) >= {"mig", "mig.chance", "mig.untrained", "beta_vae_score"}


def test_the_table_is_of_the_whole_grid():
    table = CodeTable.encode(Oracle(), DATA)
    torch.testing.assert_close(table.means, table.factors.float())
