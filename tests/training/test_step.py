# SPDX-License-Identifier: Apache-2.0
"""Many steps at once are the steps one by one."""

import pytest
import torch
from lightning.pytorch import Callback, Trainer

from disent.data import DSprites, FactorDataModule
from disent.models import VAE, AnnealedVAE
from disent.models.hooks import pictures_of_step
from disent.networks import MLP, Burgess2018
from disent.training.step import Steps
from tests.tiny import Squares

MODELS = {"conv": Burgess2018, "dense": lambda c, d, o: MLP(c, d, o, hidden=[16])}


class Heard(Callback):
    """Which steps the callbacks see, and what is logged there."""

    def __init__(self) -> None:
        self.steps: list[int] = []
        self.logged: dict[int, dict[str, float]] = {}

    def on_train_batch_end(self, trainer, pl_module, outputs, batch, batch_idx) -> None:
        self.steps.append(trainer.global_step)
        assert pictures_of_step(trainer, batch) == 16
        if trainer.global_step % 5 == 0:
            now = {name: float(value) for name, value in trainer.callback_metrics.items()}
            self.logged[trainer.global_step] = now


def train(burst: int, network: str, precision: str, steps: int = 13) -> tuple[VAE, Heard]:
    model = AnnealedVAE(network=MODELS[network], anneal_steps=10, lr=1e-3, optimizer="adam")
    data, heard = FactorDataModule(Squares(), 16, "shuffled"), Heard()
    if burst:
        data.burst, data.train, data.until = burst, Steps(), steps
        model.automatic_optimization = False
    trainer = Trainer(
        accelerator="cpu",
        max_steps=steps,
        max_epochs=-1,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        log_every_n_steps=5,
        precision=precision,  # pyright: ignore[reportArgumentType]
        callbacks=[heard],
    )
    trainer.fit(model, datamodule=data)
    assert trainer.global_step == steps
    return model, heard


@pytest.mark.parametrize("precision", ["32-true", "bf16-mixed"])
@pytest.mark.parametrize("network", MODELS)
def test_bursts_give_the_weights_and_the_log_of_single_steps(network, precision):
    single, heard = train(0, network, precision)
    burst, seldom = train(5, network, precision)
    assert heard.steps == list(range(1, 14))
    assert seldom.steps == [5, 10, 13]
    assert seldom.logged == heard.logged
    for a, b in zip(single.parameters(), burst.parameters(), strict=True):
        assert torch.equal(a, b)


def test_a_burst_ends_at_the_first_loss_that_is_not_finite():
    class Breaks(AnnealedVAE):
        def step_loss(self, batch, noise, step):
            loss, told = super().step_loss(batch, noise, step)
            return (loss * float("nan") if step == 7 else loss), told

    model, data = Breaks(network=MODELS["dense"]), FactorDataModule(Squares(), 16)
    data.burst, data.train = 5, Steps()
    model.automatic_optimization = False
    heard = Heard()
    heard.on_train_batch_end = lambda trainer, model, outputs, batch, batch_idx: (  # type: ignore[method-assign]
        heard.steps.append(trainer.global_step)
    )
    trainer = Trainer(
        accelerator="cpu", max_steps=10, logger=False, callbacks=[heard], barebones=False,
        enable_checkpointing=False, enable_progress_bar=False, enable_model_summary=False,
    )  # fmt: skip
    trainer.fit(model, datamodule=data)
    assert heard.steps[:2] == [5, 8]


@pytest.mark.skipif(not torch.cuda.is_available(), reason="wants a GPU")
def test_a_captured_step_learns_what_single_steps_learn():
    def losses(burst: int) -> list[float]:
        model, data = AnnealedVAE(network=Burgess2018, lr=1e-3), FactorDataModule(DSprites())
        heard = []

        class Loss(Callback):
            def on_train_batch_end(self, trainer, pl_module, outputs, batch, batch_idx) -> None:
                if trainer.global_step % 20 == 0:
                    heard.append(float(trainer.callback_metrics["loss"]))

        if burst:
            data.burst, data.train = burst, Steps(captured=True)
            model.automatic_optimization = False
        trainer = Trainer(
            accelerator="gpu", devices=1, max_steps=200, logger=False, callbacks=[Loss()],
            enable_checkpointing=False, enable_progress_bar=False, enable_model_summary=False,
            log_every_n_steps=20,
        )  # fmt: skip
        trainer.fit(model, datamodule=data)
        return heard

    torch.testing.assert_close(losses(20), losses(0), rtol=1e-2, atol=1.0)
