# SPDX-License-Identifier: Apache-2.0
"""A run that breaks says where; one that looks wrong says so once."""

import warnings
from types import SimpleNamespace
from typing import Any, cast

import pytest
import torch
from lightning.pytorch import Trainer

from disent.callbacks.guard import Guard, NotFiniteError
from disent.data import FactorDataModule
from disent.models import VAE, AnnealedVAE, BetaVAE
from disent.networks import Linear
from tests.tiny import Squares


def train(model: VAE, steps: int) -> None:
    trainer = Trainer(
        accelerator="cpu",
        max_steps=steps,
        max_epochs=-1,
        logger=False,
        enable_checkpointing=False,
        enable_model_summary=False,
        enable_progress_bar=False,
        log_every_n_steps=1,
        callbacks=[Guard(patience=5)],
    )
    trainer.fit(model, datamodule=FactorDataModule(Squares(), batch_size=8))


class BreaksAtStep3(BetaVAE):
    """A decoder that gives NaN from its fourth step on."""

    def decode(self, z):
        return super().decode(z) * (float("nan") if self.global_step >= 3 else 1)


def test_the_step_and_the_term_that_broke_are_named():
    with pytest.raises(NotFiniteError, match=r"the loss is nan at step 4: .* the distortion \(nan"):
        train(BreaksAtStep3(network=Linear), steps=10)


def test_an_objective_that_breaks_on_finite_terms_is_named():
    model = BetaVAE(network=Linear)
    model.objective.beta.fill_(float("inf"))  # pyright: ignore[reportCallIssue, reportAttributeAccessIssue]
    with pytest.raises(NotFiniteError, match="the objective, of terms that are finite"):
        train(model, steps=2)


def test_on_an_accelerator_what_is_not_finite_is_not_saved():
    """Between two logged steps nobody waits for the device to look at the loss."""
    guard, trainer = Guard(), cast(Any, SimpleNamespace(global_step=60, log_every_n_steps=50))
    module = cast(Any, SimpleNamespace(device=torch.device("cuda")))
    nan = torch.tensor(torch.nan)
    guard.on_train_batch_end(trainer, module, {"loss": nan, "rate": nan}, None, 0)
    with pytest.raises(NotFiniteError, match=r"the loss is nan at step 60: what broke is the rate"):
        guard.on_save_checkpoint(trainer, module, {})


def test_a_collapsed_posterior_is_warned_of_once():
    model = BetaVAE(network=Linear)
    for parameter in model.network.encoder.parameters():
        torch.nn.init.zeros_(parameter).requires_grad_(False)
    with pytest.warns(UserWarning, match="the posterior has collapsed") as caught:
        train(model, steps=20)
    assert sum(w.category is UserWarning for w in caught) == 1


def test_a_capacity_out_of_reach_is_warned_of_once():
    model = AnnealedVAE(gamma=0, capacity=1000, anneal_steps=1, network=Linear)
    with pytest.warns(UserWarning, match="has missed the capacity, 1000") as caught:
        train(model, steps=20)
    assert sum(w.category is UserWarning for w in caught) == 1


def test_a_sound_run_is_not_warned_of():
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        warnings.filterwarnings("ignore", "The `srun` command is available")
        train(BetaVAE(beta=1, network=Linear, lr=1e-3), steps=20)
    assert [str(w.message) for w in caught if w.category is UserWarning] == []
