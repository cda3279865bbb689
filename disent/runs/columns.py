# SPDX-License-Identifier: Apache-2.0
"""The check that the statistics share."""

from collections.abc import Sequence

import pandas as pd


def check_columns(table: pd.DataFrame, wanted: Sequence[str]) -> None:
    """Raises ValueError unless the table has the columns `wanted`."""
    missing = [name for name in wanted if name not in table]
    if missing:
        raise ValueError(
            f"the table has no column {', '.join(map(repr, missing))}. It has: "
            f"{', '.join(sorted(map(str, table.columns)))}. Scores come from `disent evaluate`; "
            "objective, strength and setting from `with_families`."
        )
