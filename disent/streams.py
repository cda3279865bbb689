# SPDX-License-Identifier: Apache-2.0
"""Random numbers as a function of (seed, name, position): nothing to save, nothing to lose."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor


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
