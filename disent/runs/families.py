# SPDX-License-Identifier: Apache-2.0
"""Which runs belong together: the objective, its strength, and the seeds in between."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from disent.runs.build import FILLED, UNSAID

KNOB, SYMBOL = "provenance.strength.knob", "provenance.strength.symbol"  # what a run says of itself
OLDER = {"C": "C", "beta": "beta"}  # column: symbol, for runs that say nothing; first found counts
SETTINGS = ("model.", "data", "loader.", "trainer.max_steps", "trainer.precision")
APART = ("data.path", "model.objective")
OLD_KNOBS = {"model.beta", "model.capacity"}  # of runs that say nothing of themselves
APART += (*(f"model.{name}" for name in FILLED), "model.network.size", "model.network.numbers")
OBJECTIVES = ("model.objective", "model.objective.objective")  # the latter: of what is scheduled


def with_families(table: pd.DataFrame) -> pd.DataFrame:
    """The table of `load_runs` with three columns more, for grouping and for labels.

    `objective`: the family: the model's class, with its objective if that is given apart, and every
    other setting in which runs of that class differ, such as "AnnealedVAE, gamma 100". `strength`:
    the value of the knob that a study of the model varies, which the model itself names (beta, the
    capacity C in nats per image, gamma ...); NaN where there is none. `setting`: the strength in
    words, such as "beta 4" or "C 25". Runs of the same objective and setting differ in their seed
    alone (and in what is not of the model, its data, its batches or its steps).

    Args:
        table: What `load_runs` returned.
    """
    strength = pd.Series(np.nan, table.index)
    setting = pd.Series("", table.index, dtype=object)
    for rows, column, symbol in _knobs(table):
        values = pd.to_numeric(table.loc[rows, column], errors="coerce").dropna()
        values = values[strength[values.index].isna()]
        strength[values.index] = values
        setting[values.index] = values.map(lambda value, symbol=symbol: f"{symbol} {value:g}")
    objective = _objectives(table)
    setting = setting.where(setting.ne(""), objective)
    # copy(): one block, since a table of many columns is slow in pieces
    return table.copy().assign(objective=objective, strength=strength, setting=setting)


def _knobs(table: pd.DataFrame) -> Iterator[tuple[pd.Index, str, str]]:
    """Rows, the column of their strength, and its symbol."""
    if KNOB in table:
        said = table[table[KNOB].notna()]
        for (column, symbol), rows in said.groupby([KNOB, SYMBOL]):
            if column in table:
                yield rows.index, str(column), str(symbol)
    for column, symbol in OLDER.items():
        if column in table:
            yield table.index, column, symbol


def score_names(table: pd.DataFrame) -> list[str]:
    """The scores in the table of `load_runs`, by name: columns that have a variant beside them."""
    return [str(n).removesuffix(".variant") for n in table if str(n).endswith(".variant")]


def _objectives(table: pd.DataFrame) -> pd.Series:
    """The model's class, its objective, and what else varies between runs of these two."""
    if "model" not in table:
        return pd.Series("unknown", table.index, dtype=object)
    names = table["model"].astype(object).where(table["model"].notna(), "unknown").astype(str)
    for column in [name for name in OBJECTIVES if name in table]:
        given = table[column].notna()
        names[given] = names[given] + ", " + table.loc[given, column].astype(str)
    settings = [c for c in map(str, table.columns) if c.startswith(SETTINGS)]
    settings = [c for c in settings if not c.startswith(APART)]
    for _, group in table.groupby(names):
        own = set(group[KNOB].dropna()) if KNOB in group else set()
        own = own or OLD_KNOBS
        for column in [column for column in settings if column not in own]:
            unsaid = UNSAID.get(column)
            values = group[column].map(lambda value, unsaid=unsaid: _written(value, unsaid))
            if values.nunique() > 1:
                names[group.index] = names[group.index] + f", {column.split('.')[-1]} " + values
    return names


def _written(value: object, unsaid: str | None = None) -> str:
    if value is None or (isinstance(value, float) and value != value):
        return unsaid or "none"
    return f"{value:g}" if isinstance(value, int | float) else str(value)
