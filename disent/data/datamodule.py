# SPDX-License-Identifier: Apache-2.0
"""Any dataset as a LightningDataModule whose checkpoints hold the place in the data."""

import warnings
from typing import Any

import torch
from jaxtyping import Float, Int
from lightning.pytorch import LightningDataModule, Trainer
from lightning.pytorch.callbacks import Timer
from torch import Tensor

from disent import internals
from disent.data import splits
from disent.data.base import PictureDataset
from disent.data.bursts import BurstLoader, Train
from disent.data.correlated import picture_weights
from disent.data.loader import FactorLoader, Sampling
from disent.data.views import SecondView


class FactorDataModule(LightningDataModule):
    """Training batches from a dataset, on the device of the trainer.

    A run that is interrupted after any batch and resumed from its checkpoint draws the batches
    that it would have drawn without the interruption, also on another number of devices. Save
    checkpoints between batches (Callback.on_train_batch_end or later), not inside a step.

    Args:
        dataset: Pictures by flat index.
        batch_size: Pictures per step, of all devices together.
        sampling: "iid": uniform with replacement for ever, without epochs; "shuffled": a
            permutation per epoch.
        held_out: Condition on the factors of the pictures that are never trained on, such as
            "12 <= pos_x < 20", or the name of a split, such as "schott:extrapolation"; None trains
            on all. Its language: disent.data.splits.held_out.
        correlated: Two factors of a grid that go together in training, and how loosely, such as
            "pos_x ~ pos_y : 0.2"; None: every picture is as likely. What it says:
            disent.data.correlated.correlation_weights. Scores stay those of the whole grid.
        seed: Seed of the order of batches; on the command line, --seed_everything.
    Attributes:
        burst: Batches that are handed out at once, see BurstLoader; 0: none. Set before fit.
        train: How a model takes the steps of a burst. Set before fit.
        until: Batches of the whole training, at which a burst ends; None: unknown. Set before fit.
        train_index: Int[n], flat indices that are trained on, ascending.
        held_out_index: Int[m], the other flat indices, ascending.
    """

    train_index: Int[Tensor, "n"]
    held_out_index: Int[Tensor, "m"]

    def __init__(
        self,
        dataset: PictureDataset,
        batch_size: int = 64,
        sampling: Sampling = "iid",
        held_out: str | None = None,
        seed: int = 0,
        correlated: str | None = None,
    ) -> None:
        super().__init__()
        self.dataset, self.batch_size, self.seed = dataset, batch_size, seed
        self.sampling: Sampling = sampling
        self.held_out, self.correlated, self.burst = held_out, correlated, 0
        self.until: int | None = None
        self.train: Train | None = None
        mask = torch.zeros(len(dataset), dtype=torch.bool)
        if held_out is not None:
            mask = splits.held_out_pictures(dataset, held_out)
        self.train_index = (~mask).nonzero().flatten()
        self.held_out_index = mask.nonzero().flatten()
        self._weights: Float[Tensor, "n"] | None = None
        if correlated is not None:
            self._weights = picture_weights(dataset, correlated)[self.train_index]
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
            self._check(self.trainer)
            device = self.trainer.strategy.root_device
            rank, world_size = self.trainer.global_rank, self.trainer.world_size
        self.dataset = self.dataset.to(device)
        loader = self._make_loader(device, rank, world_size)
        loader.position = self.position
        self._loader = loader
        return BurstLoader(loader, self.burst, self.until, self.train) if self.burst else loader

    def _check(self, trainer: Trainer) -> None:
        """Raises ValueError for what counts epochs where there are none, or shortens a step."""
        overfit, parts = getattr(trainer, "overfit_batches", 0), trainer.accumulate_grad_batches
        if overfit:
            raise ValueError(
                f"overfit_batches is {overfit}, but this data never "
                "repeats a batch. To train on few pictures, hold out the others: "
                '--loader.held_out "CONDITION".'
            )
        if self.burst:
            return
        ends = trainer.max_steps != -1 or isinstance(trainer.limit_train_batches, int)
        timers: list[Any] = trainer.callbacks  # pyright: ignore[reportAttributeAccessIssue]
        ends = ends or any(isinstance(each, Timer) for each in timers)  # max_time
        if self.sampling == "iid" and not ends and (trainer.max_epochs or 0) >= 0:
            raise ValueError(
                f"max_epochs is {trainer.max_epochs}, but i.i.d. batches have no epochs: the "
                "training would never end. Say max_steps instead, or sampling 'shuffled'."
            )
        epoch = self._loader.epoch
        if self.sampling == "shuffled" and epoch % parts:
            raise ValueError(
                f"accumulate_grad_batches is {parts}, but a shuffled epoch has {epoch} batches, so "
                f"that its last step would be of {epoch % parts}: choose a divisor of {epoch}, or "
                "sampling 'iid'."
            )

    def state_dict(self) -> dict[str, Any]:
        """The position, and the settings that it makes sense with."""
        if self.trainer is not None and internals.is_inside_step(self.trainer):
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
            "correlated": self.correlated,
            "dataset": self.dataset.fingerprint,
        }

    def _make_loader(self, device: torch.device, rank: int, world_size: int) -> FactorLoader:
        model = None if self.trainer is None else self.trainer.lightning_module
        return self.loader_for(model, device, rank, world_size)

    def loader_for(
        self, model: Any, device: torch.device | str = "cpu", rank: int = 0, world_size: int = 1
    ) -> FactorLoader:
        """Batches as a model asks for them: with labels, with a second view, or pictures alone."""
        kind, second = next(iter(getattr(model, "views", ())[1:]), None), None
        if kind is not None:
            changed = getattr(model, "changed_factors", 1)
            second = SecondView(
                kind, self.dataset, self.train_index, self.seed, changed, self._weights
            )
        labels = bool(getattr(model, "labels", False))
        if labels and self.dataset.factors(self.train_index[:1]) is None:
            raise ValueError(
                f"{type(model).__name__} wants labels, but {type(self.dataset).__name__} has none: "
                "take a dataset with labels or factors."
            )
        return FactorLoader(
            self.dataset,
            batch_size=self.batch_size,
            sampling=self.sampling,
            seed=self.seed,
            index=self.train_index,
            weights=self._weights,
            device=device,
            rank=rank,
            world_size=world_size,
            second=second,
            labels=labels,
        )
