# SPDX-License-Identifier: Apache-2.0
"""Scores of anybody's arrays: NumPy's, and what NumPy can read, beside tensors."""

import functools
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

import numpy as np
import torch
from torch import Tensor

from disent.grid import FactorGrid
from disent.metrics.base import wants

Given = ParamSpec("Given")
Value = TypeVar("Value")


def takes_arrays(score: Callable[Given, Value]) -> Callable[Given, Value]:
    """The score, which takes arrays wherever it says tensors; its numbers are tensors either way.

    An array is whatever `numpy.asarray` reads: NumPy's own, of any order and stride, also those of
    other frameworks and of pandas. It is copied. Codes of whole numbers count as float64, which
    quantised codes are; factors of truth values count as 0 and 1.

    Example:
        >>> from disent.metrics import mig
        >>> table = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
        >>> mig(table, table)
        tensor(1., dtype=torch.float64)
    """
    plain: Any = score
    names = wants(plain)

    @functools.wraps(score)
    def of_arrays(*given: Given.args, **settings: Given.kwargs) -> Value:
        tables: Any = [as_tensor(table, name) for table, name in zip(given, names, strict=False)]
        named: Any = {
            name: as_tensor(value, name) if name in names else value
            for name, value in settings.items()
        }
        return plain(*tables, *given[len(names) :], **named)

    return of_arrays


def as_tensor(table: Any, name: str) -> Any:
    """What a score is given under `name`, as a tensor; a grid and tensors of numbers as they are.

    Raises:
        ValueError: It does not hold real numbers.
    """
    if isinstance(table, FactorGrid):
        return table
    if not isinstance(table, Tensor):
        table = _tensor_of(np.asarray(table), name)
    if table.is_complex():
        raise _no_numbers(str(table.dtype), name)
    if name == "factors":
        return table.long() if table.dtype == torch.bool else table
    return table if table.is_floating_point() else table.double()


def _tensor_of(array: np.ndarray, name: str) -> Tensor:
    if array.dtype.kind not in "biuf":
        raise _no_numbers(str(array.dtype), name)
    if array.dtype.kind == "u":
        array = array.astype(np.int64)
    elif array.dtype.kind == "f" and array.dtype.itemsize > 8:
        array = array.astype(np.float64)
    return torch.from_numpy(np.array(array, array.dtype.newbyteorder("="), order="C"))


def _no_numbers(kind: str, name: str) -> ValueError:
    what = "Give real numbers."
    if name == "factors":
        what = "disent.factors.number_factors numbers the values of any table."
    return ValueError(f"{name} has dtype {kind}, but a table of real numbers is wanted. {what}")
