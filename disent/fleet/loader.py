# SPDX-License-Identifier: Apache-2.0
"""The batches and the noise of all members at once, each those of the member's own run."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from lightning.pytorch import LightningDataModule
from torch import Tensor

from disent.data.base import Batch
from disent.data.loader import FactorLoader
from disent.fleet.member import Member

AHEAD = 32  # steps drawn at once for an accelerator, so that the host seldom copies


class FleetBatch(NamedTuple):
    """A step of n members.

    Attributes:
        batch: Pictures [n, B, C, H, W], and what is known of them with n in front likewise.
        noise: Float[n, B, W].
    """

    batch: Batch
    noise: Float[Tensor, "n b w"]


class _Draws(NamedTuple):
    """What is drawn for a step: indices [n, B] of pictures, of second ones, and noise."""

    own: Int[Tensor, "n b"]
    other: Int[Tensor, "n b"] | None
    noise: Float[Tensor, "n b w"]


class FleetLoader:
    """Steps of n members: n batches of pictures, and the noise that goes with each.

    What a member gets at a position is what its run alone would get there. Members of one seed
    share the draw.

    Args:
        members: Of one dataset, batch size, and kind of batch.
        device: Where the batches are made.
        ahead: Steps to draw at once.
    Attributes:
        position: Steps drawn since the start of training, as in FactorLoader.
    """

    def __init__(self, members: Sequence[Member], device: torch.device, ahead: int = 1) -> None:
        self.device, self.ahead, self.position = device, ahead, 0
        first = members[0]
        dataset = first.data.dataset.to(device)
        self._orders = {m.data.seed: m.data.loader_for(m.model) for m in members}
        self._noises = {m.model.noise.seed: m.model.noise for m in members}
        self._seeds = [(m.data.seed, m.model.noise.seed) for m in members]
        self._width = sum(first.model.draws().values())
        self._made = FactorLoader(
            dataset, batch_size=first.data.batch_size, device=device, labels=first.model.labels
        )
        self._drawn: list[_Draws] = []
        self._drawn_from = 0

    @property
    def _first(self) -> FactorLoader:
        return next(iter(self._orders.values()))

    def __len__(self) -> int:
        """Steps per epoch, of which i.i.d. batches have none."""
        return len(self._first)

    def __iter__(self) -> Iterator[FleetBatch]:
        """Goes on from `position` to the end of its epoch."""
        end = (self.position // len(self) + 1) * len(self)
        while self.position < end:
            own, other, noise = self._at(self.position)
            second = None if other is None else other.flatten()
            whole = self._made.gather(own.flatten(), second)
            batch = whole.each(lambda rows, shape=own.shape: rows.unflatten(0, shape))
            self.position += 1
            yield FleetBatch(batch, noise)

    def _at(self, position: int) -> _Draws:
        """What one step draws; draws for the steps after it too."""
        k = position - self._drawn_from
        if not 0 <= k < len(self._drawn):
            block = [self._draw(position + i) for i in range(self.ahead)]
            self._drawn, self._drawn_from, k = self._moved(block), position, 0
        return self._drawn[k]

    def _draw(self, position: int) -> _Draws:
        own = {seed: order.indices(position) for seed, order in self._orders.items()}
        other = {
            seed: order.second(position, own[seed])
            for seed, order in self._orders.items()
            if order.second is not None
        }
        shape = (self._first.batch_size, self._width)
        noise = {seed: stream.normal(position, shape) for seed, stream in self._noises.items()}
        return _Draws(
            torch.stack([own[seed] for seed, _ in self._seeds]),
            torch.stack([other[seed] for seed, _ in self._seeds]) if other else None,
            torch.stack([noise[seed] for _, seed in self._seeds]),
        )

    def _moved(self, block: list[_Draws]) -> list[_Draws]:
        """The same where batches are made; to an accelerator in one copy of each kind."""
        if self.device.type == "cpu":
            return block
        columns = []
        for parts in zip(*block, strict=True):
            if parts[0] is None:
                columns.append([None] * len(block))
                continue
            whole = torch.stack(parts)
            whole = whole.pin_memory() if self.device.type == "cuda" else whole
            columns.append(whole.to(self.device, non_blocking=True).unbind())
        return [_Draws(*row) for row in zip(*columns, strict=True)]

    def state_dict(self) -> dict[str, int]:
        """Nothing, as of FactorLoader."""
        return {}

    def load_state_dict(self, state_dict: dict[str, int]) -> None:
        """Nothing, as of FactorLoader."""


class FleetData(LightningDataModule):
    """The steps of a fleet, on the device of the trainer.

    Args:
        members: Of one dataset, batch size, and kind of batch.
    """

    def __init__(self, members: Sequence[Member]) -> None:
        super().__init__()
        self.members = members
        self._start, self._loader = 0, None

    @property
    def position(self) -> int:
        """Steps drawn since the start of training."""
        return self._start if self._loader is None else self._loader.position

    def train_dataloader(self) -> FleetLoader:
        """Steps from `position` on."""
        device = torch.device("cpu")
        if self.trainer is not None:
            device = self.trainer.strategy.root_device
        loader = FleetLoader(self.members, device, 1 if device.type == "cpu" else AHEAD)
        loader.position = self.position
        self._loader: FleetLoader | None = loader
        return loader

    def transfer_batch_to_device(
        self, batch: FleetBatch, device: torch.device, dataloader_idx: int
    ) -> FleetBatch:
        """Nothing is left to move."""
        return batch

    def state_dict(self) -> dict[str, int]:
        """The position; everything else follows from the members."""
        return {"position": self.position}

    def load_state_dict(self, state_dict: dict[str, int]) -> None:
        """Goes to the checkpoint's position."""
        self._start, self._loader = state_dict["position"], None
