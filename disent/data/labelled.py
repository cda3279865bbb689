# SPDX-License-Identifier: Apache-2.0
"""Pictures with a class each, some of them set apart for testing, all of them in main memory."""

from typing import Literal, Self, get_args

import numpy as np
import torch
from jaxtyping import Int, UInt8
from torch import Tensor

from disent.data.base import PictureDataset, check_index
from disent.data.files import digest
from disent.memory import resident

Part = Literal["all", "train", "test"]


class LabelledPictures(PictureDataset):
    """Pictures by index with one `label` each, a class counted from 0.

    Of part "all", the training pictures come first, and the mark `test` is 1 for those that were
    set apart for testing and 0 for the others: --loader.held_out "test == 1" trains without them
    and keeps both sides beside each other in the scores.

    Args:
        told: What the pictures are and where they are from, for the fingerprint.
        pictures: uint8 [N, H, W], grey.
        label: Whole numbers from 0 on [N].
        test: bool [N], which are set apart.
        part: The pictures to take.
    """

    channels = 1

    def __init__(
        self, told: str, pictures: np.ndarray, label: np.ndarray, test: np.ndarray, part: Part
    ) -> None:
        if part not in get_args(Part):
            raise ValueError(f"part must be 'all', 'train' or 'test', got {part!r}.")
        order = np.argsort(test, kind="stable")  # the training pictures first
        chosen = order if part == "all" else order[test[order] == (part == "test")]
        self.size = (pictures.shape[1], pictures.shape[2])
        self.names = ("label",)
        labels = label[chosen, None]
        self._test = torch.from_numpy(test[chosen].astype(np.int64))
        self._kept = torch.from_numpy(pictures[chosen, None])
        self._pictures = self._kept  # or their copy on a GPU
        self._labels = torch.from_numpy(labels.astype(np.int64))  # where the pictures are
        what = "" if part == "all" else f", {part} part"
        self._fingerprint = f"{told}{what}, {digest(self._kept.numpy())[:16]}"

    @property
    def fingerprint(self) -> str:
        return self._fingerprint

    def __len__(self) -> int:
        return len(self._kept)

    def images(self, index: Int[Tensor, "b"]) -> UInt8[Tensor, "b 1 h w"]:
        check_index(index, len(self))
        return self._pictures.index_select(0, index.to(self._pictures.device)).to(index.device)

    def factors(self, index: Int[Tensor, "b"]) -> Int[Tensor, "b k"]:
        check_index(index, len(self))
        return self._labels.index_select(0, index.to(self._labels.device)).to(index.device)

    def marks(self) -> dict[str, Int[Tensor, "n"]]:
        return {"test": self._test}

    def to(self, device: torch.device | str) -> Self:
        """Keeps the pictures on a GPU where they take less than half of its free memory."""
        self._pictures = resident(self._kept, self._pictures, device)
        self._labels = self._labels.to(self._pictures.device)
        return self
