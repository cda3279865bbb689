# SPDX-License-Identifier: Apache-2.0
"""Random numbers as a function of (seed, name, position): nothing to save, nothing to lose."""

from collections.abc import Sequence
from typing import TypeVar

import numpy as np
import torch
from jaxtyping import Int
from torch import Tensor

GAMMA, FIRST, SECOND = 0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB  # of SplitMix64
PLACES = 2**16  # words that a position of Words has, at most
A = TypeVar("A", np.ndarray, Tensor)


class Stream:
    """A counter-based stream: the numbers at a position depend on seed, name and position alone.

    A run that resumes at position p therefore draws what the uninterrupted run would have drawn,
    on any device. The generator is Philox (Salmon et al., 2011, "Parallel random numbers: as easy
    as 1, 2, 3"), keyed by (seed, name); the position is a word of its counter.

    Args:
        seed: Any integer >= 0.
        name: What the numbers are for; streams of different names are independent.
    """

    def __init__(self, seed: int, name: str) -> None:
        if seed < 0:
            raise ValueError(f"seed must be >= 0, got {seed}. Choose any whole number from 0 on.")
        self.seed, self.name = seed, name
        self._key = np.random.SeedSequence([seed, *name.encode()]).generate_state(2, np.uint64)

    def at(self, position: int) -> np.random.Generator:
        """The generator of one position, at its first draw."""
        counter = np.array([0, 0, 0, position], np.uint64)
        return np.random.Generator(np.random.Philox(key=self._key, counter=counter))

    def integers(self, position: int, high: int, size: int) -> Tensor:
        """`size` integers in [0, high), int64 on the CPU."""
        return torch.from_numpy(self.at(position).integers(high, size=size))

    def permutation(self, position: int, n: int) -> Tensor:
        """The numbers 0 .. n-1 in random order, int64 on the CPU."""
        return torch.from_numpy(self.at(position).permutation(n))

    def normal(self, position: int, shape: Sequence[int]) -> Tensor:
        """Standard normal float32 numbers of `shape`, on the CPU."""
        return torch.from_numpy(self.at(position).standard_normal(tuple(shape), np.float32))


class Words:
    """Random words for many positions at once: a function of seed, name, position and place alone.

    The same on every device, and made there. Word j of position p is number 65,536 p + j of
    SplitMix64 (Steele, Lea & Flood, 2014, "Fast splittable pseudorandom number generators", figure
    17, https://doi.org/10.1145/2660193.2660195), whose first state is drawn from (seed, name).

    Args:
        seed: Any integer >= 0.
        name: What the words are for; those of different names are independent.
    Example:
        >>> Words(seed=0, name="golden").below(torch.tensor([0, 7]), (10, 1000))
        tensor([[  3, 622],
                [  8, 594]])
    """

    def __init__(self, seed: int, name: str) -> None:
        if seed < 0:
            raise ValueError(f"seed must be >= 0, got {seed}. Choose any whole number from 0 on.")
        key = np.random.SeedSequence([seed, *name.encode()]).generate_state(1, np.uint64)
        self._key = signed(int(key[0]))

    def at(self, position: Int[Tensor, "b"], count: int) -> Int[Tensor, "b n"]:
        """`count` words of 64 bits, as int64, for each position from 0 to 2^47 - 1."""
        if not 0 < count <= PLACES:
            raise ValueError(f"a position has 1 to {PLACES:,} words, but {count} are asked for.")
        device = position.device
        number = position.long()[:, None] * PLACES + torch.arange(1, count + 1, device=device)
        state = number * signed(GAMMA) + self._key
        if device.type != "cpu":
            return splitmix(state)
        return torch.from_numpy(splitmix(state.numpy()))  # on one core, as in DSprites

    def bytes(self, position: Int[Tensor, "b"], count: int) -> Tensor:
        """`count` bytes, UInt8[b, n], for each position."""
        return self.at(position, -(-count // 8)).view(torch.uint8)[:, :count]

    def below(self, position: Int[Tensor, "b"], highs: Sequence[int]) -> Int[Tensor, "b k"]:
        """For each position, one integer in [0, high) for each of `highs`, up to 2^31."""
        high = torch.tensor(tuple(highs), device=position.device)
        return (self.at(position, len(highs)) >> 33 & 2**31 - 1) * high >> 31


def splitmix(state: A) -> A:
    """What SplitMix64 makes of its states, int64 with the bits of a uint64; overwrites them."""
    state ^= state >> 30 & 2**34 - 1  # shifted in zeros, not copies of the sign
    state *= signed(FIRST)
    state ^= state >> 27 & 2**37 - 1
    state *= signed(SECOND)
    state ^= state >> 31 & 2**33 - 1
    return state


def signed(word: int) -> int:
    """The int64 that has the bits of a uint64."""
    return word - 2**64 if word >= 2**63 else word
