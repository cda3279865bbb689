# SPDX-License-Identifier: Apache-2.0
"""Datasets that are no grid: one without labels, one of which some are missing."""

import torch
from torch import Tensor

from disent.data.base import PictureDataset


class Digits(PictureDataset):
    """Thirty pictures of 28 x 28; the picture at index i is filled with the value i."""

    channels = 1
    size = (28, 28)

    @property
    def fingerprint(self) -> str:
        return "digits-of-the-tests"

    def __len__(self) -> int:
        return 30

    def images(self, index: Tensor) -> Tensor:
        return index.to(torch.uint8).view(-1, 1, 1, 1).expand(-1, 1, 28, 28)


class Labelled(Digits):
    """The same with two labels: index modulo 10, and index // 10, which only the first half has."""

    names = ("digit", "writer")

    def factors(self, index: Tensor) -> Tensor:
        writer = torch.where(index < 15, index // 10, -1)
        return torch.stack([index % 10, writer], 1)
