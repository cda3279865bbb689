# SPDX-License-Identifier: Apache-2.0
"""The adversarial autoencoder: losses by hand, and labels where they belong."""

import copy
import math
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from disent.data import Digits
from disent.data.base import Batch
from disent.fleet import Stack
from disent.gaussian import PointMass
from disent.likelihoods import Bernoulli
from disent.models import AdversarialAutoEncoder, AutoEncoder
from disent.networks import MLP, Linear
from disent.priors import GaussianMixture, SwissRoll

LABEL: dict[str, Any] = {"factor_names": ("label",), "factor_sizes": (10,)}
TWO: dict[str, Any] = {"factor_names": ("shape", "scale"), "factor_sizes": (2, 3)}
NOISE = torch.randn(12, 3, generator=torch.Generator().manual_seed(0))
TRAIN = Digits("train")


def small(c: int, d: int, o: int, **numbers: Any) -> MLP:
    return MLP(c, d, o, hidden=[128, 64], **numbers)


def made(**more: Any) -> Any:
    usual = {"network": small, "width": 128, "size": (8, 8), "adversarial_lr": 5e-4, **LABEL}
    return AdversarialAutoEncoder(**{**usual, **more})


class _Sum(nn.Module):
    """A discriminator whose logit is the sum of all that it sees, and which keeps that."""

    def forward(self, *parts: Tensor) -> Tensor:
        self.seen = torch.cat(parts, 1)
        return self.seen.sum(1)


def still(**more: Any) -> Any:
    """A model whose codes are all (1, 2), with a discriminator that adds up."""
    model = made(network=Linear, **more)
    for weight in model.network.parameters():
        nn.init.zeros_(weight)
    model.network.encoder[-1].bias.data.copy_(torch.tensor([1.0, 2.0]))
    model.discriminator = _Sum()
    return model


X = TRAIN.batch(torch.arange(3))


def test_losses_by_hand():
    model, noise = still(), torch.tensor([[0.0, 0.5], [-1.0, 0.0], [2.0, 1.0]])
    assert isinstance(model.encode(X), PointMass)
    assert model.draws() == {"prior": 2}
    loss, _ = model(X, noise, 0, "discriminate")
    samples = sum(math.log1p(math.exp(-logit)) for logit in (0.5, -1, 3)) / 3
    assert loss.item() == pytest.approx((samples + math.log1p(math.exp(3))) / 2, rel=1e-5)
    loss, _ = model(X, noise, 0, "confuse")
    assert loss.item() == pytest.approx(math.log1p(math.exp(-3)), rel=1e-5)
    loss, told = model(X, noise, 0, "step_loss")  # all pictures come out black
    assert loss.item() == pytest.approx(float(X.square().sum()) / 3, rel=1e-5)
    assert told["squared_error"].tolist() == pytest.approx(X.square().sum((1, 2, 3)).tolist())


def test_without_labels_it_reconstructs_as_an_autoencoder_of_its_weights():
    for likelihood in (None, Bernoulli()):
        model, noise = made(likelihood=likelihood), torch.zeros(3, 2)
        plain = AutoEncoder(small, 2, likelihood=likelihood, size=(8, 8))
        plain.network.load_state_dict(model.network.state_dict())
        torch.testing.assert_close(model(X, noise, 0)[0], plain(X, torch.empty(3, 0))[0])


def test_the_discriminator_sees_the_class_or_that_there_is_none():
    model = still(prior=GaussianMixture(), labels_to="discriminator")
    batch = Batch(X, torch.tensor([[3], [-1], [9]]))
    model(batch, NOISE[:3], 0, "confuse")
    classes = torch.zeros(3, 11)
    classes[0, 3] = classes[1, 10] = classes[2, 9] = 1
    wanted = torch.cat([torch.tensor([[1.0, 2.0]]).expand(3, -1), classes], 1)
    assert torch.equal(model.discriminator.seen, wanted)
    model(batch, NOISE[:3], 0, "discriminate")
    assert torch.equal(model.discriminator.seen, wanted)  # the codes come last
    assert made(prior=GaussianMixture(), labels_to="discriminator").labels
    assert model.conditions == ()
    assert model.given(batch.factors) is model


def test_the_decoder_sees_the_label_and_the_encoder_does_not():
    model = made(network=Linear, labels_to="decoder")
    layer = model.network.decoder[0]
    assert layer.weight.shape == (64, 12)
    assert model.network.encoder[1].weight.shape == (2, 64)
    z, label = torch.randn(3, 2, generator=torch.Generator().manual_seed(0)), [[4], [-1], [0]]
    told = model.given(torch.tensor(label))
    decoded = told.decode(z).flatten(1)
    own = z @ layer.weight[:, :2].T + layer.bias
    own[0] += layer.weight[:, 2 + 4]
    own[2] += layer.weight[:, 2]
    torch.testing.assert_close(decoded, own)
    assert torch.equal(told.encode(X).mean, model.encode(X).mean)
    assert torch.equal(model.given(None).picture(z), model.picture(z))
    decoded = model.decode(z, torch.tensor(label))
    assert torch.equal(told.distortion(X, z), -model.likelihood.log_prob(X, decoded))
    loss, _ = model(Batch(X, torch.tensor(label)), torch.zeros(3, 2), 0)
    error = (told.decode(model.encode(X).mean) - X).square().sum((1, 2, 3)).mean()
    torch.testing.assert_close(loss, error)
    assert (model.conditions, model.labels) == ((0,), True)
    assert not made().labels


@pytest.mark.parametrize("labels_to", ["decoder", "discriminator"])
def test_gradients_in_a_fleet_are_those_alone_with_labels_too(labels_to):
    models = [made(prior=GaussianMixture(), labels_to=labels_to, seed=seed) for seed in (0, 1)]
    x, label = TRAIN.batch(torch.arange(12)), torch.arange(12)[:, None] % 6 - 1
    batch = Batch(x.unflatten(0, (2, 6)), label.unflatten(0, (2, 6)))
    noise = torch.stack([NOISE[:6], NOISE[6:12]])
    for update in models[0].updates:
        stack = Stack([copy.deepcopy(model) for model in models], batched=True)
        (part,) = stack.parts
        part(batch, noise, 0, update.loss)[0].backward()
        moved = part.optimizers()[list(models[0].updates).index(update)].param_groups[0]["params"]
        for k, model in enumerate(models):
            model.zero_grad()
            model(batch.each(lambda rows, k=k: rows[k]), noise[k], 0, update.loss)[0].backward()
            for stacked, alone in zip(moved, model.weights_of(update).values(), strict=True):
                torch.testing.assert_close(stacked.grad[k], alone.grad, rtol=1e-3, atol=1e-5)


BAD: dict[str, tuple[dict[str, Any], str]] = {
    "dimension": ({"prior": SwissRoll(), "latent_dim": 3}, "SwissRoll has 2 latents, but the code"),
    "player": ({"labels_to": "encoder"}, "got 'encoder'"),
    "no labels": ({"labels_to": "decoder", "factor_names": ()}, "no factors or labels"),
    "unknown": (
        {"labels_to": "decoder", "conditions": "digit"},
        "digit, but the dataset has label",
    ),
    "no parts": ({"labels_to": "discriminator"}, "StandardNormal has none: take GaussianMixture"),
    "several": ({"labels_to": "discriminator", **TWO}, "takes one label, but 2 came"),
    "petals": (
        {"labels_to": "discriminator", **TWO, "conditions": "scale", "prior": GaussianMixture()},
        "10 petals cannot be shared out evenly among 3 classes",
    ),
    "width": ({"width": 0}, "width must be >= 1, got 0"),
    "rate": ({"adversarial_lr": 0.0}, "adversarial_lr must be > 0, got 0"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_does_not_fit_is_refused_in_one_line(name):
    more, words = BAD[name]
    with pytest.raises(ValueError, match=words) as caught:
        made(**more)
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize("labels_to", ["decoder", "discriminator"])
def test_a_batch_without_the_labels_that_somebody_is_to_see_is_refused(labels_to):
    model = made(prior=SwissRoll(), labels_to=labels_to)
    loss = model.updates[0 if labels_to == "decoder" else 1].loss
    with pytest.raises(ValueError, match=f"the {labels_to} is to see labels, but the batch has"):
        model(X, NOISE[:3], 0, loss)
