# SPDX-License-Identifier: Apache-2.0
"""Pictures of a whole dataset, kept on disk and gathered by index, or copied to a GPU."""

import numpy as np
import torch
from jaxtyping import Int, UInt8
from torch import Tensor

from disent.data.base import check_index
from disent.data.files import Fill, digest, stored
from disent.memory import resident


class StoredPictures:
    """Bytes [N, C, H, W], made once into the cache folder and read from there by memory map.

    Args:
        name: Under which they are kept: what they are and by which version of the maker.
        shape: N, C, H and W.
        fill: Writes them, see disent.data.files.stored.
    Attributes:
        mapped: UInt8[N, C, H, W], the memory map.
        held: The same, or its copy on a GPU.
        digest: Of the pictures, 16 hexadecimal digits.
    """

    def __init__(self, name: str, shape: tuple[int, ...], fill: Fill) -> None:
        self.mapped = torch.from_numpy(stored(name, shape, fill))
        self.held = self.mapped
        self.digest = digest(self.mapped.numpy())[:16]

    def images(self, index: Int[Tensor, "b"]) -> UInt8[Tensor, "b c h w"]:
        """Pictures at indices, on the device of `index`."""
        wanted = index.device
        index = index.to(self.held.device)
        check_index(index, len(self.held))
        if self.held.device.type == "cpu":  # on one core, as in DSprites
            pictures = torch.from_numpy(np.take(self.held.numpy(), index.numpy(), axis=0))
        else:  # not by [], which counts negative indices from the end
            pictures = self.held.index_select(0, index)
        return pictures.to(wanted)

    def to(self, device: torch.device | str) -> None:
        """Keeps them on a GPU where they take less than half of its free memory."""
        self.held = resident(self.mapped, self.held, device)
