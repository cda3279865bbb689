# SPDX-License-Identifier: Apache-2.0
"""Which runs of a table: conditions such as "model.beta>=4", and an order."""

import difflib
import operator
import re
from collections.abc import Sequence

import pandas as pd

COMPARISONS = {
    ">=": operator.ge,
    "<=": operator.le,
    "!=": operator.ne,
    "=": operator.eq,
    ">": operator.gt,
    "<": operator.lt,
}
CONDITION = re.compile(r"([^<>=!]+)(>=|<=|!=|=|>|<)=?(.*)")


def select_runs(table: pd.DataFrame, conditions: Sequence[str]) -> pd.DataFrame:
    """The runs that meet all conditions, each COLUMN COMPARISON VALUE.

    Comparisons are = != < <= > >=. Numbers are compared as numbers, anything else as text; a run
    without a value in the column meets only !=.

    Raises:
        ValueError: A condition cannot be read, names no column, or orders what has no order.
    Example:
        >>> table = pd.DataFrame({"run": ["a", "b"], "model.beta": [1.0, 4.0]})
        >>> select_runs(table, ["model.beta > 1"])["run"].tolist()
        ['b']
    """
    for condition in conditions:
        match = CONDITION.fullmatch(condition)
        name, sign, value = (part.strip() for part in match.groups()) if match else ("", "", "")
        if not name:
            raise ValueError(
                f"{condition!r} is no condition: COLUMN=VALUE is wanted, or != < <= > >=, such as "
                "'model.beta>=4' or 'state!=finished' (in quotes: the shell reads < and > too)."
            )
        table = table[_holds(column_of(table, name), sign, value)]
    return table


def sort_runs(table: pd.DataFrame, by: str, *, descending: bool = False) -> pd.DataFrame:
    """The runs in the order of a column, smallest first or largest first; without value, last."""
    column = column_of(table, by)
    return table.loc[column.sort_values(ascending=not descending, kind="stable").index]


def column_of(table: pd.DataFrame, name: str) -> pd.Series:
    """A column by its name.

    Raises:
        ValueError: There is none; the message names those that are spelt alike.
    """
    if name in table:
        return table[name]
    alike = difflib.get_close_matches(name, map(str, table.columns), 3, 0.5)
    alike += [str(c) for c in table if name in str(c) and c not in alike][:3]
    raise ValueError(
        f"there is no column {name!r}."
        + (f" Did you mean {', '.join(alike)}?" if alike else "")
        + " `disent runs FOLDER --csv FILE` writes all columns."
    )


def _holds(column: pd.Series, sign: str, value: str) -> pd.Series:
    numbers = pd.to_numeric(column, errors="coerce")
    try:
        wanted = float(value)
    except ValueError:
        if sign not in ("=", "!="):
            raise ValueError(
                f"{column.name}{sign}{value} wants a number, but {value!r} came."
            ) from None
        same = column.astype(str).eq(value) & column.notna()
        return same if sign == "=" else ~same
    return COMPARISONS[sign](numbers, wanted)
