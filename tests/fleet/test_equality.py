# SPDX-License-Identifier: Apache-2.0
"""A member of a fleet ends as its run alone does."""

import pandas as pd
import pytest

import disent.networks
import disent.objectives
from disent.models import VAE
from disent.networks import Burgess2018
from disent.networks.base import Network
from disent.objectives.base import Objective
from tests.fleet.both import MIXED, alone, deviation, logged, small, together, weights

NETWORKS: list[type[Network]] = [getattr(disent.networks, n) for n in disent.networks.__all__]
OBJECTIVES: list[type[Objective]] = [
    getattr(disent.objectives, n) for n in disent.objectives.__all__
]


@pytest.mark.parametrize("network", [small, Burgess2018])
def test_a_mixed_fleet_equals_its_runs_alone_after_200_steps(network, tmp_path):
    one, other = tmp_path / "alone", tmp_path / "together"
    alone(one, MIXED, 200, network=network, lr=1e-3)
    together(other, MIXED, 200, network=network, lr=1e-3)
    for i in range(len(MIXED)):
        assert deviation(one, other, i) < 1e-5
        pd.testing.assert_frame_equal(logged(one, i), logged(other, i), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("network", NETWORKS)
def test_every_network_flies(network, tmp_path):
    one, other = tmp_path / "alone", tmp_path / "together"
    for train, folder in ((alone, one), (together, other)):
        train(folder, MIXED[1:3], 3, network=network)
    assert max(deviation(one, other, i) for i in range(2)) < 1e-5


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_every_objective_flies(objective, tmp_path):
    def make(scale: float):
        def made(**more):
            goal = objective()
            for knob in goal.buffers():
                knob.mul_(scale)
            return VAE(goal, seed=int(scale), **more)

        return made

    one, other = tmp_path / "alone", tmp_path / "together"
    for train, folder in ((alone, one), (together, other)):
        train(folder, [make(1.0), make(2.0)], 10, network=small)
    assert max(deviation(one, other, i) for i in range(2)) < 1e-5
    assert weights(one, 0).keys() == weights(other, 0).keys()
