# SPDX-License-Identifier: Apache-2.0
"""A model that shows which batches it was trained on, and a quiet trainer for it."""

from typing import Any

import torch
from lightning.pytorch import Callback, LightningModule, Trainer
from lightning.pytorch.callbacks import ModelCheckpoint

from disent.data.datamodule import FactorDataModule
from tests.data.tiny import Tiny, indices_of

STEPS = 18  # batches: three epochs of Tiny in batches of 8


class Probe(LightningModule):
    """Learns something that depends on every batch in its turn, and notes what it was given."""

    def __init__(self) -> None:
        super().__init__()
        with torch.random.fork_rng():
            torch.manual_seed(0)
            self.layer = torch.nn.Linear(4096, 2)
        self.seen: list[list[int]] = []
        self.batch_idx: list[int] = []

    def training_step(self, x, batch_idx):
        self.seen.append(indices_of(x))
        self.batch_idx.append(batch_idx)
        return (self.layer(x.flatten(1)).tanh() - x.mean((1, 2, 3))[:, None]).square().mean()

    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters(), lr=0.01)


def module(sampling="iid", **settings) -> FactorDataModule:
    return FactorDataModule(Tiny(), **({"batch_size": 8, "sampling": sampling} | settings))


def make_trainer(*callbacks: Callback, max_steps: int = STEPS, **settings: Any) -> Trainer:
    return Trainer(
        accelerator="cpu",
        callbacks=list(callbacks),
        max_steps=max_steps,
        logger=False,
        enable_checkpointing=any(isinstance(c, ModelCheckpoint) for c in callbacks),
        enable_progress_bar=False,
        enable_model_summary=False,
        **settings,
    )


def fit(data: FactorDataModule, *callbacks: Callback, ckpt_path=None, **settings) -> Probe:
    model, trainer = Probe(), make_trainer(*callbacks, **settings)
    trainer.fit(model, data, ckpt_path=ckpt_path, weights_only=True)
    return model
