# SPDX-License-Identifier: Apache-2.0
"""Checks shared by the rooms. Each error says what came, what was wanted, and what to do."""

from collections.abc import Sequence
from typing import Any

from torch import Tensor


def check_same_rows(codes: Tensor, factors: Tensor) -> None:
    """Raises ValueError unless `codes` [n, d] and `factors` [n, k] describe the same images."""
    for name, table in (("codes", codes), ("factors", factors)):
        if table.ndim != 2:
            raise ValueError(
                f"{name} has shape {list(table.shape)}, but a table is wanted: "
                "one row per image, one column per latent or factor."
            )
    if len(codes) != len(factors):
        raise ValueError(
            f"codes has {len(codes)} rows but factors has {len(factors)}. "
            "Row i of both must describe the same image: take them from one CodeTable."
        )


def check_finite(codes: Tensor, name: str = "codes") -> None:
    """Raises ValueError if a value of `codes` [n, d] is NaN or infinite, naming the columns."""
    bad = ~codes.isfinite()
    if bad.any():
        columns = bad.reshape(len(codes), -1).any(0).nonzero().flatten().tolist()
        raise ValueError(
            f"{name} holds {int(bad.sum())} values that are NaN or infinite, in columns {columns}. "
            "Every value must be finite: the model that made them has probably diverged."
        )


def check_whole_grid(codes: Tensor, rows: int, name: str = "codes") -> None:
    """Raises ValueError unless `codes` [n, d] has one row for each of the grid's `rows` points."""
    if codes.ndim != 2 or len(codes) != rows:
        raise ValueError(
            f"{name} has shape {list(codes.shape)}, but the grid has {rows} points. "
            "This score is of the grid itself: give one row per point, in the order of the "
            "grid's flat index, as CodeTable.encode does."
        )


def check_columns(table: Any, wanted: Sequence[str]) -> None:
    """Raises ValueError unless the DataFrame `table` has the columns `wanted`."""
    missing = [name for name in wanted if name not in table]
    if missing:
        raise ValueError(
            f"the table has no column {', '.join(map(repr, missing))}. It has: "
            f"{', '.join(sorted(map(str, table.columns)))}. Give what disent.runs.load_runs "
            "returns, with the objective, strength and setting that with_families adds."
        )
