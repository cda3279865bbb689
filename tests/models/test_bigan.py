# SPDX-License-Identifier: Apache-2.0
"""The BiGAN: losses by hand, and an encoder and a generator that invert each other better."""

import math
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from disent.data import Digits
from disent.data.base import Batch
from disent.gaussian import PointMass
from disent.models import BiGAN
from disent.models.base import take_step
from disent.networks import MLP, Linear

DATA = Digits("train")
X = DATA.batch(torch.arange(3))


def small(c: int, d: int, o: int, **numbers: Any) -> MLP:
    return MLP(c, d, o, hidden=[32], **numbers)


class _First(nn.Module):
    """A discriminator that answers with the first number of the code, and keeps what it sees."""

    def forward(self, x: Tensor, z: Tensor) -> Tensor:
        self.seen = (x, z)
        return z[:, 0]


def still() -> Any:
    """E(x) = (1, 2) of any picture, G(z) grey of any code."""
    model: Any = BiGAN(network=Linear, latent_dim=2, size=(8, 8))
    for weight in model.network.parameters():
        nn.init.zeros_(weight)
    model.network.encoder[-1].bias.data.copy_(torch.tensor([1.0, 2.0]))
    model.discriminator = _First()
    return model


NOISE = torch.tensor([[0.0, 0.5], [-1.0, 0.0], [2.0, 1.0]])


def test_losses_by_hand():
    model = still()
    assert isinstance(model.encode(X), PointMass)
    assert model.draws() == {"prior": 2}
    loss, told = model(X, NOISE, 0, "discriminate")
    softplus = [math.log1p(math.exp(logit)) for logit in (0, -1, 2)]
    assert loss.item() == pytest.approx((math.log1p(math.exp(-1)) + sum(softplus) / 3) / 2)
    assert told["discriminator_accuracy"].item() == pytest.approx((1 + 1 / 3) / 2)
    pictures, z = model.discriminator.seen
    assert pictures.unique().tolist() == [0.5]
    assert torch.equal(z, NOISE)
    loss, told = model(X, NOISE, 0, "fool")
    away = [math.log1p(math.exp(-logit)) for logit in (0, -1, 2)]
    assert loss.item() == pytest.approx((math.log1p(math.exp(1)) + sum(away) / 3) / 2)
    wanted = (X - 0.5).square().sum((1, 2, 3)).tolist()
    assert told["squared_error"].tolist() == pytest.approx(wanted)
    assert told["code_error"].tolist() == pytest.approx([1 + 2.25, 4 + 4, 1 + 1])


def test_the_errors_that_are_told_move_nothing():
    model = BiGAN(network=small, latent_dim=4, size=(8, 8), width=32)
    _, told = model(X, torch.zeros(3, 4), 0, "fool")
    assert not told["squared_error"].requires_grad
    assert not told["code_error"].requires_grad
    assert model.distortion(X, torch.zeros(3, 4)) is None


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        ({"lr": 0.0}, "lr must be > 0, got 0"),
        ({"discriminator_lr": math.nan}, "discriminator_lr must be > 0, got nan"),
        ({"width": 0}, "width must be >= 1, got 0"),
    ],
)
def test_impossible_settings_are_refused(bad, words):
    with pytest.raises(ValueError, match=words):
        BiGAN(network=Linear, **bad)


def shades(n: int, seed: int) -> Tensor:
    """Pictures of two pixels apart, each the logistic function of a number from N(0, 1)."""
    return torch.randn(n, 1, 1, 2, generator=torch.Generator().manual_seed(seed)).sigmoid()


@torch.no_grad()
def errors(model: Any) -> tuple[float, float]:
    """Squared errors of G(E(x)), per picture, and of E(G(z)), per latent, of new draws."""
    x, z = shades(500, 2), torch.randn(500, 2, generator=torch.Generator().manual_seed(1))
    error = (model.reconstruct(x) - x).square().sum((1, 2, 3)).mean()
    return float(error), float((model.encode(model.picture(z)).mean - z).square().mean())


def test_encoder_and_generator_come_to_invert_each_other():
    """Nothing asks for that: neither error is in the losses."""
    rates: dict[str, Any] = {"lr": 1e-3, "discriminator_lr": 1e-3}
    model: Any = BiGAN(network=small, latent_dim=2, size=(1, 2), width=64, **rates)
    before, optimizers, data = errors(model), model.configure_optimizers(), shades(1000, 0)
    for step in range(2000):
        x = data[torch.from_numpy(model.noise.at(step).integers(1000, size=128))]
        take_step(model, optimizers, Batch(x), model.noise.normal(step, (128, 2)), step)
    after = errors(model)
    assert after[0] < before[0] / 4
    assert after[1] < before[1] / 3
