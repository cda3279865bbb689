# SPDX-License-Identifier: Apache-2.0
"""Fewer pictures of another dataset: a coarser grid of its factors, or every n-th picture."""

import math
from typing import Self

import torch
from jaxtyping import Float, Int, UInt8
from torch import Tensor

from disent.data.base import FactorDataset, PictureDataset, check_index
from disent.grid import FactorGrid


def thin(dataset: PictureDataset, points: int) -> "SubGrid | Subset":
    """At most `points` pictures, evenly spread over the grid, or over the index without one."""
    if isinstance(dataset, FactorDataset):
        return SubGrid.at_most(dataset, points)
    return Subset.at_most(dataset, points)


class SubGrid(FactorDataset):
    """The pictures of `dataset` at every `strides[k]`-th value of factor k.

    Args:
        dataset: Any dataset of factors.
        strides: One number >= 1 per factor; 1 keeps all values.
    """

    def __init__(self, dataset: FactorDataset, strides: tuple[int, ...]) -> None:
        if len(strides) != len(dataset.grid.sizes) or min(strides) < 1:
            raise ValueError(
                f"got strides {strides}, but one number >= 1 is wanted for each of the factors "
                f"{', '.join(dataset.grid.names)}."
            )
        self.dataset, self.strides, self.channels = dataset, strides, dataset.channels
        self.size = dataset.size
        sizes = [math.ceil(n / s) for n, s in zip(dataset.grid.sizes, strides, strict=True)]
        self.grid = FactorGrid(dataset.grid.names, tuple(sizes))

    @classmethod
    def at_most(cls, dataset: FactorDataset, points: int) -> "SubGrid":
        """The sub-grid of at most `points` points, thinned along its longest factors first."""
        sizes, strides = dataset.grid.sizes, [1] * len(dataset.grid.sizes)
        while math.prod(
            left := [math.ceil(n / s) for n, s in zip(sizes, strides, strict=True)]
        ) > max(points, 1):
            strides[left.index(max(left))] += 1
        return cls(dataset, tuple(strides))

    @property
    def fingerprint(self) -> str:
        return f"{self.dataset.fingerprint}[::{',::'.join(map(str, self.strides))}]"

    def images(self, index: Int[Tensor, "b"]) -> UInt8[Tensor, "b c h w"]:
        return self.dataset.images(self.parent_index(index))

    def batch(self, index: Int[Tensor, "b"]) -> Float[Tensor, "b c h w"]:
        return self.dataset.batch(self.parent_index(index))

    def to(self, device: torch.device | str) -> Self:
        self.dataset = self.dataset.to(device)
        return self

    def parent_index(self, index: Int[Tensor, "b"]) -> Int[Tensor, "b"]:
        """Flat indices of the same pictures in `dataset`."""
        check_index(index, len(self.grid))
        factors = self.grid.factors(index) * torch.tensor(self.strides, device=index.device)
        return self.dataset.grid.index(factors)


class Subset(PictureDataset):
    """Every `stride`-th picture of `dataset`, from the first on, with its labels.

    Args:
        dataset: Any dataset.
        stride: At least 1, which keeps all pictures.
    """

    def __init__(self, dataset: PictureDataset, stride: int) -> None:
        if stride < 1:
            raise ValueError(f"stride must be >= 1, got {stride}. 1 keeps all pictures.")
        self.dataset, self.stride = dataset, stride
        self.channels, self.size, self.names = dataset.channels, dataset.size, dataset.names

    @classmethod
    def at_most(cls, dataset: PictureDataset, points: int) -> "Subset":
        """The subset of the smallest stride that leaves at most `points` pictures."""
        return cls(dataset, max(math.ceil(len(dataset) / max(points, 1)), 1))

    @property
    def fingerprint(self) -> str:
        return f"{self.dataset.fingerprint}[::{self.stride}]"

    def __len__(self) -> int:
        return math.ceil(len(self.dataset) / self.stride)

    def images(self, index: Int[Tensor, "b"]) -> UInt8[Tensor, "b c h w"]:
        return self.dataset.images(self.parent_index(index))

    def batch(self, index: Int[Tensor, "b"]) -> Float[Tensor, "b c h w"]:
        return self.dataset.batch(self.parent_index(index))

    def factors(self, index: Int[Tensor, "b"]) -> Int[Tensor, "b k"] | None:
        return self.dataset.factors(self.parent_index(index))

    def to(self, device: torch.device | str) -> Self:
        self.dataset = self.dataset.to(device)
        return self

    def parent_index(self, index: Int[Tensor, "b"]) -> Int[Tensor, "b"]:
        """Indices of the same pictures in `dataset`."""
        check_index(index, len(self))
        return index * self.stride
