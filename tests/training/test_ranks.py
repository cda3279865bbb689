# SPDX-License-Identifier: Apache-2.0
"""Two processes learn what one learns, also where a loss looks at the whole batch together."""

import atexit
import multiprocessing
import os
from typing import Any

import pytest
import torch
from lightning.pytorch import Callback, Trainer

from disent.data import FactorDataModule
from disent.models import DIPVAE, AdaGVAE, AnnealedVAE, BetaTCVAE, FactorVAE, InfoVAE
from disent.models.base import Model
from disent.networks import MLP
from disent.training.step import Steps
from tests.tiny import Squares

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore:.isinstance.treespec, LeafSpec:FutureWarning"),
]


class LeaveAtOnce(Callback):
    """Threads of gloo abort, now and then, a rank that ends in order; see disent/cli/main.py."""

    def teardown(self, trainer, pl_module, stage):
        if multiprocessing.parent_process() is not None:
            atexit.register(os._exit, 0)


def small(channels: int, latents: int, outputs: int, **more: Any) -> MLP:
    return MLP(channels, latents, outputs, hidden=[16], **more)


def make(kind: str) -> Model:
    given: dict[str, Any] = {"network": small, "latent_dim": 4, "lr": 1e-3}
    if kind == "FactorVAE":
        return FactorVAE(gamma=10.0, width=16, discriminator_lr=1e-3, **given)
    if kind == "BetaTCVAE":
        return BetaTCVAE(beta=6.0, pictures=128, **given)
    if kind == "DIPVAE":
        return DIPVAE("ii", **given)
    if kind == "InfoVAE":
        return InfoVAE(**given)
    if kind == "AdaGVAE":
        return AdaGVAE(changed_factors=2, **given)
    if kind == "full":
        return AnnealedVAE(10.0, 2.0, 5, posterior="full", **given)
    return AnnealedVAE(10.0, 2.0, 5, **given)


def fit(kind: str, engine: bool, parts: int = 1, steps: int = 6, **settings: Any) -> Model:
    model, data = make(kind), FactorDataModule(Squares(), 16, "shuffled")
    if engine:
        data.burst, data.train, data.until = 2 * parts, Steps(parts, 1.0), steps * parts
        model.automatic_optimization = False
    trainer = Trainer(
        accelerator="cpu", max_steps=steps, logger=False, enable_checkpointing=False,
        enable_progress_bar=False, enable_model_summary=False, log_every_n_steps=2, **settings,
    )  # fmt: skip
    trainer.fit(model, datamodule=data)
    return model


@pytest.mark.parametrize(
    ("kind", "engine", "parts"),
    [
        ("AnnealedVAE", True, 1),
        ("AnnealedVAE", False, 1),
        ("full", True, 1),
        ("BetaTCVAE", True, 1),
        ("BetaTCVAE", False, 1),
        ("DIPVAE", True, 1),
        ("InfoVAE", True, 1),
        ("AdaGVAE", True, 1),
        ("FactorVAE", True, 2),
        ("FactorVAE", False, 1),
    ],
)
def test_two_ranks_learn_what_one_learns(kind, engine, parts):
    one = fit(kind, engine, parts)
    two = fit(kind, engine, parts, strategy="ddp_spawn", devices=2, callbacks=[LeaveAtOnce()])
    start = make(kind)
    for (name, mine), its, began in zip(
        two.named_parameters(), one.parameters(), start.parameters(), strict=True
    ):
        moved = (its - began).abs().max()
        assert moved > 0, name
        # the mean over a batch is taken as the mean of two means
        assert (mine - its).abs().max() < 1e-3 * moved + 1e-6, name


def test_a_loss_of_the_whole_batch_differs_from_the_mean_of_its_halves():
    """What the ranks must not compute, so that the test above can fail."""
    model = make("BetaTCVAE")
    x, noise = Squares().batch(torch.arange(0, 128, 8)), model.noise.normal(0, (16, 4))
    for weight in model.parameters():  # codes that differ
        weight.data *= 3
    whole = model(x, noise)[1]["total_correlation"]
    halves = [model(x[k::2], noise[k::2])[1]["total_correlation"] for k in range(2)]
    assert (whole - torch.stack(halves).mean()).abs() > 0.05
