# SPDX-License-Identifier: Apache-2.0
"""Autoencoders against what is known: PCA, the statistics of corruption, the mean of two modes."""

import math
from typing import Any

import pytest
import torch
from torch import Tensor

from disent.data import Digits
from disent.data.base import Batch
from disent.gaussian import PointMass
from disent.likelihoods import Bernoulli, FixedGaussian
from disent.models import AutoEncoder, DenoisingAutoEncoder
from disent.models.base import Model, take_step
from disent.networks import MLP, Linear
from tests.tiny import Squares

X = Squares().batch(torch.arange(0, 128, 16))
NONE = torch.empty(8, 0)  # the noise of a model that draws nothing


def train(model: Model, x: Tensor, steps: int) -> Model:
    """Steps of the whole of x."""
    optimizers = model.configure_optimizers()
    for step in range(steps):
        noise = model.noise.normal(step, (len(x), sum(model.draws().values())))
        take_step(model, optimizers, Batch(x), noise, step)
    return model


def angle(found: Tensor, wanted: Tensor) -> float:
    """The largest principal angle between the columns' spans, in degrees."""
    bases = [torch.linalg.qr(part.double())[0] for part in (found, wanted)]
    cosine = torch.linalg.svdvals(bases[0].T @ bases[1]).min()
    return math.degrees(math.acos(min(float(cosine), 1.0)))


def test_a_linear_autoencoder_of_the_digits_is_their_pca():
    """A hundred of them, for speed; the preset linear_autoencoder takes all."""
    x = Digits().batch(torch.arange(0, 1797, 18))
    model: Any = AutoEncoder(network=Linear, latent_dim=4, lr=0.01, size=(8, 8))
    train(model, x, 1400)
    model.lr = 0.001  # Adam's steps of 0.01 swing around the optimum
    train(model, x, 200)
    rows = x.flatten(1).double()
    _, values, directions = torch.linalg.svd(rows - rows.mean(0), full_matrices=False)
    left = float(values[4:].square().sum()) / len(x)  # what 4 components leave of each picture
    spanned: Any = model.get_parameter("network.decoder.0.weight").detach()
    assert angle(spanned, directions[:4].T) < 1
    with torch.no_grad():
        found = float(model(Batch(x), torch.empty(len(x), 0))[0])
    assert left * (1 - 1e-5) <= found <= left * 1.001


def test_angles_by_hand():
    e = torch.eye(3)
    assert angle(e[:, :2], e[:, :2] @ torch.tensor([[2.0, 1.0], [0.0, 3.0]])) < 1e-3
    turned = torch.tensor([[1.0, 0.0], [0.0, 1.0], [0.0, 1.0]])
    assert angle(e[:, :2], turned) == pytest.approx(45)


def test_the_error_by_hand():
    model = AutoEncoder(network=Linear, latent_dim=2)
    for parameter in model.parameters():
        torch.nn.init.zeros_(parameter)
    model.get_parameter("network.decoder.0.bias").data.fill_(0.5)
    loss, told = model(X, NONE)  # every pixel is 0 or 1, and comes out as 1/2
    assert loss.item() == pytest.approx(1024)
    assert told["squared_error"].tolist() == pytest.approx([1024] * 8)
    assert told["squared_error_per_pixel"].tolist() == pytest.approx([0.25] * 8)
    # -log N(x; 1/2, 1/2) = (x - 1/2)^2 + ln(pi) / 2
    wanted = 1024 + 4096 * math.log(math.pi) / 2
    assert model.distortion(X, torch.zeros(8, 2)).tolist() == pytest.approx([wanted] * 8)


def test_nothing_clips_what_the_loss_sees_but_pictures_are_clipped():
    model = AutoEncoder(network=Linear, latent_dim=2)
    for parameter in model.parameters():
        torch.nn.init.zeros_(parameter)
    model.get_parameter("network.decoder.0.bias").data.fill_(3.0)
    assert model(torch.ones(1, 1, 64, 64), torch.empty(1, 0))[0].item() == 4 * 4096
    assert model.reconstruct(X).unique().tolist() == [1]


@pytest.mark.parametrize("likelihood", [Bernoulli(), FixedGaussian(0.3)])
def test_a_likelihood_is_minimised_in_nats(likelihood):
    model = AutoEncoder(network=Linear, likelihood=likelihood)
    loss, told = model(X, NONE)
    z = model.encode(X).mean
    torch.testing.assert_close(told["distortion"], -likelihood.log_prob(X, model.decode(z)))
    torch.testing.assert_close(loss, told["distortion"].mean())
    error = (model.picture(z) - X).square().sum((1, 2, 3))
    torch.testing.assert_close(told["squared_error"], error)


def test_the_code_is_a_point_of_as_many_numbers_as_latents():
    model = AutoEncoder(network=Linear, latent_dim=3)
    assert isinstance(model.encode(X), PointMass)
    assert model.get_parameter("network.encoder.1.weight").shape == (3, 4096)
    assert model.draws() == {}


def test_a_network_may_be_named():
    named, given = (AutoEncoder(network=n, latent_dim=8) for n in ("Linear", Linear))  # pyright: ignore
    assert torch.equal(named(X), given(X))
    with pytest.raises(ValueError, match="no network is named linear: there are MLP, Burgess2018,"):
        AutoEncoder(network="linear")  # pyright: ignore[reportArgumentType]


NOISE = torch.randn(200, 3, 20, 20, generator=torch.Generator().manual_seed(0))
GREY = torch.full((200, 3, 20, 20), 0.4)  # 240,000 values


def corrupted(corruption: Any, amount: float) -> Tensor:
    model = DenoisingAutoEncoder(corruption, amount, network=Linear, size=(20, 20), channels=3)
    return model.corrupt(GREY, NOISE)


def share(where: Tensor) -> float:
    return where.float().mean().item()


@pytest.mark.parametrize("amount", [0.1, 0.25, 0.7])
def test_masking_sets_a_share_of_the_values_to_0(amount):
    seen = corrupted("masking", amount)
    assert set(seen.unique().tolist()) == {0.0, GREY[0, 0, 0, 0].item()}
    # standard error sqrt(a (1 - a) / 240,000) <= 0.001
    assert share(seen == 0) == pytest.approx(amount, abs=0.004)
    twice = share((seen[:, 0] == 0) & (seen[:, 1] == 0))  # channels are masked apart
    assert twice == pytest.approx(amount**2, abs=0.006)


@pytest.mark.parametrize("amount", [0.1, 0.25, 0.7])
def test_salt_and_pepper_sets_half_a_share_to_0_and_half_to_1(amount):
    seen = corrupted("salt_and_pepper", amount)
    assert share(seen == 0) == pytest.approx(amount / 2, abs=0.004)
    assert share(seen == 1) == pytest.approx(amount / 2, abs=0.004)
    assert share(seen == GREY) == pytest.approx(1 - amount, abs=0.004)


def test_gaussian_noise_has_the_standard_deviation_asked_for_and_is_not_clipped():
    added = corrupted("gaussian", 0.5) - GREY
    torch.testing.assert_close(added, 0.5 * NOISE)
    assert corrupted("gaussian", 0.5).min() < 0


@pytest.mark.parametrize("corruption", ["masking", "salt_and_pepper", "gaussian"])
def test_amount_0_changes_nothing_and_a_share_of_1_everything(corruption):
    assert torch.equal(corrupted(corruption, 0.0), GREY)
    if corruption == "gaussian":
        assert torch.equal(corrupted(corruption, 1.0), GREY + NOISE)
    else:
        assert not (corrupted(corruption, 1.0) == GREY).any()


@pytest.mark.parametrize(
    ("corruption", "amount", "words"),
    [
        ("masking", 1.5, "amount is 1.5, but a share from 0 to 1"),
        ("salt_and_pepper", -0.1, "amount is -0.1"),
        ("gaussian", math.inf, "amount is inf"),
        ("blur", 0.1, "corruption must be one of .*gaussian.*, got 'blur'"),
    ],
)
def test_impossible_corruptions_are_refused(corruption, amount, words):
    with pytest.raises(ValueError, match=words):
        DenoisingAutoEncoder(corruption, amount, network=Linear)


def test_the_gain_by_hand():
    """Masked wholly, a picture of ones has error 1 a pixel; what comes out as 0.9 has 0.01."""
    model = DenoisingAutoEncoder("masking", 1.0, network=Linear)
    for parameter in model.parameters():
        torch.nn.init.zeros_(parameter)
    model.get_parameter("network.decoder.0.bias").data.fill_(0.9)
    loss, told = model(torch.ones(2, 1, 64, 64), torch.zeros(2, 4096))
    assert told["psnr_gain"].item() == pytest.approx(20, abs=1e-3)  # 10 log10(1 / 0.01) dB
    assert loss.item() == pytest.approx(40.96, rel=1e-4)


def test_the_gain_is_finite_where_nothing_is_corrupted():
    model = DenoisingAutoEncoder("masking", 0.0, network=Linear)
    assert model(X, torch.zeros(8, 4096))[1]["psnr_gain"].isfinite()


def test_the_clean_picture_is_asked_for():
    """Its loss is the plain autoencoder's on the corrupted picture, measured at the clean one."""
    model = DenoisingAutoEncoder("gaussian", 0.5, network=Linear)
    noise = model.noise.normal(0, (8, 4096))
    seen = X + 0.5 * noise.view_as(X)
    wanted = (model.decode(model.encode(seen).mean) - X).square().sum((1, 2, 3)).mean()
    torch.testing.assert_close(model(X, noise)[0], wanted)


def test_of_two_modes_that_cannot_be_told_apart_it_gives_the_mean_which_neither_makes_likely():
    """One pixel, 0 or 1, wholly masked: under the squared error the best answer is 1/2."""
    x = torch.tensor([0.0, 1.0]).view(2, 1, 1, 1)
    small: dict[str, Any] = {"size": (1, 1), "latent_dim": 1, "lr": 0.02}
    masked: Any = train(DenoisingAutoEncoder("masking", 1.0, network=Linear, **small), x, 500)
    with torch.no_grad():
        output = masked.decode(masked.encode(torch.zeros(1, 1, 1, 1)).mean)
    assert output.item() == pytest.approx(0.5, abs=1e-3)
    # log N(mode; mode, 0.1) - log N(1/2; mode, 0.1) = (1/2)^2 / (2 * 0.1^2) = 12.5 nats
    at_mode = FixedGaussian(0.1).log_prob(x, x)
    lost = at_mode - FixedGaussian(0.1).log_prob(output.expand_as(x), x)
    assert lost.tolist() == pytest.approx([12.5, 12.5], abs=0.1)
    whole: Any = train(DenoisingAutoEncoder("masking", 0.0, network=Linear, **small), x, 500)
    assert whole.reconstruct(x).flatten().tolist() == pytest.approx([0, 1], abs=0.01)


def test_masked_values_are_filled_in_from_the_others():
    """Four pixels of one value: what is left of them tells what is masked."""
    x = torch.tensor([0.2, 0.9]).view(2, 1, 1, 1).expand(2, 1, 2, 2).repeat(32, 1, 1, 1)
    model: Any = DenoisingAutoEncoder(
        "masking", 0.5, latent_dim=2, size=(2, 2), lr=0.01,
        network=lambda c, d, o, **more: MLP(c, d, o, hidden=[32], **more),
    )  # fmt: skip
    train(model, x, 200)
    one_left = torch.tensor([[0.9, 0.0], [0.0, 0.0]]).view(1, 1, 2, 2)
    with torch.no_grad():
        filled = model.decode(model.encode(one_left).mean)
    torch.testing.assert_close(filled, torch.full_like(filled, 0.9), atol=0.05, rtol=0)
