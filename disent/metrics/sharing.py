# SPDX-License-Identifier: Apache-2.0
"""Rows of any table of factors, drawn so that they share a factor's value; as FactorGrid draws."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import torch
from jaxtyping import Int
from torch import Tensor

from disent.checks import check_finite, check_whole_grid
from disent.grid import FactorGrid
from disent.metrics.information import check_codes_and_factors


class _Column(NamedTuple):
    """Rows whose value of one factor some other row has too, value by value.

    Attributes:
        rows: Int[m], ordered by their value.
        start: Int[m], the place in `rows` where those of the same value begin.
        alike: Int[m], how many these are.
    """

    rows: Int[Tensor, "m"]
    start: Int[Tensor, "m"]
    alike: Int[Tensor, "m"]


class SharingRows:
    """Draws rows of a table of factors, a row as likely as any other.

    A row whose value no other row has takes no part in the draws that share this factor: it has no
    second row. A factor is in `varying` if it has two values, and a value that two rows share.

    Args:
        factors: One row per picture; not every combination of values need be there.
    Attributes:
        varying: Columns that can be shared or not.
    Example:
        >>> rows = SharingRows(torch.tensor([[0, 5], [0, 6], [1, 5], [2, 6]]))
        >>> rows.varying  # rows 2 and 3 are alone with their values of factor 0
        [0, 1]
        >>> pairs = rows.sample_pairs(torch.tensor([0]), 9, generator=torch.Generator())
        >>> sorted(set(pairs.flatten().tolist()))
        [0, 1]
    """

    def __init__(self, factors: Int[Tensor, "n k"]) -> None:
        factors = factors.cpu()
        self._n = len(factors)
        self._columns = [_column(column) for column in factors.T]
        varies = (factors != factors[:1]).any(0).tolist()
        self.varying = [
            k for k, column in enumerate(self._columns) if varies[k] and len(column.rows)
        ]

    def sample(self, shape: Sequence[int], *, generator: torch.Generator) -> Int[Tensor, "..."]:
        """Rows drawn uniformly, with replacement."""
        return torch.randint(self._n, tuple(shape), generator=generator)

    def sample_sharing(
        self, factor: Int[Tensor, "n"], batch: int, *, generator: torch.Generator
    ) -> Int[Tensor, "n batch"]:
        """One batch of rows per entry of `factor`, with replacement; a batch shares its value."""
        first = torch.rand(len(factor), generator=generator, dtype=torch.float64)
        other = torch.rand(len(factor), batch, generator=generator, dtype=torch.float64)
        drawn = torch.empty(len(factor), batch, dtype=torch.int64)
        for k in factor.unique().tolist():
            column, mine = self._columns[k], factor == k
            place = _place(first[mine], len(column.rows))
            start, alike = column.start[place, None], column.alike[place, None]
            drawn[mine] = column.rows[start + _place(other[mine], alike)]
        return drawn

    def sample_pairs(
        self, factor: Int[Tensor, "n"], batch: int, *, generator: torch.Generator
    ) -> Int[Tensor, "n batch 2"]:
        """A batch of pairs of different rows per entry of `factor`; a pair shares its value."""
        draws = torch.rand(len(factor), batch, 2, generator=generator, dtype=torch.float64)
        drawn = torch.empty(len(factor), batch, 2, dtype=torch.int64)
        for k in factor.unique().tolist():
            column, mine = self._columns[k], factor == k
            first = _place(draws[mine][..., 0], len(column.rows))
            second = column.start[first] + _place(draws[mine][..., 1], column.alike[first] - 1)
            second += second >= first  # the first row is passed over
            drawn[mine] = torch.stack([column.rows[first], column.rows[second]], -1)
        return drawn


def _column(values: Int[Tensor, "n"]) -> _Column:
    value, count = values.unique(return_inverse=True, return_counts=True)[1:]
    rows = value.argsort(stable=True)
    rows = rows[count[value[rows]] > 1]
    shared = torch.where(count > 1, count, 0)
    start = shared.cumsum(0) - shared
    return _Column(rows, start[value[rows]], count[value[rows]])


def _place(draw: Tensor, size: Tensor | int) -> Int[Tensor, "..."]:
    """From numbers in [0, 1) to 0 .. size - 1."""
    return (draw * size).long()


def drawn_from(
    codes: Tensor, factors: Tensor | FactorGrid
) -> tuple[FactorGrid | SharingRows, list[int]]:
    """What draws the rows of a score that holds factors, and the factors that it can hold.

    A table that is a whole grid by flat index, each combination once, is drawn from as that grid.

    Raises:
        ValueError: Codes that are not finite or not of the same rows; fewer than two such factors.
    """
    if isinstance(factors, FactorGrid):
        check_whole_grid(codes, len(factors))
        check_finite(codes)
        grid = factors
    else:
        check_codes_and_factors(codes, factors)
        grid = grid_of(factors)
        if grid is None:
            return _rows_of(factors)
    varying = [k for k, size in enumerate(grid.sizes) if size > 1]
    if len(varying) < 2:
        raise ValueError(
            f"the grid has sizes {grid.sizes}, so {len(varying)} factors vary. To tell which "
            "factor is shared takes two that vary: choose another score for this dataset."
        )
    return grid, varying


def _rows_of(factors: Int[Tensor, "n k"]) -> tuple[SharingRows, list[int]]:
    rows = SharingRows(factors)
    if len(rows.varying) < 2:
        raise ValueError(
            f"{len(rows.varying)} of the factors have two values, and one that two rows share. To "
            "tell which factor is shared takes two of them: give more images."
        )
    return rows, rows.varying


def grid_of(factors: Int[Tensor, "n k"]) -> FactorGrid | None:
    """The grid whose points are the rows of a table, in the order of its flat index; None: no one.

    Example:
        >>> grid_of(torch.tensor([[0, 0], [0, 1], [1, 0], [1, 1]])).sizes
        (2, 2)
        >>> grid_of(torch.tensor([[0, 0], [1, 0], [0, 1], [1, 1]])) is None
        True
    """
    if factors.ndim != 2 or not factors.numel() or factors.is_floating_point():
        return None
    factors = factors.cpu()
    sizes = tuple((factors.amax(0) + 1).tolist())
    if min(sizes) < 1 or math.prod(sizes) != len(factors):
        return None
    grid = FactorGrid(tuple(f"factor_{k}" for k in range(len(sizes))), sizes)
    return grid if torch.equal(grid.all_factors(), factors.long()) else None
