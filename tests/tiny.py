# SPDX-License-Identifier: Apache-2.0
"""A dataset small enough for every test: white squares of two sizes at 8 x 8 places."""

import time
from collections.abc import Callable
from typing import Literal

import torch
from jaxtyping import Int, UInt8
from lightning.pytorch import Callback, Trainer
from torch import Tensor

from disent.data.base import FactorDataset
from disent.grid import FactorGrid
from disent.likelihoods.base import Likelihood
from disent.models import VAE
from disent.networks import Linear
from disent.networks.base import Network
from disent.objectives import BetaELBO
from disent.objectives.base import Terms


class Squares(FactorDataset):
    """128 pictures of 64 x 64: a square of 8 or 16 pixels whose corner moves by 6 pixels."""

    grid = FactorGrid(("size", "pos_x", "pos_y"), (2, 8, 8))
    channels = 1

    @property
    def fingerprint(self) -> str:
        return "squares-of-the-tests"

    def images(self, index: Int[Tensor, "b"]) -> UInt8[Tensor, "b c 64 64"]:
        size, x, y = self.grid.factors(index).T[:, :, None, None]
        pixels = torch.arange(64, device=index.device)
        side = 8 * (size + 1)
        columns = (pixels >= 6 * x) & (pixels < 6 * x + side)
        rows = (pixels[:, None] >= 6 * y) & (pixels[:, None] < 6 * y + side)
        return (255 * (rows & columns)[:, None]).to(torch.uint8)


class _BreaksAt30(BetaELBO):
    """The ELBO; nan from step 30 on."""

    def forward(self, terms: Terms, step: int | Tensor) -> Tensor:
        late = torch.as_tensor(step) >= 29
        return super().forward(terms, step) + torch.where(late, torch.nan, 0.0)


class Breaks(VAE):
    """A VAE whose loss becomes nan at step 30."""

    def __init__(
        self,
        network: Callable[[int, int, int], Network] = Linear,
        latent_dim: int = 10,
        channels: int = 1,
        likelihood: Likelihood | None = None,
        optimizer: Literal["adam", "adagrad"] = "adam",
        lr: float = 1e-4,
        seed: int = 0,
    ) -> None:
        goal = _BreaksAt30()
        super().__init__(goal, network, latent_dim, channels, likelihood, optimizer, lr, seed)


class Slow(Callback):
    """Makes a run slow enough to be stopped in the middle."""

    def on_train_batch_start(
        self, trainer: object, pl_module: object, batch: object, batch_idx: int
    ) -> None:
        time.sleep(0.05)


class Slower(Callback):
    """Makes a run of 60 steps last more than a minute."""

    def on_train_batch_start(
        self, trainer: object, pl_module: object, batch: object, batch_idx: int
    ) -> None:
        time.sleep(1.2)


class BreaksOnRankOne(Callback):
    """Fails at the third step, but on the second rank only."""

    def on_train_batch_start(
        self, trainer: Trainer, pl_module: object, batch: object, batch_idx: int
    ) -> None:
        if trainer.global_rank == 1 and trainer.global_step == 3:
            raise RuntimeError("the second rank was told to fail")
