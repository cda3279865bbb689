# SPDX-License-Identifier: Apache-2.0
"""Batches by index gather, in an order that is a function of (seed, position) alone."""

from collections.abc import Iterator
from typing import Literal

import torch
from jaxtyping import Float, Int
from torch import Tensor

from disent.data.base import Batch, PictureDataset
from disent.data.correlated import WeightedDraw
from disent.data.views import SecondView
from disent.streams import Stream

Sampling = Literal["iid", "shuffled"]
ENDLESS = 2**62  # batches: more than are ever drawn; Lightning wants a number


class FactorLoader:
    """Whole batches of pictures, gathered on the training device.

    There are no worker processes and no collation: a batch is `dataset.batch(indices)`. Which
    indices is a function of the settings below and of the position, so a resumed run draws what
    the uninterrupted one would have drawn, and ranks together draw what one rank alone would.

    Args:
        dataset: Pictures by flat index.
        batch_size: Pictures per batch, of all ranks together.
        sampling: "iid": uniform with replacement for ever, without epochs (Locatello et al., 2019).
            "shuffled": every epoch is a permutation; its last, partial batch is left out.
        seed: Seed of the order.
        index: The flat indices that may be drawn; None: all.
        weights: How likely each of these is, of any sum, for "iid"; None: all alike.
        device: Where the batches are made.
        rank: This process among `world_size`; it takes every world_size-th picture of each batch.
        world_size: Number of processes that train together.
        second: Which pictures go with those of a batch; None: none.
        labels: Whether factors or labels come with the pictures.
    Attributes:
        position: Batches drawn since the start of training. It has moved past a batch before that
            batch is handed out. Setting it moves the loader.
    """

    def __init__(
        self,
        dataset: PictureDataset,
        *,
        batch_size: int,
        sampling: Sampling = "iid",
        seed: int = 0,
        index: Int[Tensor, "n"] | None = None,
        weights: Float[Tensor, "n"] | None = None,
        device: torch.device | str = "cpu",
        rank: int = 0,
        world_size: int = 1,
        second: SecondView | None = None,
        labels: bool = False,
    ) -> None:
        points = len(dataset)
        self.index = torch.arange(points) if index is None else _checked(index, points)
        _check(batch_size, sampling, len(self.index), rank, world_size)
        _check_weights(weights, sampling, len(self.index))
        self.dataset, self.device = dataset, torch.device(device)
        self.batch_size, self.sampling, self.seed = batch_size, sampling, seed
        self.rank, self.world_size = rank, world_size
        self.second, self.labels = second, labels
        self.position = 0
        self._stream = Stream(seed, f"{sampling} batches")
        self._weighted = None if weights is None else WeightedDraw(weights)
        self._shuffle = (-1, torch.empty(0, dtype=torch.int64))  # epoch, its permutation

    @property
    def epoch(self) -> int:
        """Batches in which a shuffled order runs through all pictures."""
        return max(1, len(self.index) // self.batch_size)

    def __len__(self) -> int:
        """Batches per epoch; i.i.d. batches never end."""
        return ENDLESS if self.sampling == "iid" else self.epoch

    def __iter__(self) -> Iterator[Batch | Tensor]:
        """Goes on from `position` to the end of its epoch; pictures alone where that is all."""
        end = (self.position // len(self) + 1) * len(self)
        while self.position < end:
            batch = self.at(self.position)
            self.position += 1
            yield batch if self.labels or self.second else batch.x

    def at(self, position: int) -> Batch:
        """This rank's share of the batch at a position."""
        own = self.indices(position)
        other = None if self.second is None else self.second(position, own)
        mine = slice(self.rank, None, self.world_size)
        own, other = own[mine], None if other is None else other[mine].to(self.device)
        return self.gather(own.to(self.device), other)

    def gather(self, own: Int[Tensor, "b"], other: Int[Tensor, "b"] | None = None) -> Batch:
        """The pictures at indices that lie where batches are made."""
        second = None if other is None else self._batch(other)
        return self._batch(own)._replace(other=second)

    def _batch(self, index: Int[Tensor, "b"]) -> Batch:
        return self.dataset.at(index) if self.labels else Batch(self.dataset.batch(index))

    def indices(self, position: int) -> Int[Tensor, "b"]:
        """Flat indices of the batch at `position`, of all ranks together, on the CPU."""
        if self._weighted is not None:
            draw = self._weighted(self._stream.at(position).random(self.batch_size))
        elif self.sampling == "iid":
            draw = self._stream.integers(position, len(self.index), self.batch_size)
        else:
            epoch, batch = divmod(position, self.epoch)
            if self._shuffle[0] != epoch:
                self._shuffle = (epoch, self._stream.permutation(epoch, len(self.index)))
            draw = self._shuffle[1][batch * self.batch_size :][: self.batch_size]
        return self.index[draw]

    def state_dict(self) -> dict[str, int]:
        """Nothing: the DataModule keeps the position. Lightning asks whether there is a state."""
        return {}

    def load_state_dict(self, state_dict: dict[str, int]) -> None:
        """Nothing: the DataModule has moved the loader."""


def _checked(index: Tensor, points: int) -> Int[Tensor, "n"]:
    """`index` as int64 on the CPU; ValueError unless it is a list of the dataset's indices."""
    if index.ndim != 1 or index.dtype not in (torch.int64, torch.int32) or not len(index):
        raise ValueError(
            f"index has shape {list(index.shape)} and dtype {index.dtype}, but a non-empty list of "
            "flat indices (int64) is wanted. A mask becomes one by mask.nonzero().flatten()."
        )
    if int(index.min()) < 0 or int(index.max()) >= points:
        raise ValueError(
            f"index runs from {int(index.min())} to {int(index.max())}, but the dataset's "
            f"indices run from 0 to {points - 1}. Take them from this dataset."
        )
    return index.to("cpu", torch.int64)


def _check_weights(weights: Tensor | None, sampling: str, points: int) -> None:
    """Raises ValueError unless there are none, or one for each of `points` pictures of "iid"."""
    if weights is None:
        return
    if sampling != "iid":
        raise ValueError(
            f"sampling is {sampling!r}, but an epoch that holds every picture once has no weights: "
            "correlated factors want sampling 'iid'."
        )
    if weights.shape != (points,):
        raise ValueError(
            f"weights has shape {list(weights.shape)}, but [{points}] is wanted: one for each "
            "picture that may be drawn."
        )
    wrong = ~weights.isfinite() | (weights < 0)
    if bool(wrong.any()):
        raise ValueError(
            f"{int(wrong.sum())} of {points} weights are negative or not finite, the first "
            f"{float(weights[wrong][0])}. Finite numbers of at least 0 are wanted."
        )


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
