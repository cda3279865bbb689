# SPDX-License-Identifier: Apache-2.0
"""What members of a fleet must share to share their kernels, and what their updates tell."""

import torch

from disent.data.base import Batch
from disent.fleet.parts import Stacked, kind_of
from disent.models import BetaVAE, FactorVAE
from disent.models.base import take_step
from tests.fleet.both import small


class Warmed(BetaVAE):
    """A beta-VAE with a list among its settings."""

    def __init__(self, stops: list[int]) -> None:
        super().__init__(network=small)
        self.stops = stops


def test_models_that_differ_in_knobs_and_seed_alone_are_of_one_kind():
    one, other = (BetaVAE(beta, network=small, seed=int(beta)) for beta in (1.0, 2.0))
    assert kind_of(one) == kind_of(other)
    assert kind_of(one) != kind_of(BetaVAE(network=small, lr=1e-3))
    assert kind_of(Warmed([1, 2])) == kind_of(Warmed([1, 2]))
    assert kind_of(Warmed([1, 2])) != kind_of(Warmed([1, 3]))


def test_what_an_update_told_outlives_the_graph_of_the_next():
    """The CUDA graph of an update writes where that of another has written."""
    models = [FactorVAE(width=8, network=small, latent_dim=3, seed=seed) for seed in (0, 1)]
    part, written = Stacked(models, [0, 1], compiled=False), list[torch.Tensor]()
    part._overwrites = True  # as where it is compiled

    def overwriting(*given):
        for tensor in written:
            tensor.fill_(float("nan"))
        losses, told = part._at_once(*given)
        written[:] = [losses.detach(), *(value.detach() for value in told.values())]
        return losses, told

    part._call = overwriting  # type: ignore[method-assign]
    generator = torch.Generator().manual_seed(0)
    x, other = torch.rand(2, 2, 4, 1, 64, 64, generator=generator)
    noise = torch.randn(2, 4, 9, generator=generator)
    loss, told = take_step(part, part.optimizers(), Batch(x, None, Batch(other)), noise, 0)
    apart = [part.split(told, loss, k) for k in (0, 1)]
    assert all(value.isfinite().all() for each in apart for value in each.values())
    assert {"loss", "rate", "discriminator_loss"} <= apart[0].keys()
