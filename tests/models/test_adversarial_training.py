# SPDX-License-Identifier: Apache-2.0
"""Adversarial autoencoders of the digits: codes that fit their prior, labels to either player."""

from typing import Any

import pandas as pd
import pytest
import torch
from torch import Tensor

from disent.cli.main import main
from disent.data import Digits
from disent.latents.plane import prior_discrepancies
from disent.metrics.solvers.classifier import fit_softmax
from disent.models import AdversarialAutoEncoder, load_run
from disent.models.base import Model, take_step
from disent.networks import MLP
from disent.priors import GaussianMixture, SwissRoll
from disent.runs import RunDir

LABEL: dict[str, Any] = {"factor_names": ("label",), "factor_sizes": (10,)}
TRAIN, TEST = Digits("train"), Digits("test")


def small(c: int, d: int, o: int, **numbers: Any) -> MLP:
    return MLP(c, d, o, hidden=[128, 64], **numbers)


def made(**more: Any) -> Any:
    usual = {"network": small, "width": 128, "size": (8, 8), "adversarial_lr": 5e-4, **LABEL}
    return AdversarialAutoEncoder(**{**usual, **more})


def trained(steps: int, **more: Any) -> Any:
    """After so many steps of 64 digits of the training part."""
    model: Model = made(**more)
    optimizers = model.configure_optimizers()
    for step in range(steps):
        batch = TRAIN.at(torch.from_numpy(model.noise.at(step).integers(len(TRAIN), size=64)))
        noise = model.noise.normal(step, (64, sum(model.draws().values())))
        take_step(model, optimizers, batch, noise, step)
    return model.eval()


@torch.no_grad()
def codes_of(model: Any, data: Digits) -> tuple[Tensor, Tensor]:
    every = data.at(torch.arange(len(data)))
    assert every.factors is not None
    return model.encode(every.x).mean, every.factors[:, 0]


def test_codes_of_held_out_digits_come_near_a_swiss_roll():
    before, after = made(prior=SwissRoll()), trained(1000, prior=SwissRoll())
    far, own = prior_discrepancies(before.prior, codes_of(before, TEST)[0], 0)
    near, _ = prior_discrepancies(after.prior, codes_of(after, TEST)[0], 0)
    assert far > 0.2
    assert near < 0.03
    assert own.abs().max() < 0.006


def test_a_class_known_to_the_discriminator_lies_on_its_own_petal():
    """Chance is 1 in 10, as without labels: nothing else says which petal is whose."""
    model = trained(1000, prior=GaussianMixture(), labels_to="discriminator")
    codes, label = codes_of(model, TEST)
    axes = model.prior.axes
    away = ((codes[:, None] - model.prior.centres)[:, :, None] * axes).sum(-1)
    places = away / axes.square().sum(-1)  # in standard deviations, along each petal and across
    assert (places.square().sum(-1).argmin(1) == label).double().mean() > 0.6
    assert prior_discrepancies(model.prior, codes, 0)[0] < 0.02


def accuracy_of_the_label(model: Any) -> float:
    """Of a logistic regression from the codes of the training part, at those of the test part."""
    (codes, label), (others, truth) = (codes_of(model, data) for data in (TRAIN, TEST))
    return float(fit_softmax(codes, label, 10).accuracy(others, truth))


def test_a_code_whose_decoder_is_told_the_label_forgets_some_of_it():
    """And the pictures that it is asked for are, to a classifier of real ones, of that digit."""
    plain, told = (trained(1000, latent_dim=4, labels_to=to) for to in ("nobody", "decoder"))
    assert accuracy_of_the_label(plain) > 0.75
    assert accuracy_of_the_label(told) < accuracy_of_the_label(plain) - 0.1
    for model in (plain, told):
        assert prior_discrepancies(model.prior, codes_of(model, TEST)[0], 0)[0] < 0.03
    every = TRAIN.at(torch.arange(len(TRAIN)))
    assert every.factors is not None
    judge = fit_softmax(every.x.flatten(1), every.factors[:, 0], 10)
    asked = torch.arange(10).repeat(20)
    with torch.no_grad():
        z = torch.randn(200, 4, generator=torch.Generator().manual_seed(0))
        drawn = told.given(asked[:, None]).picture(z)
    assert judge.accuracy(drawn.flatten(1), asked) > 0.6


OPTIONS = """
--config adversarial_autoencoder --data tests.tiny.Squares --loader.batch_size 4
--trainer.max_steps 2 --trainer.log_every_n_steps 1 --evaluate.at_end false
--pictures.at_end false --model.network Linear
""".split()  # noqa: SIM905


@pytest.mark.parametrize("prior", ["GaussianMixture", "SwissRoll"])
def test_a_prior_is_chosen_on_the_command_line_and_comes_back_with_the_run(prior, tmp_path):
    words = ["--model.prior", prior, "--run", "one", "--runs", str(tmp_path)]
    assert main(["fit", *OPTIONS, *words]) == 0
    model = load_run(tmp_path / "one")
    assert type(model.prior).__name__ == prior
    assert model.sample(3).shape == (3, 1, 64, 64)
    assert model.draws_of_prior == 3
    logged = pd.read_csv(RunDir(tmp_path / "one").metrics)
    told = {"discriminator_loss", "discriminator_accuracy", "confusion_loss", "squared_error"}
    assert told <= set(logged.columns)


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        (
            ["--model.prior", "SwissRoll", "--model.latent_dim", "3"],
            "the prior SwissRoll has 2 latents, but the code has 3: take latent_dim 2",
        ),
        (["--model.prior", "SwisRoll"], "SwisRoll"),
        (["--model.labels_to", "discriminator"], "takes one label, but 3 came"),
        (["--model.labels_to", "decoder", "--model.conditions", "hue"], "got conditions hue"),
        (
            ["--model.labels_to", "discriminator", "--model.conditions", "size"],
            "StandardNormal has none: take GaussianMixture or SwissRoll",
        ),
    ],
)
def test_what_does_not_fit_is_answered_in_one_line_before_anything_is_written(
    words, answer, tmp_path, capsys
):
    assert main(["fit", *OPTIONS, *words, "--runs", str(tmp_path)]) == 1
    error = capsys.readouterr().err.strip()
    assert answer in error
    assert len(error.splitlines()) == 1, error
    assert not list(tmp_path.iterdir())
