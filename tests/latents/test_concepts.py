# SPDX-License-Identifier: Apache-2.0
"""Scores of symbols and pictures, by hand; of a whole model: tests/models/test_scan.py."""

import math

import pytest
import torch

from disent.latents import concepts
from disent.latents.concepts import Judge, Shares, evenness, nearest, shares
from disent.models import SCAN
from tests.models.exact import SQUARES, Exact

FACTORS = {"factor_names": SQUARES.grid.names, "factor_sizes": SQUARES.grid.sizes}


def test_shares_count_what_is_said_alone():
    wanted = torch.tensor([[0, 2], [0, -1], [1, 2], [1, 0]])
    found = torch.tensor([[0, 2], [1, 1], [1, 0], [1, 2]])
    counted = shares(found, wanted, ("shape", "size"))
    assert counted.right.tolist() == pytest.approx([3 / 4, 1 / 3])
    assert counted.chance.tolist() == pytest.approx([1 / 2, 2 / 3])
    assert str(counted) == "shape 75% (50%), size 33% (67%)"
    assert math.isnan(shares(found[:, :1], torch.full((4, 1), -1), ("shape",)).right[0])


def test_a_factor_counts_as_coded_from_halfway_on():
    right, chance = torch.tensor([0.6, 0.7, 1.0, math.nan]), torch.tensor([0.25, 0.25, 1.0, 0.5])
    assert Shares(("a", "b", "c", "d"), right, chance).coded == [1]


def test_evenness_is_1_of_equally_many_and_0_of_one_value():
    assert evenness(torch.arange(4).repeat(5), 4) == pytest.approx(1)
    assert evenness(torch.full((9,), 2), 4) == 0
    # 3/4 and 1/4 of two values: (3/4 ln 4/3 + 1/4 ln 4) / ln 2
    assert evenness(torch.tensor([0, 0, 1, 0]), 2) == pytest.approx(0.8112781)


def test_the_nearest_picture_is_that_of_the_smallest_squared_distance():
    real = torch.tensor([0.0, 1.0, 0.4]).view(3, 1, 1, 1).expand(3, 1, 2, 2)
    distance, row = nearest(torch.tensor([0.9, 0.1]).view(2, 1, 1, 1).expand(2, 1, 2, 2), real)
    assert row.tolist() == [1, 0]
    assert distance.tolist() == pytest.approx([4 * 0.01] * 2, abs=1e-6)


def test_the_judge_sees_what_real_pictures_show_in_whatever_block_they_are(monkeypatch):
    monkeypatch.setattr(concepts, "BATCH", 50)
    model = SCAN(Exact(), **FACTORS, width=4, operator_width=4)
    rows = torch.tensor([0, 49, 50, 127])
    shown = Judge(model, SQUARES, 0)(0.9 * SQUARES.batch(rows))
    assert torch.equal(shown, model.concepts.symbols(SQUARES.factors(rows)))
