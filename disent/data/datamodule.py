# SPDX-License-Identifier: Apache-2.0
"""Any dataset of factors as a LightningDataModule whose checkpoints hold the place in the data."""

import warnings
from typing import Any

import torch
from jaxtyping import Int
from lightning.pytorch import LightningDataModule
from torch import Tensor

from disent.data import splits
from disent.data.base import FactorDataset
from disent.data.bursts import BurstLoader
from disent.data.loader import FactorLoader, Sampling


class FactorDataModule(LightningDataModule):
    """Training batches from a dataset of factors, on the device of the trainer.

    A run that is interrupted after any batch and resumed from its checkpoint draws the batches
    that it would have drawn without the interruption, also on another number of devices. Save
    checkpoints between batches (Callback.on_train_batch_end or later), not inside a step.

    Args:
        dataset: Pictures by flat index.
        batch_size: Pictures per step, of all devices together.
        sampling: "iid": uniform with replacement for ever; "shuffled": a permutation per epoch.
        held_out: Condition on the factors of the pictures that are never trained on, such as
            "12 <= pos_x < 20"; None trains on all. Its language: disent.data.splits.held_out.
        seed: Seed of the order of batches; on the command line, --seed_everything.
    Attributes:
        burst: Steps whose batches are handed out at once, see BurstLoader; 0: none. Set before fit.
        train_index: Int[n], flat indices that are trained on, ascending.
        held_out_index: Int[m], the other flat indices, ascending.
    """

    train_index: Int[Tensor, "n"]
    held_out_index: Int[Tensor, "m"]

    def __init__(
        self,
        dataset: FactorDataset,
        batch_size: int = 64,
        sampling: Sampling = "iid",
        held_out: str | None = None,
        seed: int = 0,
    ) -> None:
        super().__init__()
        self.dataset, self.batch_size, self.seed = dataset, batch_size, seed
        self.sampling: Sampling = sampling
        self.held_out, self.burst = held_out, 0
        mask = torch.zeros(len(dataset.grid), dtype=torch.bool)
        if held_out is not None:
            mask = splits.held_out(dataset.grid, held_out)
        self.train_index = (~mask).nonzero().flatten()
        self.held_out_index = mask.nonzero().flatten()
        self._loader = self._make_loader(torch.device("cpu"), 0, 1)  # complains now, not in fit

    @property
    def position(self) -> int:
        """Batches drawn since the start of training."""
        return self._loader.position

    def setup(self, stage: str) -> None:
        """A new training starts from the first batch; one that goes on keeps its place."""
        if stage == "fit" and self.trainer is not None and self.trainer.global_step == 0:
            self._loader.position = 0

    def train_dataloader(self) -> FactorLoader | BurstLoader:
        """Batches from `position` on, on the device and for the rank of the trainer, if any."""
        device, rank, world_size = torch.device("cpu"), 0, 1
        if self.trainer is not None:
            overfit = getattr(self.trainer, "overfit_batches", 0)
            if overfit:
                raise ValueError(
                    f"overfit_batches is {overfit}, but this data never "
                    "repeats a batch. To train on few pictures, hold out the others: "
                    '--loader.held_out "CONDITION".'
                )
            device = self.trainer.strategy.root_device
            rank, world_size = self.trainer.global_rank, self.trainer.world_size
        self.dataset = self.dataset.to(device)
        loader = self._make_loader(device, rank, world_size)
        loader.position = self.position
        self._loader = loader
        if self.burst:
            steps = self.trainer.max_steps if self.trainer is not None else -1
            return BurstLoader(loader, self.burst, steps if steps > 0 else None)
        return loader

    def state_dict(self) -> dict[str, Any]:
        """The position, and the settings that it makes sense with."""
        if self.trainer is not None:
            batches = self.trainer.fit_loop.epoch_loop.batch_progress.current.state_dict()
            if batches["ready"] != batches["processed"]:
                warnings.warn(
                    "this checkpoint is being saved inside a training step: a run resumed from it "
                    "skips that step's batch. Save in on_train_batch_end instead.",
                    stacklevel=2,
                )
        return {"position": self.position, **self._settings()}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Goes to the checkpoint's position; refuses to train on in another order."""
        if self.trainer is not None and not self.trainer.training:
            return  # a checkpoint may be evaluated under other settings
        saved = {name: state_dict.get(name) for name in self._settings()}
        other = {name for name, value in self._settings().items() if saved[name] != value}
        if other - {"dataset"}:
            settings = self._settings()
            raise ValueError(
                "the checkpoint was saved with "
                + ", ".join(f"{name}={saved[name]!r}" for name in sorted(other))
                + ", but this run has "
                + ", ".join(f"{name}={settings[name]!r}" for name in sorted(other))
                + ". Training would go on with other batches than it began with: take the "
                "checkpoint's settings, or start a new run."
            )
        if other:
            warnings.warn(
                f"the checkpoint was trained on {saved['dataset']}, and goes on with "
                f"{self.dataset.fingerprint}. If the pictures differ, so does the run.",
                stacklevel=2,
            )
        self._loader.position = state_dict["position"]

    def _settings(self) -> dict[str, Any]:
        return {
            "seed": self.seed,
            "batch_size": self.batch_size,
            "sampling": self.sampling,
            "held_out": self.held_out,
            "dataset": self.dataset.fingerprint,
        }

    def _make_loader(self, device: torch.device, rank: int, world_size: int) -> FactorLoader:
        return FactorLoader(
            self.dataset,
            batch_size=self.batch_size,
            sampling=self.sampling,
            seed=self.seed,
            index=self.train_index,
            device=device,
            rank=rank,
            world_size=world_size,
        )
