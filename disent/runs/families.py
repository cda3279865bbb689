# SPDX-License-Identifier: Apache-2.0
"""Which runs belong together: the objective, its strength, and the seeds in between."""

import numpy as np
import pandas as pd

STRENGTHS = {"C": "C", "beta": "beta"}  # column: how the strength is written; first found counts


def with_families(table: pd.DataFrame) -> pd.DataFrame:
    """The table of `load_runs` with three columns more, for grouping and for labels.

    `objective`: the model's class. `strength`: the capacity C in nats per image, or beta; NaN where
    the model has neither. `setting`: both in words, such as "beta 4" or "C 25".

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
    objective = table["model"] if "model" in table else pd.Series(pd.NA, table.index)
    objective = objective.astype(object).where(objective.notna(), "unknown").astype(str)
    setting = setting.where(setting.ne(""), objective)
    # copy(): one block, since a table of many columns is slow in pieces
    return table.copy().assign(objective=objective, strength=strength, setting=setting)


def score_names(table: pd.DataFrame) -> list[str]:
    """The scores in the table of `load_runs`, by name: columns that have a variant beside them."""
    return [str(n).removesuffix(".variant") for n in table if str(n).endswith(".variant")]
