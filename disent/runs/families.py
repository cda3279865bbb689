# SPDX-License-Identifier: Apache-2.0
"""Which runs belong together: the objective, its strength, and the seeds in between."""

import numpy as np
import pandas as pd

STRENGTHS = {"C": "C", "beta": "beta"}  # column: how the strength is written; first found counts
SETTINGS = ("model.", "data", "loader.", "trainer.max_steps", "trainer.precision")
APART = ("model.seed", "model.beta", "model.capacity", "data.path", "model.objective")


def with_families(table: pd.DataFrame) -> pd.DataFrame:
    """The table of `load_runs` with three columns more, for grouping and for labels.

    `objective`: the family: the model's class, with its objective if that is given apart, and every
    other setting in which runs of that class differ, such as "AnnealedVAE, gamma 100". `strength`:
    the capacity C in nats per image, or beta; NaN where the model has neither. `setting`: the
    strength in words, such as "beta 4" or "C 25". Runs of the same objective and setting differ in
    their seed alone (and in what is not of the model, its data, its batches or its steps).

    Args:
        table: What `load_runs` returned.
    """
    strength = pd.Series(np.nan, table.index)
    setting = pd.Series("", table.index, dtype=object)
    for column, name in STRENGTHS.items():
        if column not in table:
            continue
        values = pd.to_numeric(table[column], errors="coerce")
        new = values.notna() & strength.isna()
        strength[new] = values[new]
        setting[new] = values[new].map(lambda value, name=name: f"{name} {value:g}")
    objective = _objectives(table)
    setting = setting.where(setting.ne(""), objective)
    # copy(): one block, since a table of many columns is slow in pieces
    return table.copy().assign(objective=objective, strength=strength, setting=setting)


def score_names(table: pd.DataFrame) -> list[str]:
    """The scores in the table of `load_runs`, by name: columns that have a variant beside them."""
    return [str(n).removesuffix(".variant") for n in table if str(n).endswith(".variant")]


def _objectives(table: pd.DataFrame) -> pd.Series:
    """The model's class, its objective, and what else varies between runs of these two."""
    if "model" not in table:
        return pd.Series("unknown", table.index, dtype=object)
    names = table["model"].astype(object).where(table["model"].notna(), "unknown").astype(str)
    if "model.objective" in table:
        given = table["model.objective"].notna()
        names[given] = names[given] + ", " + table.loc[given, "model.objective"].astype(str)
    settings = [c for c in map(str, table.columns) if c.startswith(SETTINGS)]
    settings = [c for c in settings if not c.startswith(APART)]
    for _, group in table.groupby(names):
        for column in settings:
            values = group[column].map(_written)
            if values.nunique() > 1:
                names[group.index] = names[group.index] + f", {column.split('.')[-1]} " + values
    return names


def _written(value: object) -> str:
    if value is None or value != value:
        return "none"
    return f"{value:g}" if isinstance(value, int | float) else str(value)
