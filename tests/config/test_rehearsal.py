# SPDX-License-Identifier: Apache-2.0
"""Own classes that give what no training can use: each is told what came and what is wanted."""

import threading
from typing import Any

import pytest
import torch
from torch import nn

from disent.config.rehearsal import rehearse
from disent.data.base import FactorDataset, check_pictures
from disent.data.datamodule import FactorDataModule
from disent.grid import FactorGrid
from disent.likelihoods import Bernoulli
from disent.models import VAE
from disent.models.base import Update
from disent.models.batches import as_batch
from disent.networks import Linear
from disent.objectives import BetaELBO
from tests.tiny import Squares


class Net(Linear):
    """As it should be."""


class Narrow(Linear):
    def encode(self, x):
        q = super().encode(x)
        return type(q)(q.mean[:, :-1], q.logvar[:, :-1])


class Flat(Linear):
    def decode(self, z):
        return super().decode(z).flatten(1)


class Unfitting(Linear):
    def __init__(self, *given, **named):
        super().__init__(*given, **named)
        self.encoder = nn.Sequential(nn.Flatten(), nn.Linear(77, 20))


class Broken(Linear):
    def decode(self, z):
        return z.no_such_thing()  # pyright: ignore[reportAttributeAccessIssue]


class Pixels(Bernoulli):
    def log_prob(self, x, parameters):
        return -((x - parameters) ** 2)


class Wide(Bernoulli):
    def mean(self, parameters):
        return parameters.flatten(1)


class Vector(BetaELBO):
    def forward(self, terms, step):
        return terms.distortion + terms.rate.sum(-1)


class NotANumber(BetaELBO):
    def forward(self, terms, step):
        return super().forward(terms, step) + torch.log(-terms.rate.sum())


class Detached(BetaELBO):
    def forward(self, terms, step):
        return terms.distortion.mean().detach()


class Plain(BetaELBO):
    def forward(self, terms, step):  # pyright: ignore[reportIncompatibleMethodOverride]
        return 3.0


class Lists(BetaELBO):
    def tell(self, terms):  # pyright: ignore[reportIncompatibleMethodOverride]
        return [1.0]


class Dice(BetaELBO):
    """Random numbers are nobody's business here, but they must not be used up."""

    def forward(self, terms, step):
        return super().forward(terms, step) * torch.rand(())


class Alone(VAE):
    def step_loss(self, batch, noise, step):  # pyright: ignore[reportIncompatibleMethodOverride]
        return super().step_loss(batch, noise, step)[0]


def model(kind: type[VAE] = VAE, **parts: Any) -> VAE:
    given = {"network": Linear, "latent_dim": 10} | parts
    return kind(**given)


LOADER = FactorDataModule(Squares(), batch_size=16)
SHAPE = r"but \[16, 1, 64, 64\] of float32 is wanted"
FILE = r"\(test_rehearsal\.py\)"
WRONG = {
    "vector": (lambda: model(objective=Vector()), rf"^Vector\.forward {FILE} gave \[16\] of "
               "float32, but one number for the batch, its mean over pictures is wanted"),
    "nan": (lambda: model(objective=NotANumber()), r"NotANumber\.forward .* gave nan for the first "
            "pictures, before anything was trained: look for the logarithm"),
    "detached": (lambda: model(objective=Detached()), "a number that depends on no weight"),
    "number": (lambda: model(objective=Plain()), r"Plain\.forward .* gave float, but one number"),
    "list": (lambda: model(objective=Lists()), r"Lists\.tell .* gave list, but tensors by name"),
    "narrow": (lambda: model(network=Narrow), rf"Narrow\.encode {FILE} gave \[16, 9\] of float32, "
               r"but \[16, 10\] of float32 is wanted: its mean"),
    "flat": (lambda: model(network=Flat), rf"Flat\.decode {FILE} gave \[16, 4096\] of .*{SHAPE}"),
    "layers": (lambda: model(network=Unfitting), rf"Unfitting\.encode {FILE} fails on "
               r"\[16, 1, 64, 64\]: RuntimeError: mat1 and mat2 shapes"),
    "pixels": (lambda: model(likelihood=Pixels()), rf"Pixels\.log_prob {FILE} gave "
               r"\[16, 1, 64, 64\] of float32, but \[16\] of float32 is wanted: nats of each"),
    "mean": (lambda: model(likelihood=Wide()), rf"Wide\.mean {FILE} gave \[16, 4096\] .*{SHAPE}"),
    "alone": (lambda: model(Alone), rf"Alone\.step_loss {FILE} gave \[\] of float32, but a pair"),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_what_came_and_what_is_wanted_is_said_in_a_line(name):
    made, match = WRONG[name]
    with pytest.raises(ValueError, match=match) as raised:
        rehearse(made(), LOADER)
    assert "\n" not in str(raised.value)


class ByName(Linear):
    def encode(self, x):
        return super().encode(x=x)


class Covariance(BetaELBO):
    """Wants more pictures than latents, as many a loss of a batch does."""

    def forward(self, terms, step):
        assert terms.z is not None
        centred = terms.z - terms.z.mean(0)
        return super().forward(terms, step) - 1e-3 * (centred.T @ centred).logdet()


class Steps(VAE):
    """Is stepped by Lightning's own loop, and has no such loss."""

    updates = (Update("no_such_loss", ("network",)),)

    def training_step(self, batch, batch_idx):
        return {"loss": self.network.encode(as_batch(batch).x).mean.square().mean()}


class Locked(VAE):
    """Cannot be copied."""

    def __init__(self, **given):
        super().__init__(**given)
        self.lock = threading.Lock()


class OnGPU(Linear):
    def encode(self, x):
        raise RuntimeError("fused is not implemented for 'CPU'")


@pytest.mark.parametrize(
    "made",
    [
        lambda: model(network=ByName),
        lambda: model(objective=Covariance()),
        lambda: model(Steps),
        lambda: model(Locked, network=Net),
        lambda: model(network=OnGPU),
    ],
    ids=["names", "whole batch", "own step", "no copy", "GPU"],
)
def test_what_may_be_right_is_not_refused(made):
    own = made()
    before = {name: value.clone() for name, value in own.state_dict().items()}
    rehearse(own, LOADER)
    assert all(torch.equal(value, before[name]) for name, value in own.state_dict().items())


def test_what_her_code_raises_is_left_as_it_is():
    with pytest.raises(AttributeError, match="no_such_thing"):
        rehearse(model(network=Broken), LOADER)


def test_what_fits_passes_and_neither_weights_nor_random_numbers_change():
    made = model(network=Net, objective=Dice())
    before = {name: value.clone() for name, value in made.state_dict().items()}
    state = torch.get_rng_state()
    rehearse(made, LOADER)
    assert torch.equal(torch.get_rng_state(), state)
    assert all(torch.equal(value, before[name]) for name, value in made.state_dict().items())
    assert "forward" not in vars(made.objective)
    assert LOADER.position == 0


class Dots(FactorDataset):
    channels, size = 1, (64, 64)

    @property
    def fingerprint(self) -> str:
        return "dots"

    def __init__(self, **given: Any) -> None:
        self.grid, self.given = FactorGrid(names=("a", "b"), sizes=(2, 2)), given

    def images(self, index):
        dots = torch.zeros(len(index), 1, 64, 64, dtype=torch.uint8)
        return self.given.get("images", lambda made: made)(dots)

    def factors(self, index):
        return self.given.get("factors", lambda made: made)(super().factors(index))


def number(value: Any) -> Any:
    return 5


@pytest.mark.parametrize(
    ("given", "match"),
    [
        ({"images": torch.Tensor.float}, r"Dots\.images gave \[1, 1, 64, 64\] of torch\.float32"),
        ({"images": torch.Tensor.numpy}, r"Dots\.images gave numpy\.ndarray for one picture"),
        ({"factors": torch.Tensor.sum}, r"Dots\.factors gave \[\] of torch\.int64 .* but \[1, 2\]"),
        ({"factors": torch.Tensor.float}, r"Dots\.factors gave \[1, 2\] of torch\.float32"),
        ({"factors": number}, r"Dots\.factors gave int for one picture"),
    ],
)
def test_a_dataset_that_gives_another_type_or_shape(given, match):
    with pytest.raises(ValueError, match=match):
        check_pictures(Dots(**given))


def test_a_fingerprint_is_a_text(monkeypatch):
    check_pictures(Dots())
    monkeypatch.setattr(Dots, "fingerprint", 3)
    with pytest.raises(ValueError, match=r"Dots\.fingerprint is int, but a text is wanted"):
        check_pictures(Dots())
