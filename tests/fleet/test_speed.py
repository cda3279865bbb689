# SPDX-License-Identifier: Apache-2.0
"""Fleets measured against separate processes: sizes tried, memory looked at, what is chosen."""

import pytest
import torch

from disent.data.datamodule import FactorDataModule
from disent.fleet import Member, speed
from disent.fleet.speed import Measured, measure
from disent.models import BetaVAE
from tests.fleet.both import small
from tests.tiny import Squares

CPU = torch.device("cpu")


def member(i: int) -> Member:
    model = BetaVAE(2.0, network=small, latent_dim=3, seed=i)
    return Member(str(i), model, FactorDataModule(Squares(), 4, seed=i))


def test_sizes_double_up_to_the_most(monkeypatch):
    monkeypatch.setattr(speed, "SECONDS", 0.02)
    monkeypatch.setattr(speed, "GAIN", 0.0)
    found = measure(member, 3, CPU, processes=2)
    assert list(found.stacked) == [1, 2, 3]
    assert min(found.separate, *found.stacked.values()) > 0
    assert f"member-steps/s of 2 separate: {found.separate:,.1f}; of a fleet of 1: " in str(found)


def test_it_ends_where_nothing_is_gained_or_somebody_stops_it(monkeypatch):
    monkeypatch.setattr(speed, "SECONDS", 0.02)
    monkeypatch.setattr(speed, "GAIN", 1e9)
    assert list(measure(member, 8, CPU, processes=1).stacked) == [1, 2]
    assert measure(member, 8, CPU, processes=1, stopping=lambda: True).stacked == {}


@pytest.mark.parametrize(
    ("separate", "stacked", "size"),
    [(10.0, {1: 9.0, 2: 12.0, 4: 11.0}, 2), (12.0, {1: 9.0, 2: 12.0}, 0), (1.0, {1: 2.0}, 0),
     (1.0, {}, 0)],
)  # fmt: skip
def test_the_fastest_fleet_of_several_is_chosen_where_it_beats_processes(separate, stacked, size):
    assert Measured(separate, 2, stacked).size == size
