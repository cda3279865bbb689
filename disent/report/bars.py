# SPDX-License-Identifier: Apache-2.0
"""What a score depends on, over all finished runs: objective, strength, seed; each setting."""

from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from disent.runs import variance_shares

TREES, REPEATS, ROWS = 200, 20, 3000
FEWEST = 10  # runs for a forest


@dataclass(frozen=True)
class Bars:
    """One figure of bars: where it stands, what it shows, and its cells."""

    id: str
    title: str
    text: str
    kinds: list[str]
    x: str
    cells: list[dict[str, Any]]


def bars_of(runs: pd.DataFrame, scores: list[str], settings: list[str]) -> list[Bars]:
    """The figures of bars that these runs allow.

    Args:
        runs: The finished runs, by `with_families`.
        scores: The scores to explain.
        settings: The settings that vary, by their columns.
    """
    varying = [name for name in scores if runs[name].nunique() > 2]
    figures = (_shares(runs, varying), _importance(runs, varying, settings))
    return [bars for bars in figures if bars.cells]


def _shares(runs: pd.DataFrame, scores: list[str]) -> Bars:
    cells = []
    kinds = ["objective", "strength", "seed"]
    for name in scores:
        with suppress(ValueError):  # no setting has this score for two seeds
            shares = variance_shares(runs, name, adjusted=True)._asdict()
            cells += [{"name": name, "kind": k, "value": round(shares[k], 3)} for k in kinds]
    return Bars(
        "shares",
        "Setting or seed?",
        "Shares of each score's variance over all finished runs, adjusted for the number of "
        "settings.",
        kinds,
        "share of the variance",
        cells,
    )


def _importance(runs: pd.DataFrame, scores: list[str], settings: list[str]) -> Bars:
    """How much worse a forest foretells the score when one setting is shuffled."""
    score = scores[0] if scores else ""
    cells = _forest(runs, score, settings) if score else []
    return Bars(
        "importance",
        f"Which settings does {score} depend on?",
        f"Permutation importance of a random forest over all finished runs: by how much R2 falls "
        f"on runs that the forest has not seen when one setting is shuffled; mean of {REPEATS} "
        "shuffles, whose standard deviation is the line at the end. Settings that always go "
        "together share their importance.",
        ["loss of R2"],
        "loss of R2",
        cells,
    )


def _forest(runs: pd.DataFrame, score: str, settings: list[str]) -> list[dict[str, Any]]:
    from sklearn.ensemble import RandomForestRegressor
    from sklearn.inspection import permutation_importance
    from sklearn.model_selection import train_test_split

    known = runs.dropna(subset=[score])
    known = known.sample(min(len(known), ROWS), random_state=0)
    if len(known) < FEWEST:
        return []
    inputs = _inputs(known, settings)
    if inputs.shape[1] < 2:
        return []
    x, unseen, y, wanted = train_test_split(
        inputs.to_numpy(float), known[score].to_numpy(float), test_size=0.3, random_state=0
    )
    forest = RandomForestRegressor(TREES, random_state=0).fit(x, y)
    found: Any = permutation_importance(forest, unseen, wanted, n_repeats=REPEATS, random_state=0)
    order = np.argsort(-found.importances_mean)[:12]
    return [
        {"name": str(inputs.columns[i]), "kind": "loss of R2", "value": round(float(mean), 4)}
        | {"error": round(float(std), 4)}
        | {"low": round(float(mean - std), 4), "high": round(float(mean + std), 4)}
        for i in order
        for mean, std in [(found.importances_mean[i], found.importances_std[i])]
    ]


def _inputs(runs: pd.DataFrame, settings: list[str]) -> pd.DataFrame:
    """Family, settings and seed; words by their order, what is not set below all."""
    names = [name for name in settings if name in runs and name not in ("model.seed", "strength")]
    columns = {}
    for name in ["objective", *names, *(["seed"] if "seed" in runs else [])]:
        values = runs[name]
        if values.map(str).nunique() < 2:
            continue
        numbers = pd.to_numeric(values, errors="coerce")
        whole = numbers.notna().sum() == values.notna().sum()
        coded = numbers if whole else pd.Series(pd.factorize(values.map(str))[0], values.index)
        lowest = coded.min() - 1 if coded.notna().any() else 0
        columns["family" if name == "objective" else name] = coded.astype(float).fillna(lowest)
    return pd.DataFrame(columns)
