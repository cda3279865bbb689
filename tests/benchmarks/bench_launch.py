# SPDX-License-Identifier: Apache-2.0
"""Milliseconds of a claim, and of a look at a whole sweep, at 10,000 trials in the folder.

Run: python -m tests.benchmarks launch
"""

import statistics
import tempfile
import time
from pathlib import Path

import yaml

from disent.launch.sweep.file import read_sweep
from disent.launch.workers.outcomes import Outcome
from disent.launch.workers.workers import Workers

TRIALS = 10_000


def rows() -> list[tuple[str, str, str]]:
    """(what, figure, how many were timed)."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "many.yaml"
        axis = {"values": list(range(TRIALS))}
        file.write_text(yaml.safe_dump({"method": "grid", "parameters": {"seed": axis}}))
        workers = Workers(read_sweep(file), Path(folder) / "runs")
        trials, times = workers.planner.trials(), []
        for trial in trials:
            start = time.perf_counter()
            lease = workers.leases.claim(trial.name)
            times.append(time.perf_counter() - start)
            assert lease is not None
            if trial.index < TRIALS // 2:
                workers.outcomes.write(trial.name, Outcome("finished"))
        late = times[-1000:]
        start = time.perf_counter()
        workers.status()
        first = time.perf_counter() - start
        start = time.perf_counter()
        workers.status()
        again = time.perf_counter() - start
    return [
        ("claim a trial", f"{1000 * statistics.median(late):.2f} ms", "median of the last 1,000"),
        ("claim a trial, slowest", f"{1000 * max(late):.2f} ms", "of the last 1,000"),
        ("look at the sweep", f"{1000 * first:.0f} ms", "first; half finished, half running"),
        ("look again", f"{1000 * again:.0f} ms", "what has ended is not read again"),
    ]


if __name__ == "__main__":
    for what, figure, note in rows():
        print(f"{what:28s} {figure:>10s}   {note}")
