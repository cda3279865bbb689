# SPDX-License-Identifier: Apache-2.0
"""What every dataset of the suite is: a grid of factors, and a picture at each of its points."""

from abc import ABC, abstractmethod
from typing import Self

import torch
from jaxtyping import Float, Int, UInt8
from torch import Tensor

from disent.grid import FactorGrid


class FactorDataset(ABC):
    """Pictures by flat index of a grid of ground-truth factors.

    Attributes:
        grid: The factors and their values.
        channels: 1 for grey pictures, 3 for RGB.
    """

    grid: FactorGrid
    channels: int

    @property
    @abstractmethod
    def fingerprint(self) -> str:
        """Identifies the pictures: name, origin and a digest. Stored beside every score."""

    @abstractmethod
    def images(self, index: Int[Tensor, "b"]) -> UInt8[Tensor, "b c 64 64"]:
        """Pictures at flat indices, 0 to 255, on the device of `index`."""

    def batch(self, index: Int[Tensor, "b"]) -> Float[Tensor, "b c 64 64"]:
        """Pictures at flat indices as float32 in [0, 1], on the device of `index`."""
        return self.images(index).to(torch.float32).div_(255)

    def to(self, device: torch.device | str) -> Self:
        """Keeps the stored pictures on `device`, if they fit there, so that gathers stay there.

        Where they do not fit, or nothing is stored, they are gathered in main memory and copied.
        """
        return self


def check_index(index: Tensor, pictures: int) -> None:
    """Raises TypeError or IndexError unless `index` lists flat indices of so many pictures.

    The range is looked at on the CPU alone: on an accelerator the look would make the host wait,
    and the gather itself refuses what is out of range.
    """
    if index.ndim != 1 or index.dtype not in (torch.int64, torch.int32):
        raise TypeError(
            f"index has shape {list(index.shape)} and dtype {index.dtype}, but a list of flat "
            "indices (int64) is wanted; FactorGrid.index makes them."
        )
    if index.device.type == "cpu" and len(index):
        low, high = (int(value) for value in index.aminmax())
        if low < 0 or high >= pictures:
            raise IndexError(
                f"flat indices run from 0 to {pictures - 1}, but {low} to {high} came."
            )
