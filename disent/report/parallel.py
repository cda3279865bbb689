# SPDX-License-Identifier: Apache-2.0
"""The sections of many runs, drawn by as many processes as there are cores."""

import multiprocessing
import os
from concurrent.futures import ProcessPoolExecutor
from typing import Any

import pandas as pd
import torch

from disent.report.run_section import RunSection, run_section

ALONE = 12  # runs: a process that imports torch costs as much as drawing these


def run_sections(runs: pd.DataFrame, numbers: list[int]) -> list[RunSection]:
    """A section for each of these rows of `load_runs`, in order."""
    rows: list[dict[str, Any]] = [
        {str(name): value for name, value in row.items()}
        for row in runs.iloc[numbers].to_dict("records")
    ]
    processes = min(len(os.sched_getaffinity(0)), len(rows) // ALONE)
    if processes < 2:
        return [run_section(row, number) for row, number in zip(rows, numbers, strict=True)]
    # spawn: torch's threads do not survive a fork
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, context, _one_thread) as pool:
        return list(pool.map(run_section, rows, numbers, chunksize=4))


def drawn_runs(runs: pd.DataFrame, most: int) -> list[int]:
    """Numbers of the `most` runs to draw: first one of each setting, then the second, ...."""
    if len(runs) <= most:
        return list(range(len(runs)))
    turn = runs.groupby(["objective", "setting"], dropna=False).cumcount().to_numpy()
    return sorted(turn.argsort(kind="stable")[:most].tolist())


def _one_thread() -> None:
    torch.set_num_threads(1)
