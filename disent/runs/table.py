# SPDX-License-Identifier: Apache-2.0
"""Runs of every source as one table."""

import os
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from disent.files import expanded
from disent.runs.directory import RunDir
from disent.runs.find import find_runs, is_run
from disent.runs.index import indexed_runs
from disent.runs.rows import row_of
from disent.runs.wandb_offline import logs_in
from disent.runs.wandb_rows import ONLINE, offline_rows, online_rows

Source = str | os.PathLike[str]
ALIASES = {
    "beta": ("model.beta", "model.objective.beta"),
    "C": ("model.capacity", "model.objective.capacity"),
    "gamma": ("model.gamma", "model.objective.gamma"),
}


def load_runs(source: Source | Sequence[Source]) -> pd.DataFrame:
    """One row a run: config, status, last logged values and scores as columns.

    Runs are found at any depth, and named by their paths below the folder. Columns: `run`, `path`,
    `state`, `reason`; `beta`, `C`, `gamma` and `seed`; the config flattened under its own dotted
    names (`model.lr`, `data`); the last row of metrics.csv (`step`, `rate`, `elbo`, ..., nats per
    image, of one batch); each score by its name (`mig`), with `mig.spread`, `mig.chance`,
    `mig.untrained`, `mig.pca`, `mig.variant` and the rest beside it; rate, distortion and ELBO of
    all pictures as `evaluated.rate`, .... A run that cannot be read is a row whose `reason` says
    why.

    Beside a folder of runs an index is kept (`.runs-2.json`), so that only runs that have changed
    are read again.

    Args:
        source: A folder of runs, one run, a folder of W&B's offline logs, "wandb:entity/project",
            or several of these.
    Raises:
        FileNotFoundError: There is no such folder.
        ValueError: W&B does not answer.
    """
    sources = [source] if isinstance(source, str | os.PathLike) else list(source)
    tables = [table for each in sources if not (table := _load(os.fspath(each))).empty]
    if not tables:
        return pd.DataFrame()
    table = tables[0] if len(tables) == 1 else pd.concat(tables, ignore_index=True)
    known = {}
    for alias, names in ALIASES.items():
        for name in [name for name in names if name in table]:
            known[alias] = known[alias].fillna(table[name]) if alias in known else table[name]
    named = [name for name in ("run", "path", "state", "reason") if name in table]
    rest = [name for name in table if name not in named and name not in known]
    return pd.concat([table[named], pd.DataFrame(known, table.index), table[rest]], axis="columns")


def run_folders(root: Path) -> list[Path]:
    """The runs in a folder, at any depth, or the folder itself if it is one.

    Raises:
        FileNotFoundError: There is no such folder.
    """
    if not root.is_dir():
        raise FileNotFoundError(
            f"there is no folder {root}. Give the folder that --runs named (default: runs/)."
        )
    if is_run(root):
        return [root]
    return [root / name for name in find_runs(root).runs]


def _load(source: str) -> pd.DataFrame:
    if source.startswith(ONLINE):
        return pd.DataFrame(list(online_rows(source)))
    root = expanded(source)
    if root.is_dir() and not is_run(root):
        table = indexed_runs(root)
        if table.empty and (logs := logs_in(root)):
            return pd.DataFrame(list(offline_rows(logs)))
        return table
    return pd.DataFrame([row_of(RunDir(folder)) for folder in run_folders(root)])
