# SPDX-License-Identifier: Apache-2.0
"""Quantised latents: answers by hand, a second computation, and what decays."""

import copy
import math

import numpy as np
import pytest
import torch

from disent.data.base import Batch
from disent.models import QLAE, FactorQVAE
from disent.models.base import take_step
from disent.models.codebook import Categorical, nearest
from disent.networks import MLP


def network(c, d, o, **more):
    return MLP(c, d, o, hidden=[8], **more)


def gradient(tensor):
    assert tensor.grad is not None
    return tensor.grad


SMALL = {"network": network, "latent_dim": 3, "size": (4, 4)}
X = torch.rand(6, 1, 4, 4, generator=torch.Generator().manual_seed(0))


def test_the_nearest_value_of_ones_own_codebook_and_the_lower_of_two_as_near():
    codebook = torch.tensor([[-1.0, 0.0, 1.0], [10.0, 20.0, 30.0]])
    z = torch.tensor([[0.5, 26.0], [-7.0, 0.0], [0.51, 15.0]])
    assert nearest(codebook, z).tolist() == [[0, 30], [-1, 10], [1, 10]]
    assert nearest(codebook[:1], z).tolist() == [[0, 1], [-1, 0], [1, 1]]


def test_the_loss_of_a_quantised_latent_autoencoder_by_numpy():
    model = QLAE(values=4, quantization=0.2, commitment=0.05, **SMALL)
    loss, told = model(Batch(X), torch.empty(6, 0), 0)
    c = model.network.encoder(X).detach().double().numpy()
    values = np.linspace(-0.5, 0.5, 4)
    z = values[np.abs(c[..., None] - values).argmin(-1)]
    with torch.no_grad():
        logits = model.network.decode(torch.from_numpy(z).float()).double().numpy()
    x = X.double().numpy()
    entropy = (np.logaddexp(0, logits) - x * logits).sum((1, 2, 3))
    error = ((c - z) ** 2).mean(1)
    np.testing.assert_allclose(told["distortion"].detach(), entropy, rtol=1e-5)
    np.testing.assert_allclose(told["quantization_error"].detach(), error, rtol=1e-4, atol=1e-7)
    assert loss.item() == pytest.approx((entropy + 16 * 0.25 * error).mean(), rel=1e-5)


def test_the_gradient_of_the_distortion_goes_straight_through_and_not_into_the_codebook():
    model = QLAE(values=4, quantization=0.0, commitment=0.0, **SMALL)
    bias = model.get_parameter("network.encoder.3.bias")  # of its last layer
    model(Batch(X), torch.empty(6, 0), 0)[0].backward()
    z = model.encode(X).mean.detach().requires_grad_()
    model.distortion(X, z)  # as it is outside of training: snapped, without a gradient
    decoded = model.network.decode(z)
    (-model.likelihood.log_prob(X, decoded)).mean().backward()
    torch.testing.assert_close(gradient(bias), gradient(z).sum(0))
    assert not gradient(model.codebook).any()


def test_values_are_drawn_to_the_numbers_of_the_encoder_by_their_weight():
    model = QLAE(values=2, quantization=0.5, commitment=0.0, **SMALL)
    model(Batch(X), torch.empty(6, 0), 0)[0].backward()
    c = model.network.encoder(X).detach()
    z = nearest(model.codebook.detach(), c)
    for latent in range(3):
        for k, value in enumerate((-0.5, 0.5)):
            own = z[:, latent] == value
            wanted = 16 * 0.5 * 2 * (value - c[own, latent]).sum() / (6 * 3)
            assert gradient(model.codebook)[latent, k].item() == pytest.approx(
                float(wanted), abs=1e-6
            )


def test_weights_of_the_network_decay_and_no_others():
    model = QLAE(weight_decay=0.5, lr=0.1, **SMALL)
    before = copy.deepcopy(dict(model.named_parameters()))
    optimizer = model.configure_optimizers()[0]
    for weight in model.parameters():
        weight.grad = torch.zeros_like(weight)
    optimizer.step()
    for name, weight in model.named_parameters():
        share = 0.95 if name.startswith("network") and name.endswith("weight") else 1.0
        torch.testing.assert_close(weight, share * before[name])


@pytest.mark.parametrize("member", [QLAE, FactorQVAE])
def test_codes_are_values_and_what_lies_between_is_decoded_as_the_nearer(member):
    model = member(values=5, **SMALL).eval()
    z = model.encode(X).mean
    rows = model.codebook.expand(3, 5)
    assert (z[..., None] == rows).any(-1).all()
    gap = (rows.sort(1).values.diff(dim=1)).min().item()
    moved = z + 0.4 * gap * torch.randn(6, 3).sign()
    assert torch.equal(model.picture(moved), model.picture(z))
    assert not torch.equal(model.picture(-z), model.picture(z))


def test_rates_of_categorical_codes_that_are_known():
    codebook = torch.tensor([[-1.0, 0.0, 2.0, 5.0]])
    sure = torch.tensor([0.0, 200.0, 0.0, 0.0])
    half = torch.tensor([0.0, 0.0, -200.0, -200.0])
    q = Categorical(codebook, torch.stack([torch.zeros(4), sure, half])[None])
    torch.testing.assert_close(q.kl(), torch.tensor([[0.0, math.log(4), math.log(2)]]))
    assert q.mean.tolist() == [[-1, 0, -1]]
    assert q.sample(torch.tensor([[-9.0, 3.0, 9.0]])).tolist() == [[-1, 0, 0]]
    assert q.sample(torch.tensor([[9.0, -3.0, -9.0]])).tolist() == [[5, 0, -1]]


def test_draws_and_cold_gumbel_weights_come_as_often_as_they_are_likely():
    n, chances = 40_000, torch.tensor([0.1, 0.2, 0.3, 0.4])
    q = Categorical(torch.arange(4.0)[None], chances.log().expand(n, 1, 4))
    generator = torch.Generator().manual_seed(0)
    drawn = q.sample(torch.randn(n, 1, generator=generator))
    weights = q.relaxed(torch.randn(n, 4, generator=generator), 1e-3)
    torch.testing.assert_close(weights.sum(-1), torch.ones(n, 1))
    for counts in (drawn.long().flatten().bincount(), weights.round().sum((0, 1))):
        # four standard deviations
        assert ((counts / n - chances).abs() < 4 * (chances * (1 - chances) / n).sqrt()).all()


def test_the_loss_of_a_factor_qvae_by_numpy():
    model = FactorQVAE(values=4, beta=2.0, gamma=0.7, temperature=0.5, width=8, **SMALL)
    generator = torch.Generator().manual_seed(1)
    noise = torch.randn(6, 2 * 12 + 3, generator=generator)
    loss, told = model(Batch(X), noise, 0)
    c = model.network.encoder(X).detach().double().numpy()
    values = model.codebook.detach().double().numpy()[0]
    logits = -((c[..., None] - values) ** 2)
    q = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
    rate = (q * np.log(4 * q)).sum((1, 2))
    normal = noise[:, :12].double().view(6, 3, 4)
    u = (0.5 * (1 + torch.erf(normal / 2**0.5))).numpy()
    hot = np.exp((logits - np.log(-np.log(u))) / 0.5)
    hot /= hot.sum(-1, keepdims=True)
    with torch.no_grad():
        decoded = model.network.decode(torch.from_numpy((hot * values).sum(-1)).float())
        seen = model.discriminator(torch.from_numpy(hot).float().flatten(1)).double().numpy()
    error = (decoded - X).square().sum((1, 2, 3)).double().numpy()
    correlation = (seen[:, 0] - seen[:, 1]).mean()
    np.testing.assert_allclose(told["rate"].detach(), rate, rtol=1e-4, atol=1e-6)
    wanted = error.mean() + 2 * rate.mean() + 0.7 * correlation
    assert loss.item() == pytest.approx(wanted, rel=1e-4)
    constant = 16 * math.log(math.pi) / 2  # of N(x; decoded, 1/2)
    np.testing.assert_allclose(told["distortion"].detach(), error + constant, rtol=1e-4)


def test_the_discriminator_sees_each_latent_of_the_second_batch_in_another_order():
    model = FactorQVAE(values=3, width=8, **SMALL)
    seen = {}
    model.discriminator.register_forward_pre_hook(lambda _, given: seen.update(z=given[0]))
    noise = torch.randn(6, 2 * 9 + 3, generator=torch.Generator().manual_seed(2))
    other = X.flip(0) * 0.5
    model(Batch(X, other=Batch(other)), noise, 0, "discriminate")
    own, permuted = seen["z"].view(2, 6, 3, 3)
    with torch.no_grad():
        torch.testing.assert_close(own, model.encode(X).relaxed(noise[:, :9], 1.0))
        apart = model.encode(other).relaxed(noise[:, 9:18], 1.0)
    order = noise[:, 18:].argsort(0)
    for latent in range(3):
        torch.testing.assert_close(permuted[:, latent], apart[order[:, latent], latent])


def test_a_quantised_latent_autoencoder_learns_two_pictures():
    x = torch.zeros(2, 1, 4, 4)
    x[0, :, :2], x[1, :, 2:] = 1, 1
    model = QLAE(values=2, lr=0.02, weight_decay=0.0, network=network, latent_dim=1, size=(4, 4))
    optimizers = model.configure_optimizers()
    for step in range(200):
        take_step(model, optimizers, Batch(x), torch.empty(2, 0), step)
    assert len(model.encode(x).mean.unique()) == 2
    assert (model.reconstruct(x).round() == x).all()


@pytest.mark.parametrize(
    ("member", "given", "told"),
    [
        (QLAE, {"values": 1}, "values is 1, but at least 2"),
        (QLAE, {"weight_decay": -1.0}, "weight_decay must be >= 0, got -1.0"),
        (QLAE, {"commitment": float("nan")}, "commitment must be >= 0, got nan"),
        (FactorQVAE, {"values": 0}, "values is 0, but at least 2"),
        (FactorQVAE, {"gamma": float("inf")}, "gamma must be >= 0, got inf"),
        (FactorQVAE, {"temperature": 0.0}, "got temperature 0.0"),
    ],
)
def test_settings_that_cannot_be_are_refused(member, given, told):
    with pytest.raises(ValueError, match=told):
        member(**given, **SMALL)
