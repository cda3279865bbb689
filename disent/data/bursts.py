# SPDX-License-Identifier: Apache-2.0
"""Batches of many steps at once, so that a trainer need not be asked between them."""

from collections.abc import Iterator

import torch
from jaxtyping import Int
from torch import Tensor

from disent.data.base import FactorDataset
from disent.data.loader import FactorLoader


class Burst:
    """Batches of consecutive steps, each made when its turn comes.

    Args:
        dataset: Pictures by flat index.
        indices: Flat indices of each step's pictures, where the batches are to be made.
    """

    def __init__(self, dataset: FactorDataset, indices: Int[Tensor, "steps b"]) -> None:
        self.indices, self.draw = indices, dataset.batch

    def __len__(self) -> int:
        """Pictures of a step, as the length of a batch is."""
        return self.indices.shape[1]


class BurstLoader:
    """The batches of a FactorLoader, many at once.

    A burst ends where the loader's position is a multiple of `length`, and at `until`. The position
    has moved past a burst before it is handed out.

    Args:
        loader: Which batches, and where; its position is moved.
        length: Steps of a burst.
        until: Batches of the whole training; None: unknown.
    """

    def __init__(self, loader: FactorLoader, length: int, until: int | None = None) -> None:
        if length < 1:
            raise ValueError(f"a burst has at least 1 step, got {length}.")
        self.loader, self.length, self.until = loader, length, until

    def __len__(self) -> int:
        """Bursts per epoch; the last may reach into the next epoch."""
        return -(-len(self.loader) // self.length)

    def __iter__(self) -> Iterator[Burst]:
        """Goes on from the loader's position to the end of its epoch."""
        loader, epoch = self.loader, len(self) * self.length
        end = (loader.position // epoch + 1) * epoch
        if self.until is not None and loader.position < self.until:
            end = min(end, self.until)
        while (position := loader.position) < end:
            stop = min((position // self.length + 1) * self.length, end)
            drawn = torch.stack([loader.indices(step) for step in range(position, stop)])
            drawn = drawn[:, loader.rank :: loader.world_size]
            loader.position = stop
            yield Burst(loader.dataset, drawn.to(loader.device))

    def state_dict(self) -> dict[str, int]:
        """The position, which is that of the burst's end."""
        return self.loader.state_dict()

    def load_state_dict(self, state_dict: dict[str, int]) -> None:
        """Moves to the position of a `state_dict`."""
        self.loader.load_state_dict(state_dict)
