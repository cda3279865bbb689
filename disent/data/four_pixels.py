# SPDX-License-Identifier: Apache-2.0
"""Four pictures of four pixels: the smallest dataset on which posteriors can be looked at."""

import torch
from jaxtyping import Int, UInt8
from torch import Tensor

from disent.data.base import FactorDataset, check_index
from disent.grid import FactorGrid


class FourPixels(FactorDataset):
    """The four pictures of 2 x 2 pixels of which one is white; `pixel` says which.

    The synthetic example of Mescheder et al. (2017), https://arxiv.org/abs/1701.04722.
    No model of it has a log-likelihood above -ln 4 = -1.386 nats a picture, and none reaches it
    unless its posteriors tile the prior without overlap, a quarter of it each.
    """

    grid = FactorGrid(("pixel",), (4,))
    channels = 1
    size = (2, 2)

    @property
    def fingerprint(self) -> str:
        return "four pictures of four pixels"

    def images(self, index: Int[Tensor, "b"]) -> UInt8[Tensor, "b 1 2 2"]:
        check_index(index, len(self))
        pictures = 255 * torch.eye(4, dtype=torch.uint8, device=index.device)
        return pictures.index_select(0, index).view(-1, 1, 2, 2)
