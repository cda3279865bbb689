# SPDX-License-Identifier: Apache-2.0
"""Batches of many steps at once, so that a trainer need not be asked between them."""

from collections.abc import Callable, Iterator
from typing import Any

import torch
from jaxtyping import Int
from torch import Tensor

from disent.data.base import Batch
from disent.data.loader import ENDLESS, FactorLoader

Train = Callable[[Any, "Burst"], Any]  # (model, burst) -> what a training step gives


class Burst:
    """The batches of consecutive positions, each made when its turn comes.

    Args:
        loader: Which batches, and where they are made.
        positions: First, and one past the last.
        train: How a model takes the steps that these batches are for.
    Attributes:
        indices: Int[n, b], flat indices of this rank's share of each batch, where it is made.
        taken_by: `train`.
    """

    def __init__(self, loader: FactorLoader, positions: range, train: Train | None = None) -> None:
        self._loader, self.taken_by = loader, train
        whole = torch.stack([loader.indices(position) for position in positions])
        self.indices: Int[Tensor, "n b"] = self._mine(whole)
        self._others: Int[Tensor, "n b"] | None = None
        if loader.second is not None:
            pairs = zip(positions, whole, strict=True)
            self._others = self._mine(torch.stack([loader.second(p, own) for p, own in pairs]))
        self._last: Batch | None = None

    def _mine(self, whole: Tensor) -> Tensor:
        loader = self._loader
        return whole[:, loader.rank :: loader.world_size].to(loader.device)

    def __len__(self) -> int:
        """Pictures of a batch, as this rank has them."""
        return self.indices.shape[1]

    def __iter__(self) -> Iterator[Batch]:
        """Each batch in its turn; on a GPU all pictures are made at once."""
        n, others = len(self.indices), self._others
        if self.indices.device.type == "cuda":
            second = None if others is None else others.flatten()
            whole = self._loader.gather(self.indices.flatten(), second)
            for k in range(n):
                self._last = whole.each(lambda rows, k=k: rows.view(n, -1, *rows.shape[1:])[k])
                yield self._last
            return
        for k in range(n):
            self._last = self._loader.gather(self.indices[k], None if others is None else others[k])
            yield self._last

    @property
    def x(self) -> Tensor:
        """The pictures of the batch that was taken last."""
        return (self._last or next(iter(self))).x

    def train(self, model: Any) -> Any:
        """Lets a model take the steps that these batches are for."""
        assert self.taken_by is not None, "nobody said how its steps are taken"
        return self.taken_by(model, self)


class BurstLoader:
    """The batches of a FactorLoader, many at once, for ever.

    A burst ends where the loader's position is a multiple of `length`, and at `until`. The position
    has moved past a burst before it is handed out.

    Args:
        loader: Which batches, and where; its position is moved.
        length: Batches of a burst.
        until: Batches of the whole training; None: unknown.
        train: How a model takes the steps of a burst.
    """

    def __init__(
        self,
        loader: FactorLoader,
        length: int,
        until: int | None = None,
        train: Train | None = None,
    ) -> None:
        if length < 1:
            raise ValueError(f"a burst has at least 1 batch, got {length}.")
        self.loader, self.length, self.until, self.train = loader, length, until, train

    def __len__(self) -> int:
        """Bursts never end: an epoch is a matter of the order of pictures alone."""
        return ENDLESS

    def __iter__(self) -> Iterator[Burst]:
        """Goes on from the loader's position."""
        loader = self.loader
        while True:
            position = loader.position
            stop = (position // self.length + 1) * self.length
            if self.until is not None and position < self.until:
                stop = min(stop, self.until)
            burst = Burst(loader, range(position, stop), self.train)
            loader.position = stop
            yield burst

    def state_dict(self) -> dict[str, int]:
        """Nothing, as of the loader."""
        return {}

    def load_state_dict(self, state_dict: dict[str, int]) -> None:
        """Nothing, as of the loader."""
