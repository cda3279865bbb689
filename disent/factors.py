# SPDX-License-Identifier: Apache-2.0
"""Any table of factors as whole numbers from 0 on, and what these numbers stand for."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Int
from torch import Tensor

MOST_VALUES = 50  # a column of fractions with more different values is continuous
BINS = 20  # equally wide ones, into which a continuous factor is cut


@dataclass(frozen=True)
class NumberedFactors:
    """Factors of pictures as scores take them.

    Attributes:
        values: Int64[n, k], the number of each value, from 0 on; -1 where it is missing.
        names: Of the k factors.
        stands_for: By factor, what each number stands for: the values, ascending, or the k + 1
            edges of the bins of a continuous factor.
        continuous: Names of the factors that were cut into bins.
    """

    values: Int[Tensor, "n k"]
    names: tuple[str, ...]
    stands_for: tuple[tuple[Any, ...], ...]
    continuous: tuple[str, ...] = ()

    def said(self) -> list[str]:
        """One line a factor: how its values were taken."""
        lines = []
        for k, name in enumerate(self.names):
            values, missing = list(self.stands_for[k]), int((self.values[:, k] < 0).sum())
            count = f"{len(values)} value{'s' if len(values) != 1 else ''}"
            if name in self.continuous:
                count = f"continuous, cut into {len(values) - 1} equal bins"
            run = ", ".join(map(str, values[:6]))
            if len(values) > 6 or name in self.continuous:
                run = f"{values[0]} .. {values[-1]}"
            line = f"{name}: {count}: {run}" if values else f"{name}: no value"
            lines.append(f"{line}; {missing:,} missing" if missing else line)
        return lines


def number_factors(table: Any, names: Sequence[str] | None = None) -> NumberedFactors:
    """Numbers the values of each factor, ascending, from 0 on; gaps between them close.

    Values are whole numbers from any start, truth values, strings, or fractions. A column of
    strings that are all numbers counts as these numbers. A column of fractions with at most 50
    different values has these values; with more it is continuous, and is cut into 20 equally wide
    bins from its minimum to its maximum. Missing is a NaN, and a string that is empty. Not every
    combination of values need be there.

    Args:
        table: [n, k], or [n] for a single factor: whatever numpy.asarray makes such a table of.
        names: One for each factor; None: factor_0, factor_1 ...
    Raises:
        ValueError: It is no such table, or the names do not fit it.
    Example:
        >>> found = number_factors([["red", "3"], ["blue", "10"], ["red", "7"]], ["hue", "place"])
        >>> found.values.tolist()
        [[1, 0], [0, 2], [1, 1]]
        >>> found.said()
        ['hue: 2 values: blue, red', 'place: 3 values: 3, 7, 10']
    """
    array = np.asarray(table)
    array = array[:, None] if array.ndim == 1 else array
    if array.ndim != 2 or not array.size or array.dtype.kind not in "biufSU":
        raise ValueError(
            f"factors has shape {list(np.shape(table))} and dtype {array.dtype}, but a table of "
            "whole numbers, fractions, truth values or strings is wanted: one row per picture, one "
            "column per factor."
        )
    if names is None:
        names = [f"factor_{k}" for k in range(array.shape[1])]
    names = tuple(map(str, names))
    if len(names) != array.shape[1] or len(set(names)) != len(names) or not all(names):
        raise ValueError(
            f"got the names {', '.join(names)}, but {array.shape[1]} different ones are wanted: "
            "one for each column of factors."
        )
    numbered = [_number(array[:, k], name) for k, name in enumerate(names)]
    return NumberedFactors(
        torch.from_numpy(np.stack([column for column, _, _ in numbered], 1)),
        names,
        tuple(values for _, values, _ in numbered),
        tuple(name for name, (_, _, cut) in zip(names, numbered, strict=True) if cut),
    )


def _number(column: np.ndarray, name: str) -> tuple[np.ndarray, tuple[Any, ...], bool]:
    """The number of each value, what the numbers stand for, and whether these are bins."""
    if column.dtype.kind in "SU":
        column = _read(column)
    present = column != "" if column.dtype.kind == "U" else ~np.isnan(column)
    known = column[present]
    if known.dtype.kind == "f" and not np.isfinite(known).all():
        raise ValueError(f"factor {name} holds infinite values. Give finite ones, or NaN: missing.")
    values, numbers = np.unique(known, return_inverse=True)
    whole = values.dtype.kind != "f" or bool((values == np.rint(values)).all())
    cut = not whole and len(values) > MOST_VALUES
    if cut:
        values = np.linspace(values[0], values[-1], BINS + 1)
        numbers = np.digitize(known, values[1:-1])  # closed on the left, the last on both sides
    if whole and values.dtype.kind == "f" and (np.abs(values) < 2**53).all():
        values = values.astype(np.int64)
    found = np.full(len(column), -1, np.int64)
    found[present] = numbers.reshape(-1)
    return found, tuple(values.tolist()), cut


def _read(column: np.ndarray) -> np.ndarray:
    """Strings as the numbers that they say, where each says one."""
    column = np.char.strip(column.astype(str))
    try:
        return np.where(column == "", "nan", column).astype(np.float64)
    except ValueError:
        return column
