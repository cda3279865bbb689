# SPDX-License-Identifier: Apache-2.0
"""Adversarial variational Bayes: its critic by quadrature, its rate, and posteriors that tile."""

import math
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.distributions import Normal, kl_divergence

from disent.data import FourPixels
from disent.data.base import Batch
from disent.figures import clouds
from disent.latents.tiles import posterior_draws, tile_pictures, tiling
from disent.models import VAE, AdversarialVB
from disent.models.base import Model, Update, take_step
from disent.networks import MLP
from tests.tiny import Squares

X = FourPixels().batch(torch.arange(4))
MEANS = torch.tensor([[1.2, 0.0], [-0.5, 0.8], [0.0, -1.0], [0.3, 0.3]])
STD = torch.tensor([0.6, 0.9])


def network(c: int, d: int, o: int, **numbers: Any) -> MLP:
    return MLP(c, d, o, hidden=[32], **numbers)


def small(**more: Any) -> AdversarialVB:
    options = {"latent_dim": 2, "width": 64, "size": (2, 2), **more}
    return AdversarialVB(network=network, **options)


class Known(nn.Module):
    """Codes of picture i from N(MEANS[i], STD^2)."""

    def forward(self, features: Tensor, noise: Tensor) -> Tensor:
        return features @ MEANS + STD * noise


def gaussian(**more: Any) -> AdversarialVB:
    """A model whose posteriors are known and stay."""
    model = small(**more)
    model.network.encoder = nn.Flatten()
    model.sampler = Known()  # pyright: ignore[reportAttributeAccessIssue]
    return model


def analytic(z: Tensor) -> Tensor:
    """log q(z|x) - log p(z) of the known posteriors, of z [n, 2] or [4, n, 2]; [4, n]."""
    q = Normal(MEANS[:, None], STD).log_prob(z).sum(-1)
    return q - Normal(0, 1).log_prob(z).sum(-1)


def train(model: Model, steps: int, each: int = 64) -> Model:
    """Steps of all four pictures, so many times each."""
    x = X.repeat(each, 1, 1, 1)
    optimizers = [model.optimizer_of(u, list(model.weights_of(u).values())) for u in model.updates]
    for step in range(steps):
        noise = model.noise.normal(step, (len(x), sum(model.draws().values())))
        take_step(model, optimizers, Batch(x), noise, step)
    return model


@pytest.fixture(scope="module")
def critic() -> AdversarialVB:
    """Its critic alone is trained, first in large steps and then in small ones."""
    model: Any = gaussian(critic_lr=3e-3)
    model.updates = (Update("criticise", ("critic",), "critic_lr"),)
    train(model, 800)
    model.critic_lr = 3e-4
    return train(model, 500, 256)  # pyright: ignore[reportReturnType]


def test_the_critic_learns_the_logarithm_of_the_ratio_of_densities(critic):
    """By quadrature over the plane, where the critic was taught: the mean of q and p."""
    axis = torch.linspace(-4, 4, 81)
    z = torch.cartesian_prod(axis, axis)
    with torch.no_grad():
        found = torch.stack([critic.critic(x.expand(len(z), -1, -1, -1), z) for x in X])
    wanted, prior = analytic(z), Normal(0, 1).log_prob(z).sum(-1).exp()
    weight = prior * (1 + wanted.exp())
    weight = weight / weight.sum()
    error = (weight * (found - wanted).abs()).sum()
    a, b = (part - (weight * part).sum() for part in (found, wanted))
    correlation = (weight * a * b).sum() / ((weight * a**2).sum() * (weight * b**2).sum()).sqrt()
    spread = (weight * b.abs()).sum()  # the error of a critic that says the best constant
    assert error < 0.12 * spread
    assert correlation > 0.98


def test_the_rate_that_the_critic_tells_is_the_divergence(critic):
    noise = torch.randn(4 * 5000, 4, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        parts = critic(Batch(X.repeat_interleave(5000, 0)), noise, 0, "step_loss")[1]
    found = parts["rate"].view(4, -1).mean(1)
    wanted = kl_divergence(Normal(MEANS, STD), Normal(0, 1)).sum(-1)
    torch.testing.assert_close(found, wanted, atol=0.08, rtol=0)
    assert wanted.max() - wanted.min() > 0.5  # it tells the pictures apart


def test_the_losses_by_hand():
    model = small(beta=3.0)
    noise = torch.randn(4, 4, generator=torch.Generator().manual_seed(0))
    loss, parts = model(Batch(X), noise, 0)
    z = model.encode(X).sample(noise[:, :2])
    judged, distortion = model.critic(X, z), model.distortion(X, z)
    torch.testing.assert_close(parts["rate"], judged)
    torch.testing.assert_close(loss, (distortion + 3 * judged).mean())
    loss, parts = model(Batch(X), noise, 0, "criticise")
    right = torch.cat([judged.sigmoid(), 1 - model.critic(X, noise[:, 2:]).sigmoid()])
    torch.testing.assert_close(loss, -right.log().mean())
    torch.testing.assert_close(parts["critic_accuracy"], (right > 0.5).float().mean())


def test_a_critic_that_knows_nothing_loses_ln_2():
    model = small()
    for parameter in model.critic.parameters():
        nn.init.zeros_(parameter)
    loss = model(Batch(X), torch.randn(4, 4), 0, "criticise")[0]
    assert loss.item() == pytest.approx(math.log(2))


def test_with_contrast_the_critic_is_asked_for_what_is_not_gaussian_alone():
    """The codes are Gaussian: with a critic that says 0 everywhere the rate is right."""
    model = gaussian(contrast=200)
    for parameter in model.critic.parameters():
        nn.init.zeros_(parameter)
    noise = torch.randn(4 * 1000, 4 + 400, generator=torch.Generator().manual_seed(0))
    parts = model(Batch(X.repeat_interleave(1000, 0)), noise, 0, "step_loss")[1]
    found = parts["rate"].view(4, -1).mean(1)
    wanted = kl_divergence(Normal(MEANS, STD), Normal(0, 1)).sum(-1)
    torch.testing.assert_close(found, wanted, atol=0.1, rtol=0)
    parts = {"posterior": noise[:, :2], "prior": noise[:, 2:4], "contrast": noise[:, 4:]}
    placed = model._drawn(X[:1].expand(4000, -1, -1, -1), parts)[1]
    torch.testing.assert_close(placed.mean(0), torch.zeros(2), atol=0.06, rtol=0)
    torch.testing.assert_close(placed.var(0), torch.ones(2), atol=0.1, rtol=0)


def test_the_posterior_is_what_the_encoder_makes_of_noise():
    q: Any = gaussian().encode(X)
    noise = torch.randn(5, 4, 2)
    torch.testing.assert_close(q.sample(noise), MEANS + STD * noise)
    torch.testing.assert_close(q.sample(noise[0]), MEANS + STD * noise[0])
    torch.testing.assert_close(q.mean, MEANS)  # pairs of opposite sign cancel
    assert q.logvar is None
    assert q.kl() is None
    own = small().encode(X)
    many = own.sample(torch.randn(20_000, 4, 2, generator=torch.Generator().manual_seed(0)))
    assert (own.mean - many.mean(0)).abs().max() < 0.2


def quadrants(n: int) -> Tensor:
    """Draws of four posteriors that are the quadrants of N(0, 1)."""
    signs = torch.tensor([[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [-1.0, -1.0]])
    drawn = torch.randn(4, n, 2, generator=torch.Generator().manual_seed(0)).abs()
    return drawn * signs[:, None]


def test_quadrants_tile_the_prior():
    found = tiling(quadrants(200_000))
    assert found.information == pytest.approx(math.log(4), abs=1e-9)
    assert found.overlap == pytest.approx(0, abs=1e-9)
    assert found.gap == pytest.approx(0, abs=0.02)


def test_posteriors_that_are_alike_overlap_wholly():
    drawn = torch.randn(2, 500_000, 2, generator=torch.Generator().manual_seed(0))
    same = tiling(drawn[:1].expand(4, -1, -1))
    assert same.information == pytest.approx(0, abs=1e-9)
    assert same.overlap == pytest.approx(0.75)
    # KL(N(1, 1) || N(0, 1)) = 1/2 nat in each of the two latents
    assert tiling(drawn + 1).gap == pytest.approx(1, abs=0.04)


def test_two_gaussians_overlap_as_much_as_their_distance_says():
    drawn = torch.randn(2, 500_000, 2, generator=torch.Generator().manual_seed(0))
    drawn[0, :, 0] += 1
    drawn[1, :, 0] -= 1
    # nearer to the other centre than to its own: the share of N(0, 1) beyond one sigma
    wanted = float(torch.special.ndtr(torch.tensor(-1.0)))
    assert tiling(drawn).overlap == pytest.approx(wanted, abs=0.01)


def test_four_pictures_of_four_pixels():
    assert X.view(4, 4).tolist() == torch.eye(4).tolist()
    assert FourPixels().size == (2, 2)


def test_the_posteriors_of_the_toy_overlap_less_than_those_of_a_vae():
    """Short runs, in which they do not fill the prior yet; the preset takes six times as long."""
    ours: Any = train(small(lr=8e-4, critic_lr=8e-3), 2000, 16)
    theirs = train(VAE(network=network, latent_dim=2, size=(2, 2), lr=3e-3), 800, 16)
    found, other = (tiling(posterior_draws(m, FourPixels(), 0)[0]) for m in (ours, theirs))
    assert found.information > other.information + 0.05
    assert found.overlap < 0.7 * other.overlap
    assert found.gap < 1.5  # of posteriors that have become points it is 3 and more
    with torch.no_grad():
        assert ours.reconstruct(X).flatten(1).argmax(1).tolist() == [0, 1, 2, 3]


def test_pictures_of_posteriors_say_how_they_lie():
    figure: Any = tile_pictures(gaussian(), FourPixels(), 0)["posteriors"]
    note = figure.texts[0].get_text().replace("\n", " ")
    assert "2,000 draws of q(z|x) of each of 4 pictures" in note
    assert "nats, of at most 1.386" in note
    names = [text.get_text() for text in figure.legends[0].get_texts()]
    assert names == ["pixel 0", "pixel 1", "pixel 2", "pixel 3"]
    placed = figure.axes[0].collections[1].get_offsets().data
    assert placed.mean(0) == pytest.approx(MEANS[1].tolist(), abs=0.08)


def test_they_are_drawn_where_no_density_is_known_or_of_few_pictures():
    def model(kind: Any, **more: Any) -> Any:
        return kind(network=network, width=8, **more) if more else kind(network=network)

    assert list(tile_pictures(model(AdversarialVB, latent_dim=3), Squares(), 0))
    assert tile_pictures(model(VAE), Squares(), 0) == {}
    assert tile_pictures(model(AdversarialVB, latent_dim=1), Squares(), 0) == {}


@pytest.mark.parametrize(
    ("panels", "names", "words"),
    [
        ({}, ["a"], "0 panels and 1 pictures"),
        ({"": torch.zeros(8, 3, 2)}, [*"abcdefgh"], "1 to 7 pictures are wanted"),
        ({"VAE": torch.zeros(2, 3, 2)}, ["a"], r"panel 'VAE' have shape \[2, 3, 2\].*\[1, n, 2\]"),
        ({"": torch.full((1, 3, 2), math.nan)}, ["a"], "draws"),
    ],
)
def test_impossible_clouds_are_refused(panels, names, words):
    with pytest.raises(ValueError, match=words):
        clouds(panels, names=names)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"lr": 0.0}, "got lr 0.0"),
        ({"critic_lr": -1.0}, "critic_lr -1.0"),
        ({"width": 0}, "width 0"),
        ({"beta": -1.0}, "beta -1.0 and contrast 0"),
        ({"contrast": 1}, "contrast 1.*at least 2 draws"),
        ({"contrast": -3}, "contrast -3"),
    ],
)
def test_impossible_settings_are_refused(options, words):
    with pytest.raises(ValueError, match=words):
        small(**options)
