# SPDX-License-Identifier: Apache-2.0
"""A member of a fleet ends as its run alone does."""

from collections.abc import Callable

import pandas as pd
import pytest
import torch

import disent.networks
import disent.objectives
from disent.data.base import Batch
from disent.fleet import Stack
from disent.models import VAE
from disent.networks import Burgess2018, Linear
from disent.networks.base import Network
from disent.objectives.base import Objective
from tests.fleet.both import MIXED, SQUARES, alone, deviation, logged, small, together

NETWORKS: list[type[Network]] = [getattr(disent.networks, n) for n in disent.networks.__all__]
OBJECTIVES: list[type[Objective]] = [
    getattr(disent.objectives, n) for n in disent.objectives.__all__
]
pytestmark = pytest.mark.filterwarnings("ignore:the rate is", "ignore:the rate, ")


@pytest.mark.slow
@pytest.mark.parametrize("network", [small, Burgess2018])
def test_a_mixed_fleet_equals_its_runs_alone_after_200_steps(network, tmp_path):
    one, other = tmp_path / "alone", tmp_path / "together"
    alone(one, MIXED, 200, network=network, lr=1e-3)
    together(other, MIXED, 200, network=network, lr=1e-3)
    for i in range(len(MIXED)):
        assert deviation(one, other, i) == 0
        pd.testing.assert_frame_equal(logged(one, i), logged(other, i))


@pytest.mark.slow
def test_shared_kernels_round_otherwise_and_agree_after_200_steps(tmp_path):
    one, other = tmp_path / "alone", tmp_path / "together"
    alone(one, MIXED, 200, network=small, lr=1e-3)
    together(other, MIXED, 200, network=small, lr=1e-3, batched=True)
    for i in range(len(MIXED)):
        assert deviation(one, other, i) < 1e-5
        pd.testing.assert_frame_equal(logged(one, i), logged(other, i), rtol=1e-5, atol=1e-4)


def test_members_of_adagrad_equal_their_runs_alone(tmp_path):
    one, other = tmp_path / "alone", tmp_path / "together"
    for train, folder in ((alone, one), (together, other)):
        train(folder, MIXED[1:3], 20, network=Linear, optimizer="adagrad", lr=1e-2)
    assert [deviation(one, other, i) for i in range(2)] == [0, 0]


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("batched", [False, True])
def test_every_network_gives_the_gradients_of_its_runs_alone(network, batched):
    x = torch.stack([SQUARES.batch(torch.arange(i, 128, 16)) for i in range(2)])
    noise = torch.randn(2, 8, 3, generator=torch.Generator().manual_seed(0))
    makes: list[Callable[..., VAE]] = [MIXED[1], MIXED[3]]
    models = [make(network=network, latent_dim=3) for make in makes]
    for model, *given in zip(models, x, noise, strict=True):
        model(*given, 7)[0].backward()
    wanted = [[w.grad for w in model.parameters()] for model in models]
    again = [make(network=network, latent_dim=3) for make in makes]
    stack, rtol, atol = Stack(again, batched=batched), *((1e-3, 1e-4) if batched else (0.0, 0.0))
    for part in stack.parts:  # two kinds of objective: two parts in both ways
        part(Batch(part.share(x)), part.share(noise), 7, "step_loss")[0].backward()
        (i,) = part.members
        found = [w.grad for w in part.optimizers()[0].param_groups[0]["params"]]
        found = [grad[0] if batched else grad for grad in found]
        torch.testing.assert_close(found, wanted[i], rtol=rtol, atol=atol)


@pytest.mark.parametrize("objective", OBJECTIVES)
@pytest.mark.parametrize("batched", [False, True])
def test_every_objective_can_be_trained_in_a_fleet(objective, batched, tmp_path):
    def make(scale: float) -> Callable[..., VAE]:
        def made(**more) -> VAE:
            goal = objective()
            for knob in goal.buffers():
                knob.mul_(scale)
            return VAE(goal, seed=int(scale), **more)

        return made

    one, other = tmp_path / "alone", tmp_path / "together"
    makes = [make(1.0), make(2.0)]
    alone(one, makes, 10, network=small)
    together(other, makes, 10, network=small, batched=batched)
    assert max(deviation(one, other, i) for i in range(2)) < (1e-5 if batched else 1e-12)
