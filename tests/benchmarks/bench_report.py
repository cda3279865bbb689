# SPDX-License-Identifier: Apache-2.0
"""Seconds and megabytes of a report of 100 runs, each with traversals of its own.

Run: python -m tests.benchmarks report
"""

import shutil
import tempfile
import time
from pathlib import Path

from disent.report import write_report

RUNS = 100
STORED = Path(__file__).parents[2] / "analysis" / "runs" / "first_look"


def rows() -> list[tuple[str, str, str]]:
    """(what, figure, what was asked for)."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "runs"
        for number in range(RUNS):
            shutil.copytree(STORED, root / f"run-{number:03d}")
        file = Path(folder) / "report.html"
        begun = time.perf_counter()
        write_report(root, file)
        seconds, size = time.perf_counter() - begun, file.stat().st_size / 1e6
    return [(f"report of {RUNS} runs", f"{seconds:.1f} s, {size:.1f} MB", "60 s, 30 MB")]
