# SPDX-License-Identifier: Apache-2.0
"""The family's equations, its purity, and what a step of training logs."""

import pytest
import torch
from lightning.pytorch import Trainer

from disent.likelihoods import FixedGaussian, LearnedGaussian
from disent.models import VAE, AnnealedVAE, BetaVAE
from disent.networks import MLP, Linear
from disent.objectives import BetaELBO
from disent.objectives.base import Terms
from tests.tiny import Squares

X = Squares().batch(torch.arange(0, 128, 16))
NOISE = torch.randn(8, 10, generator=torch.Generator().manual_seed(0))


def terms_of(model: VAE) -> Terms:
    return model.terms(X, NOISE)


def test_the_loss_is_made_of_its_terms():
    model = VAE(network=Linear)
    torch.testing.assert_close(model(X, NOISE)[0], -terms_of(model).elbo())
    model = BetaVAE(beta=4, network=Linear)
    terms = terms_of(model)
    torch.testing.assert_close(model(X, NOISE)[0], -terms.elbo() + 3 * terms.rate.sum(-1).mean())
    model = AnnealedVAE(gamma=7, capacity=5, anneal_steps=10, network=Linear)
    terms = terms_of(model)
    gap = (terms.rate.sum(-1).mean() - 1.0).abs()
    torch.testing.assert_close(model(X, NOISE, 2)[0], terms.distortion.mean() + 7 * gap)


def test_the_terms_are_told():
    model = BetaVAE(network=Linear)
    _, told = model(X, NOISE)
    terms = terms_of(model)
    assert torch.equal(told["distortion"], terms.distortion)
    assert torch.equal(told["rate"], terms.rate)


def test_a_beta_vae_of_one_is_the_vae():
    one, vae = BetaVAE(beta=1, network=Linear), VAE(network=Linear)
    torch.testing.assert_close(one(X, NOISE, 3), vae(X, NOISE, 3), rtol=0, atol=0)


def test_the_rate_of_a_posterior_by_hand():
    model = VAE(network=Linear, latent_dim=2)
    for parameter in model.parameters():
        torch.nn.init.zeros_(parameter)
    model.network.get_parameter("encoder.1.bias").data = torch.tensor([3.0, 0.0, 0.0, 0.0])
    terms = model.terms(X, NOISE[:, :2])
    # mean 3, variance 1: KL = 9 / 2; an undecided pixel: ln 2, 4096 times
    torch.testing.assert_close(terms.rate, torch.tensor([[4.5, 0.0]]).expand(8, 2))
    torch.testing.assert_close(terms.distortion, torch.full((8,), 4096 * 0.6931472))


@pytest.mark.parametrize("model", [VAE, BetaVAE, AnnealedVAE])
def test_forward_is_pure(model):
    member = model(network=Linear)
    state = torch.random.get_rng_state()
    first, second = member(X, NOISE, 5)[0], member(X, NOISE, 5)[0]
    assert first == second
    assert torch.equal(torch.random.get_rng_state(), state)


def test_weights_are_a_function_of_the_seed_and_touch_no_other_generator():
    state = torch.random.get_rng_state()
    first, same, other = (VAE(network=Linear, seed=seed) for seed in (3, 3, 4))
    assert torch.equal(torch.random.get_rng_state(), state)
    weights = [next(model.parameters()) for model in (first, same, other)]
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])


def test_beta_is_no_part_of_a_checkpoint():
    checkpoint = BetaVAE(beta=100, network=Linear).state_dict()
    assert not any("beta" in name for name in checkpoint)
    model = BetaVAE(beta=2, network=Linear)
    model.load_state_dict(checkpoint)
    assert isinstance(model.objective, BetaELBO)
    assert model.objective.beta == 2


@pytest.mark.parametrize("likelihood", [FixedGaussian(), LearnedGaussian(), None])
def test_pictures_in_and_pictures_out(likelihood):
    model = VAE(network=Linear, likelihood=likelihood, latent_dim=3, channels=3)
    x = torch.rand(4, 3, 64, 64)
    q = model.encode(x)
    assert q.logvar is not None
    assert q.mean.shape == q.logvar.shape == (4, 3)
    for pictures in (model.reconstruct(x), model.sample(4), model.picture(torch.zeros(4, 3))):
        assert pictures.shape == (4, 3, 64, 64)
        assert pictures.min() >= 0
        assert pictures.max() <= 1
    assert model(x, torch.zeros(4, 3), 0)[0].isfinite()


def test_samples_follow_their_generator():
    model = VAE(network=Linear)
    draws = [model.sample(2, generator=torch.Generator().manual_seed(s)) for s in (1, 1, 2)]
    assert torch.equal(draws[0], draws[1])
    assert not torch.equal(draws[0], draws[2])


def test_ranks_together_draw_the_noise_of_one(monkeypatch):
    def draw(world: int, rank: int) -> torch.Tensor:
        model = VAE(network=Linear)
        trainer = Trainer(accelerator="cpu", logger=False, barebones=True)
        monkeypatch.setattr(type(trainer), "world_size", world)
        monkeypatch.setattr(VAE, "global_rank", rank)
        model.trainer = trainer
        return model.draw_noise(8 // world, position=0)

    alone = draw(1, 0)
    assert torch.equal(torch.stack([draw(2, 0), draw(2, 1)], 1).flatten(0, 1), alone)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: VAE(lr=0), "lr must be > 0, got 0"),
        (lambda: VAE(optimizer="sgd"), "got 'sgd'"),  # pyright: ignore[reportArgumentType]
        (lambda: VAE(seed=-1), "seed must be >= 0, got -1"),
        (lambda: VAE(latent_dim=0), "latent_dim must be >= 1, got 0"),
    ],
)
def test_bad_settings_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_any_network_can_be_given_as_a_function():
    model = VAE(network=lambda channels, latents, outputs: MLP(channels, latents, outputs, [8]))
    assert model.encode(X).mean.shape == (8, 10)
