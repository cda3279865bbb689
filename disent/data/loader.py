# SPDX-License-Identifier: Apache-2.0
"""Batches by index gather, in an order that is a function of (seed, position) alone."""

from collections.abc import Iterator
from typing import Literal

import torch
from jaxtyping import Float, Int
from torch import Tensor

from disent.data.base import FactorDataset
from disent.streams import Stream

Sampling = Literal["iid", "shuffled"]


class FactorLoader:
    """Whole batches of pictures, gathered on the training device.

    There are no worker processes and no collation: a batch is `dataset.batch(indices)`. Which
    indices is a function of the settings below and of the position, so a resumed run draws what
    the uninterrupted one would have drawn, and ranks together draw what one rank alone would.

    Args:
        dataset: Pictures by flat index.
        batch_size: Pictures per batch, of all ranks together.
        sampling: "iid": uniform with replacement for ever, an epoch being only a count (Locatello
            et al., 2019). "shuffled": every epoch is a permutation; its last, partial batch is
            left out.
        seed: Seed of the order.
        index: The flat indices that may be drawn; None: the whole grid.
        device: Where the batches are made.
        rank: This process among `world_size`; it takes every world_size-th picture of each batch.
        world_size: Number of processes that train together.
    Attributes:
        position: Batches drawn since the start of training. It has moved past a batch before that
            batch is handed out. Setting it moves the loader.
    """

    def __init__(
        self,
        dataset: FactorDataset,
        *,
        batch_size: int,
        sampling: Sampling = "iid",
        seed: int = 0,
        index: Int[Tensor, "n"] | None = None,
        device: torch.device | str = "cpu",
        rank: int = 0,
        world_size: int = 1,
    ) -> None:
        points = len(dataset.grid)
        self.index = torch.arange(points) if index is None else _checked(index, points)
        _check(batch_size, sampling, len(self.index), rank, world_size)
        self.dataset, self.device = dataset, torch.device(device)
        self.batch_size, self.sampling, self.seed = batch_size, sampling, seed
        self.rank, self.world_size = rank, world_size
        self.position = 0
        self._stream = Stream(seed, f"{sampling} batches")
        self._shuffle = (-1, torch.empty(0, dtype=torch.int64))  # epoch, its permutation

    def __len__(self) -> int:
        """Batches per epoch."""
        return max(1, len(self.index) // self.batch_size)

    def __iter__(self) -> Iterator[Float[Tensor, "b c 64 64"]]:
        """Goes on from `position` to the end of its epoch."""
        end = (self.position // len(self) + 1) * len(self)
        while self.position < end:
            indices = self.indices(self.position)[self.rank :: self.world_size]
            batch = self.dataset.batch(indices.to(self.device))
            self.position += 1
            yield batch

    def indices(self, position: int) -> Int[Tensor, "b"]:
        """Flat indices of the batch at `position`, of all ranks together, on the CPU."""
        if self.sampling == "iid":
            draw = self._stream.integers(position, len(self.index), self.batch_size)
        else:
            epoch, batch = divmod(position, len(self))
            if self._shuffle[0] != epoch:
                self._shuffle = (epoch, self._stream.permutation(epoch, len(self.index)))
            draw = self._shuffle[1][batch * self.batch_size :][: self.batch_size]
        return self.index[draw]

    def state_dict(self) -> dict[str, int]:
        """The position; everything else follows from the arguments."""
        return {"position": self.position}

    def load_state_dict(self, state_dict: dict[str, int]) -> None:
        """Moves to the position of a `state_dict`."""
        self.position = state_dict["position"]


def _checked(index: Tensor, points: int) -> Int[Tensor, "n"]:
    """`index` as int64 on the CPU; ValueError unless it is a list of the grid's flat indices."""
    if index.ndim != 1 or index.dtype not in (torch.int64, torch.int32) or not len(index):
        raise ValueError(
            f"index has shape {list(index.shape)} and dtype {index.dtype}, but a non-empty list of "
            "flat indices (int64) is wanted. A mask becomes one by mask.nonzero().flatten()."
        )
    if int(index.min()) < 0 or int(index.max()) >= points:
        raise ValueError(
            f"index runs from {int(index.min())} to {int(index.max())}, but the grid's flat "
            f"indices run from 0 to {points - 1}. Take them from the grid of this dataset."
        )
    return index.to("cpu", torch.int64)


def _check(batch_size: int, sampling: str, points: int, rank: int, world_size: int) -> None:
    """Raises ValueError unless batches of this kind can be drawn from `points` pictures."""
    if sampling not in ("iid", "shuffled"):
        raise ValueError(f"sampling must be 'iid' or 'shuffled', got {sampling!r}.")
    if not 0 <= rank < world_size:
        raise ValueError(f"rank must be from 0 to world_size - 1 = {world_size - 1}, got {rank}.")
    if batch_size < 1 or batch_size % world_size:
        raise ValueError(
            f"batch_size is {batch_size}, but it counts the pictures of all {world_size} "
            f"processes together: choose a multiple of {world_size}, at least {world_size}."
        )
    if sampling == "shuffled" and points < batch_size:
        raise ValueError(
            f"batch_size is {batch_size}, but only {points} pictures may be drawn, and a shuffled "
            "epoch has whole batches only. Choose a smaller batch_size, or sampling 'iid'."
        )
