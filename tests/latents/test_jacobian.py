# SPDX-License-Identifier: Apache-2.0
import math

import pytest
import torch

from disent.latents.jacobian import (
    alignment,
    chance_alignment,
    decoder_jacobian,
    local_directions,
)
from tests.tiny import Squares


class LinearDecoder:
    """Draws W z as a picture of 2 x 2 pixels."""

    weight = torch.tensor([[1.0, 0.0, 0.0], [0.0, 2.0, 0.0], [0.0, 0.0, 0.0], [1.0, 0.0, 0.0]])

    def picture(self, z):
        return (z @ self.weight.T).view(-1, 1, 2, 2)


def test_the_jacobian_of_a_linear_decoder_is_its_weight():
    found = decoder_jacobian(LinearDecoder(), torch.tensor([0.3, -1.0, 2.0]))
    assert torch.equal(found, LinearDecoder.weight)
    with pytest.raises(ValueError, match="one code"):
        decoder_jacobian(LinearDecoder(), torch.zeros(1, 3))


def test_columns_along_the_directions_are_aligned_and_a_dead_one_is_not():
    """Column 0 halves between two directions: 1/sqrt(2); 1 is one of them; 2 has no length."""
    found = alignment(LinearDecoder.weight, torch.eye(4)[:, :2])
    half = 1 / math.sqrt(2)
    torch.testing.assert_close(found.cosines, torch.tensor([[half, 0], [0, 1], [0, 0]]))
    torch.testing.assert_close(found.largest, torch.tensor([half, 1, 0]))
    torch.testing.assert_close(found.inside, torch.tensor([half, 1, 0]))


def test_chance_is_what_random_directions_reach():
    draws = torch.randn(20_000, 5, generator=torch.Generator().manual_seed(0))
    drawn = (draws.abs().amax(1) / draws.norm(dim=1)).mean()
    assert chance_alignment(5) == pytest.approx(float(drawn), abs=0.003)


def test_local_directions_are_the_principal_ones_of_the_neighbours():
    """Squares that move along x alone: all variance is in the columns that they pass."""
    dataset = Squares()
    middle = int(dataset.grid.index(torch.tensor([0, 4, 4])))
    found = local_directions(dataset, middle, k=3, fixed=["size", "pos_y"])
    assert found.pictures == 3
    assert found.directions.shape == (4096, 2)  # three pictures span two directions
    torch.testing.assert_close(found.directions.T @ found.directions, torch.eye(2))
    assert float(found.shares.sum()) == pytest.approx(1)
    rows = found.directions.view(64, 64, 2).abs().sum((1, 2)) > 1e-4
    assert rows.nonzero().flatten().tolist() == list(range(24, 32))


def test_too_many_neighbours_or_none_is_an_error():
    with pytest.raises(ValueError, match="1 or more"):
        local_directions(Squares(), 0, radius=0)
    with pytest.raises(ValueError, match="all alike"):
        local_directions(Squares(), 0, fixed=["size", "pos_x", "pos_y"])
