# SPDX-License-Identifier: Apache-2.0
"""Which latent wakes when, and which factor it stands for at the end."""

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

AWAKE = 0.5  # nats per image
FAINT = 0.1  # nats per image: below that, what a latent tells is drowned by its noise
FOLLOWS = 0.1  # of the factor's entropy: less than that is no following
RATE_OF_LATENT = re.compile(r"rate_(\d+)")


def wake_up(history: pd.DataFrame, *, by: str = "capacity", threshold: float = AWAKE) -> pd.Series:
    """Where each latent's rate first stays at or above `threshold` for two logged steps.

    Args:
        history: One run's logged steps: `step`, `by`, and `rate_0`, `rate_1`, ..., nats per image.
        by: The column that says where: "capacity" (C, nats per image) or "step".
        threshold: Nats per image.
    Returns:
        The value of `by` for each latent that wakes, earliest first; index: the latent's number.
    Raises:
        ValueError: A column is missing.
    """
    missing = {"step", by} - set(history.columns)
    if missing:
        raise ValueError(
            f"the history has no column {', '.join(sorted(missing))}. Give one run's rows of "
            'load_histories; only capacity-annealed runs log a capacity: by="step" is for others.'
        )
    history = history.sort_values("step").reset_index(drop=True)
    found = {}
    for name in map(str, history.columns):
        if not (match := RATE_OF_LATENT.fullmatch(name)):
            continue
        logged = history[[by, name]].dropna()
        awake = (logged[name] >= threshold).to_numpy()
        stays = awake & np.append(awake[1:], False)
        if stays.any():
            found[int(match[1])] = float(logged[by].iloc[int(stays.argmax())])
    return pd.Series(found, dtype=float).sort_values(kind="stable")


def followed_factors(record: dict[str, Any], names: Sequence[str] | None = None) -> dict[int, str]:
    """The factor that each latent follows best, if it tells a tenth of its entropy or more.

    Args:
        record: A run's metrics.json: `RunDir(path).read_scores()`.
        names: Of the factors; None: as in the record.
    Returns:
        By the latent's number; latents that follow no factor are left out, and so are faint ones
        (below 0.1 nats). Where the code has no rates, none is faint.
    Raises:
        ValueError: The record holds no information matrix.
    """
    if not record.get("information") or not record.get("factors"):
        raise ValueError("the record has no information matrix. Make one: disent evaluate RUN")
    names = list(record["factors"]) if names is None else list(names)
    entropies = np.asarray(record["factor_entropy"], float)
    shares = (
        np.asarray(record["information"], float)
        / np.where(entropies == 0, np.inf, entropies)[:, None]
    )
    best = shares.argmax(0)
    rates = record.get("rates") or [np.inf] * len(best)
    return {
        latent: names[factor]
        for latent, factor in enumerate(best)
        if shares[factor, latent] >= FOLLOWS and rates[latent] >= FAINT
    }
