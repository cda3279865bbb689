# SPDX-License-Identifier: Apache-2.0
"""All runs of a folder as one table."""

import os
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from disent.runs.directory import RunDir

BESIDE = ("spread", "chance", "untrained", "pca")


def load_runs(path: str | os.PathLike[str]) -> pd.DataFrame:
    """One row a run: config, status, last logged values and scores as columns.

    Columns: `run`, `path`, `state`, `reason`; the config flattened under its own dotted names
    (`model.beta`, `data`, `seed`); the last row of metrics.csv (`step`, `rate`, ...); each score by
    its name (`mig`), with `mig.spread`, `mig.chance`, `mig.untrained` and `mig.pca` beside it. A
    run that cannot be read is a row whose `reason` says why.

    Args:
        path: A folder of runs, or one run.
    Raises:
        FileNotFoundError: There is no such folder.
    """
    root = Path(path)
    if not root.is_dir():
        raise FileNotFoundError(
            f"there is no folder {root}. Give the folder that --runs named (default: runs/)."
        )
    folders = [root] if (root / "status.json").exists() else sorted(root.iterdir())
    folders = [f for f in folders if (f / "status.json").exists() or (f / "config.yaml").exists()]
    return pd.DataFrame([_row(RunDir(folder)) for folder in folders])


def _row(run: RunDir) -> dict[str, Any]:
    row: dict[str, Any] = {"run": run.path.name, "path": str(run.path)}
    try:
        status = run.status()
        row |= {"state": status.get("state", "unknown"), "reason": status.get("reason", "")}
        if run.config.exists():
            row = _flatten(yaml.safe_load(run.config.read_text(encoding="utf-8"))) | row
        if run.metrics.exists():
            logged = pd.read_csv(run.metrics)
            row |= {str(name): logged[name].iloc[-1] for name in logged if len(logged)}
        for name, score in run.read_scores().get("scores", {}).items():
            row[name] = score["value"]
            row |= {f"{name}.{part}": score[part] for part in BESIDE if part in score}
    except (OSError, ValueError, KeyError, TypeError, AttributeError, yaml.YAMLError) as error:
        row |= {"state": "unreadable", "reason": f"{type(error).__name__}: {error}"}
    return row


def _flatten(config: dict[str, Any]) -> dict[str, Any]:
    """{"model": {"class_path": "a.B", "init_args": {"c": 4}}} -> {"model": "B", "model.c": 4}."""
    flat: dict[str, Any] = {}

    def visit(name: str, value: Any) -> None:
        if isinstance(value, dict) and "class_path" in value:
            flat[name] = value["class_path"].rsplit(".", 1)[-1]
            value = value.get("init_args") or {}
        if isinstance(value, dict):
            for key, item in value.items():
                visit(f"{name}.{key}" if name else key, item)
        else:
            flat[name] = value

    visit("", config)
    if "seed_everything" in flat:
        flat["seed"] = flat.pop("seed_everything")
    return flat
