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


def run_sections(runs: pd.DataFrame) -> list[RunSection]:
    """A section for each row of `load_runs`, in order; their anchors are run-0, run-1, ...."""
    rows: list[dict[str, Any]] = [
        {str(name): value for name, value in row.items()} for row in runs.to_dict("records")
    ]
    anchors = [f"run-{number}" for number in range(len(rows))]
    processes = min(len(os.sched_getaffinity(0)), len(rows) // ALONE)
    if processes < 2:
        return [run_section(row, anchor) for row, anchor in zip(rows, anchors, strict=True)]
    # spawn: torch's threads do not survive a fork
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, context, _one_thread) as pool:
        return list(pool.map(run_section, rows, anchors, chunksize=4))


def _one_thread() -> None:
    torch.set_num_threads(1)
