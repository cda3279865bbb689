# SPDX-License-Identifier: Apache-2.0
"""Who takes the steps of a run, and how many at a time."""

from typing import Any, cast

import pytest
from lightning.pytorch import Callback

from disent.config.fit import Built, FitConfig
from disent.data import FactorDataModule
from disent.models import VAE, FactorVAE
from disent.models.base import Model
from disent.networks import Linear
from disent.training.engine import steps_at_once, take_steps
from disent.training.precision import burst_of
from disent.training.step import Steps
from tests.tiny import Squares

PLAIN = {
    "accumulate_grad_batches": 1, "gradient_clip_val": None, "gradient_clip_algorithm": None,
    "precision": None, "strategy": "auto", "max_steps": 120, "log_every_n_steps": 50,
}  # fmt: skip


class OwnStep(VAE):
    def training_step(self, batch, batch_idx):
        return super().training_step(batch, batch_idx)


class OwnSchedule(VAE):
    def configure_optimizers(self):
        return super().configure_optimizers()


class Looks(Callback):
    def on_after_backward(self, trainer, pl_module):
        """Gradients are there."""


class Config:
    """The part of a FitConfig that is asked for."""

    def __init__(self, fast: bool = True, events: tuple[int, ...] = (1000, 50, 0, 0)) -> None:
        self.fast, self.checkpoint_every_n_steps = fast, events[0]
        self.trainer = {"log_every_n_steps": events[1]}
        self.evaluate = self.pictures = self
        self.every_n_steps = self.film_every_n_steps = 0


def built(model: Model, **trainer: Any) -> Built:
    return Built(model, Squares(), FactorDataModule(Squares(), 8), {**PLAIN, **trainer})


def config(fast: bool = True) -> FitConfig:
    return cast(FitConfig, Config(fast))


@pytest.mark.parametrize(
    ("fast", "trainer", "batches", "at_once"),
    [
        (False, {}, 1, 1),
        (True, {}, 50, 50),
        (True, {"precision": "bf16-mixed"}, 50, 50),
        (False, {"accumulate_grad_batches": 3}, 3, 1),
        (True, {"accumulate_grad_batches": 2, "gradient_clip_val": 1.0}, 100, 50),
    ],
)
def test_the_suite_steps_and_the_trainer_is_not_asked_twice(fast, trainer, batches, at_once):
    run = built(VAE(network=Linear), **trainer)
    left = take_steps(config(fast), run)
    assert not run.model.automatic_optimization
    assert (run.loader.burst, steps_at_once(run)) == (batches, at_once)
    assert run.loader.until == 120 * trainer.get("accumulate_grad_batches", 1)
    assert not {"accumulate_grad_batches", "gradient_clip_val"} & left.keys()


@pytest.mark.parametrize(
    ("model", "trainer"),
    [
        (VAE(network=Linear), {"precision": "16-mixed"}),
        (VAE(network=Linear), {"strategy": "fsdp"}),
        (OwnStep(network=Linear), {}),
        (OwnSchedule(network=Linear), {}),
    ],
)
def test_what_only_lightning_can_step_is_left_to_it(model, trainer):
    run = built(model, gradient_clip_val=1.0, **trainer)
    left = take_steps(config(), run)
    assert run.model.automatic_optimization
    assert (run.loader.burst, steps_at_once(run)) == (0, 1)
    assert left["gradient_clip_val"] == 1.0


@pytest.mark.parametrize(
    ("trainer", "said"),
    [
        ({"precision": "16-mixed"}, "precision is 16-mixed, which Lightning's own loop steps"),
        ({"strategy": "fsdp"}, "strategy is fsdp, .*: FactorVAE has 2"),
    ],
)
def test_several_updates_want_the_suites_own_steps(trainer, said):
    run = built(FactorVAE(network=Linear, width=8), **trainer)
    with pytest.raises(ValueError, match=said):
        take_steps(config(), run)


def test_a_callback_that_looks_into_a_step_sees_each_unless_the_run_is_fast():
    run = built(VAE(network=Linear), callbacks=[Looks()])
    take_steps(config(fast=False), run)
    assert run.model.automatic_optimization
    run = built(VAE(network=Linear), callbacks=[Looks(), Callback()])
    take_steps(config(fast=True), run)
    assert not run.model.automatic_optimization


def test_bad_numbers_are_refused():
    with pytest.raises(ValueError, match="accumulate_grad_batches is 0, but a number from 1"):
        take_steps(config(), built(VAE(network=Linear), accumulate_grad_batches=0))
    with pytest.raises(ValueError, match="by 'norm' or 'value', got 'length'"):
        Steps(1, 1.0, "length")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("events", "burst"),
    [
        ((1000, 50, 0, 0), 50),
        ((1000, 50, 25, 0), 25),
        ((7, 50, 0, 0), 1),
        ((60, 0, 0, 24), 12),
        ((5000, 5000, 0, 0), 100),  # signals wait for the end of a burst
        ((202, 0, 0, 0), 2),
    ],
)
def test_a_burst_divides_the_way_between_all_events(events, burst):
    told = Config(events=events)
    told.evaluate, told.pictures = Config(), Config()
    told.evaluate.every_n_steps, told.pictures.every_n_steps = events[2:]
    assert burst_of(cast(FitConfig, told)) == burst
