# SPDX-License-Identifier: Apache-2.0
"""Symbols: what is said of a picture, a value for some of its factors and nothing of the others.

A row of a table of symbols has one column a factor: a value counted from 0, or -1 for "not said".
"""

import math
from collections.abc import Mapping, Sequence
from typing import Literal, get_args

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

Operator = Literal["and", "in_common", "ignore"]
OPERATORS: tuple[Operator, ...] = get_args(Operator)
ONE_IN = 5  # pairs of symbols is kept for scoring
ODD = -7046029254386353131  # 2^64 / golden ratio, signed: Knuth's multiplicative hashing
UPPER = 2**33  # what is below is not mixed well


def coarse_sizes(sizes: Sequence[int], coarseness: int | None) -> tuple[int, ...]:
    """How many values each factor has as a symbol; at most `coarseness`, None: as many as it has.

    Example:
        >>> coarse_sizes([3, 6, 32], 4)
        (3, 4, 4)
    """
    return tuple(size if coarseness is None else min(size, coarseness) for size in sizes)


def coarse(
    factors: Int[Tensor, "n k"], sizes: Sequence[int], kept: Sequence[int]
) -> Int[Tensor, "n k"]:
    """Factor values as symbols: each of `kept` values is a run of neighbours of the `sizes`.

    Example:
        >>> coarse(torch.tensor([[2, 5], [1, 31], [0, -1]]), [3, 32], [3, 4])
        tensor([[ 2,  0],
                [ 1,  3],
                [ 0, -1]])
    """
    columns = [factors[:, k] * kept[k] // sizes[k] for k in range(len(sizes))]
    return torch.where(factors < 0, -1, torch.stack(columns, 1))


def recombined(
    operator: Operator, first: Int[Tensor, "n k"], second: Int[Tensor, "n k"]
) -> Int[Tensor, "n k"]:
    """Symbols by set arithmetic on what two symbols say; Higgins et al. (2018), section 3.

    Args:
        operator: and: what either says (of two that do not contradict each other); in_common: what
            both say; ignore: what the first says without what the second says, too.
        first: One row a symbol.
        second: As many.
    Example:
        >>> a, b = torch.tensor([[2, 0, -1]]), torch.tensor([[2, -1, 1]])
        >>> [recombined(name, a, b).tolist() for name in OPERATORS]
        [[[2, 0, 1]], [[2, -1, -1]], [[-1, 0, -1]]]
    """
    if operator == "and":
        return torch.where(first < 0, second, first)
    if operator == "in_common":
        return torch.where(first == second, first, -1)
    return torch.where(first == second, -1, first)


def pair(
    operator: Operator, known: Int[Tensor, "n k"], noise: Mapping[str, Float[Tensor, "n k"]]
) -> tuple[Int[Tensor, "n k"], Int[Tensor, "n k"], Int[Tensor, "n k"]]:
    """Two symbols of each picture, drawn from noise, and the symbol that they are recombined to.

    Each says a factor with probability 1/2. Those of AND describe one picture; of the other two,
    the second has each value with probability 1/2 from the picture before it.

    Args:
        operator: Which one.
        known: All that can be said of each picture.
        noise: From N(0, 1), as `first`, `second` and `another`.
    """
    first = torch.where(noise["first"] < 0, known, -1)
    if operator != "and":
        known = torch.where(noise["another"] < 0, known, known.roll(1, 0))
    second = torch.where(noise["second"] < 0, known, -1)
    return first, second, recombined(operator, first, second)


def held_out(
    first: Int[Tensor, "n k"], second: Int[Tensor, "n k"], sizes: Sequence[int]
) -> Bool[Tensor, "n"]:
    """Which pairs of symbols no operator is trained on: one in five, by a hash of the pair.

    Symbols are numbered in mixed radix, low and high number of a pair (its order does not matter)
    become one number, and that is hashed by multiplication modulo 2^64. It depends on nothing else.

    Args:
        first: One row a symbol.
        second: As many.
        sizes: How many values each factor has.
    """
    a, b = _numbered(first, sizes), _numbered(second, sizes)
    pair = torch.minimum(a, b) * math.prod(size + 1 for size in sizes) + torch.maximum(a, b)
    return (pair * ODD // UPPER) % ONE_IN == 0


def _numbered(symbols: Int[Tensor, "n k"], sizes: Sequence[int]) -> Int[Tensor, "n"]:
    """Each symbol's number, 0 for the one that says nothing."""
    number = torch.zeros_like(symbols[:, 0])
    for k, size in enumerate(sizes):
        number = number * (size + 1) + symbols[:, k] + 1
    return number
