# SPDX-License-Identifier: Apache-2.0
"""How many different pictures a dataset holds, and how much information that is."""

from typing import NamedTuple

import torch
from jaxtyping import Int, UInt8
from torch import Tensor
from torch.nn.functional import pad

from disent.data.base import PictureDataset

BATCH = 1024


class Census(NamedTuple):
    """The pictures of a dataset, counted.

    Attributes:
        pictures: How many there are; of a grid, its points.
        distinct: How many of them differ.
        entropy: H(x) in nats, of a picture drawn uniformly from them; at most ln(distinct).
        binary: Whether every value is 0 or 255.
    """

    pictures: int
    distinct: int
    entropy: float
    binary: bool


def count_pictures(dataset: PictureDataset) -> Census:
    """Compares every picture with every other, by a 64-bit digest of each.

    Two different pictures of a million get one digest with a probability below 1e-7; the entropy
    would then come out too small, by 1e-6 nats.

    Example: all of dSprites has 715,706 different pictures, and 13.470 nats.
    """
    digests = torch.empty(len(dataset), dtype=torch.int64)
    binary, key = True, torch.empty(0, dtype=torch.int64)
    for index in torch.arange(len(dataset)).split(BATCH):
        words = _words(dataset.images(index))
        if not len(key):
            generator = torch.Generator().manual_seed(0)
            key = torch.randint(2**62, (words.shape[1],), generator=generator) * 2 + 1
        mixed = words * key  # wraps around, as a multiplicative hash does
        digests[index] = (mixed ^ (mixed >> 32)).mul(key.flip(0)).sum(1)
        binary = binary and not bool(((words != 0) & _mixed_bytes(words)).any())
    counts = digests.unique(return_counts=True)[1].double()
    share = counts / len(digests)
    entropy = float(-(share * share.log()).sum())
    return Census(len(digests), len(counts), entropy, binary)


def _words(pictures: UInt8[Tensor, "b c h w"]) -> Int[Tensor, "b n"]:
    """Eight bytes a word; the last word of a picture is filled up with zeros."""
    rows = pictures.flatten(1)
    return pad(rows, (0, -rows.shape[1] % 8)).contiguous().view(torch.int64)


def _mixed_bytes(words: Int[Tensor, "b n"]) -> Tensor:
    """Whether a byte of a word is neither 0 nor 255."""
    low = words & 0x0101010101010101
    return low * 255 != words
