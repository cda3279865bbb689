# SPDX-License-Identifier: Apache-2.0
"""Short names of families: their class, and as few settings as tell them apart."""

import re
from collections.abc import Iterable

import pandas as pd

# "BetaVAE, latent_dim 10, hidden [256, 128]": a comma before a setting's name
SETTING = re.compile(r", (?=[a-z_]+ )")


def short_names(families: Iterable[str]) -> dict[str, str]:
    """The short name of each family, by its whole name.

    Args:
        families: Values of the column `objective` of `disent.runs.with_families`.
    Example:
        >>> short_names(["BetaVAE, lr 1, data A", "BetaVAE, lr 2, data A", "FactorVAE"])
        {'BetaVAE, lr 1, data A': 'BetaVAE, lr 1', 'BetaVAE, lr 2, data A': 'BetaVAE, lr 2',
        'FactorVAE': 'FactorVAE'}
    """
    whole = list(dict.fromkeys(families))
    groups: dict[str, list[str]] = {}
    for name in whole:
        groups.setdefault(SETTING.split(name)[0], []).append(name)
    found: dict[str, str] = {}
    for first, names in groups.items():
        settings = {name: tuple(SETTING.split(name)[1:]) for name in names}
        told = _telling(list(settings.values()))
        found |= {
            name: ", ".join([first, *(given[i] for i in told if i < len(given))])
            for name, given in settings.items()
        }
    return {name: found[name] for name in whole}


def run_titles(runs: pd.DataFrame) -> list[str]:
    """What varies between runs, in a few words each, such as "BetaVAE, beta 4, seed 0".

    Family, setting and seed, those that differ; of runs that these do not tell apart, the name.

    Args:
        runs: By `with_families`.
    Example:
        >>> table = pd.DataFrame({"run": ["a", "b"], "objective": ["BetaVAE"] * 2})
        >>> run_titles(table.assign(setting=["beta 1", "beta 4"], seed=0))
        ['beta 1', 'beta 4']
    """
    families = runs["objective"].map(short_names(runs["objective"]))
    settings = runs["setting"].where(runs["setting"].ne(runs["objective"]), "")
    seeds = runs["seed"] if "seed" in runs else pd.Series("", runs.index)
    seeds = seeds.map(lambda seed: "" if seed == "" or pd.isna(seed) else f"seed {seed:g}")
    parts = [part for part in (families, settings, seeds) if part.nunique() > 1]
    told = [
        ", ".join(filter(None, words))
        for words in zip(*(parts or [families, settings]), strict=True)
    ]
    names = runs["run"].tolist()
    return [
        title if title and told.count(title) == 1 else ", ".join(filter(None, [title, str(name)]))
        for title, name in zip(told, names, strict=True)
    ]


def _telling(settings: list[tuple[str, ...]]) -> list[int]:
    """Positions of settings that tell all apart, each the one that splits most, as written."""
    told: list[int] = []
    width = max(map(len, settings))

    def parts(positions: list[int]) -> int:
        return len({tuple(row[i : i + 1] for i in positions) for row in settings})

    while parts(told) < len(settings):
        left = [i for i in range(width) if i not in told]
        told.append(max(left, key=lambda i: (parts([*told, i]), -_length(settings, i), -i)))
    return sorted(told)


def _length(settings: list[tuple[str, ...]], position: int) -> int:
    return max(len(row[position]) for row in settings if position < len(row))
