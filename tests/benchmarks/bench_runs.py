# SPDX-License-Identifier: Apache-2.0
"""Loading a study as large as that of Locatello et al. (2019): 12,600 runs.

Run: python -m tests.benchmarks runs
"""

import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.runs.study import write_run

RUNS = 12_600
LOAD = """
import resource, sys, time
begun = time.perf_counter()
from disent.runs import load_runs
imported = time.perf_counter()
table = load_runs(sys.argv[1])
print(time.perf_counter() - imported, imported - begun, len(table), len(table.columns),
      resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""


def rows() -> list[tuple[str, str, str]]:
    """(what, figure, what was asked for)."""
    found = []
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        begun = time.perf_counter()
        for number in range(RUNS):
            write_run(root, number)
        made = time.perf_counter() - begun
        for what, asked in (
            ("index for the first time", "-"),
            ("load again", "2 s, 1,000 MB"),
            ("load after 126 runs changed", "2 s"),
        ):
            if "changed" in what:
                for number in random.Random(0).sample(range(RUNS), 126):
                    write_run(root, number, seed=1)
            seconds, imports, runs, columns, megabytes = _load(root)
            found.append(
                (
                    f"{what}: {runs:,.0f} runs, {columns:.0f} columns",
                    f"{seconds:.2f} s (and imports {imports:.2f} s), peak {megabytes:.0f} MB",
                    asked,
                )
            )
    found.append((f"(writing these {RUNS:,} synthetic runs)", f"{made:.1f} s", "-"))
    return found


def _load(root: Path) -> list[float]:
    """Seconds to load and to import, runs, columns and peak memory, of a fresh process."""
    done = subprocess.run(
        [sys.executable, "-c", LOAD, str(root)], capture_output=True, text=True, check=True
    )
    return [float(word) for word in done.stdout.split()]
