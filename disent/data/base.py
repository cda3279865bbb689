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
