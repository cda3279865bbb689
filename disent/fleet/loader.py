# SPDX-License-Identifier: Apache-2.0
"""The batches and the noise of all members at once, each those of the member's own run."""

from collections.abc import Iterator, Sequence

import torch
from jaxtyping import Float, Int
from lightning.pytorch import LightningDataModule
from torch import Tensor

from disent.data.datamodule import FactorDataModule
from disent.data.loader import FactorLoader
from disent.fleet.member import Member

AHEAD = 32  # steps drawn at once for an accelerator, so that the host seldom copies

Batch = tuple[Float[Tensor, "n b c 64 64"], Float[Tensor, "n b d"]]


class FleetLoader:
    """Steps of n members: n batches of pictures, and the noise that goes with each.

    What a member gets at a position is what its run alone would get there. Members of one seed
    share the draw.

    Args:
        members: Of one dataset, batch size and number of latents.
        device: Where the batches are made.
        ahead: Steps to draw at once.
    Attributes:
        position: Steps drawn since the start of training, as in FactorLoader.
    """

    def __init__(self, members: Sequence[Member], device: torch.device, ahead: int = 1) -> None:
        self.device, self.ahead, self.position = device, ahead, 0
        self.dataset = members[0].data.dataset.to(device)
        self._loaders = {m.data.seed: _order_of(m.data) for m in members}
        self._noises = {m.model.noise.seed: m.model.noise for m in members}
        self._seeds = [(m.data.seed, m.model.noise.seed) for m in members]
        self._latents = members[0].model.latent_dim
        self._drawn = (0, (torch.empty(0), torch.empty(0)))  # position, block

    @property
    def _first(self) -> FactorLoader:
        return next(iter(self._loaders.values()))

    def __len__(self) -> int:
        """Steps per epoch."""
        return len(self._first)

    def __iter__(self) -> Iterator[Batch]:
        """Goes on from `position` to the end of its epoch."""
        end = (self.position // len(self) + 1) * len(self)
        while self.position < end:
            indices, noise = self._at(self.position)
            pictures = self.dataset.batch(indices.flatten())
            self.position += 1
            yield pictures.unflatten(0, indices.shape), noise

    def _at(self, position: int) -> tuple[Int[Tensor, "n b"], Float[Tensor, "n b d"]]:
        """Flat indices and noise of one step; draws the steps after it too."""
        start, (indices, noise) = self._drawn
        if not start <= position < start + len(indices):
            start = position
            block = [self._draw(position + i) for i in range(self.ahead)]
            indices, noise = (self._moved(torch.stack(part)) for part in zip(*block, strict=True))
            self._drawn = (start, (indices, noise))
        return indices[position - start], noise[position - start]

    def _draw(self, position: int) -> tuple[Int[Tensor, "n b"], Float[Tensor, "n b d"]]:
        indices = {seed: loader.indices(position) for seed, loader in self._loaders.items()}
        shape = (self._first.batch_size, self._latents)
        noise = {seed: stream.normal(position, shape) for seed, stream in self._noises.items()}
        return (
            torch.stack([indices[seed] for seed, _ in self._seeds]),
            torch.stack([noise[seed] for _, seed in self._seeds]),
        )

    def _moved(self, drawn: Tensor) -> Tensor:
        if self.device.type == "cuda":
            return drawn.pin_memory().to(self.device, non_blocking=True)
        return drawn.to(self.device)

    def state_dict(self) -> dict[str, int]:
        """The position; everything else follows from the members."""
        return {"position": self.position}

    def load_state_dict(self, state_dict: dict[str, int]) -> None:
        """Moves to the position of a `state_dict`."""
        self.position = state_dict["position"]


class FleetData(LightningDataModule):
    """The steps of a fleet, on the device of the trainer.

    Args:
        members: Of one dataset, batch size and number of latents.
    """

    def __init__(self, members: Sequence[Member]) -> None:
        super().__init__()
        self.members, self.position = members, 0

    def train_dataloader(self) -> FleetLoader:
        """Steps from `position` on."""
        device = torch.device("cpu")
        if self.trainer is not None:
            device = self.trainer.strategy.root_device
        loader = FleetLoader(self.members, device, 1 if device.type == "cpu" else AHEAD)
        loader.position = self.position
        return loader

    def transfer_batch_to_device(
        self, batch: Batch, device: torch.device, dataloader_idx: int
    ) -> Batch:
        """Nothing is left to move."""
        return batch

    def load_state_dict(self, state_dict: dict[str, int]) -> None:
        """Goes to the checkpoint's position."""
        self.position = state_dict["position"]


def _order_of(data: FactorDataModule) -> FactorLoader:
    """A loader that is asked for indices alone."""
    return FactorLoader(
        data.dataset,
        batch_size=data.batch_size,
        sampling=data.sampling,
        seed=data.seed,
        index=data.train_index,
    )
