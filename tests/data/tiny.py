# SPDX-License-Identifier: Apache-2.0
"""A dataset of 48 pictures from which one can read back which picture it was."""

import torch
from torch import Tensor

from disent.data.base import FactorDataset
from disent.grid import FactorGrid


class Tiny(FactorDataset):
    """The picture at flat index i is filled with the value i."""

    channels = 1

    def __init__(self, edition: str = "") -> None:
        self.edition = edition
        self.grid = FactorGrid(("shape", "scale", "pos_x"), (2, 3, 8))

    @property
    def fingerprint(self) -> str:
        return "tiny" + self.edition

    def images(self, index: Tensor) -> Tensor:
        return index.to(torch.uint8).view(-1, 1, 1, 1).expand(-1, 1, 64, 64)


def indices_of(batch: Tensor) -> list[int]:
    """The flat indices of a batch of Tiny's pictures."""
    return (batch[:, 0, 0, 0] * 255).round().int().tolist()
