# SPDX-License-Identifier: Apache-2.0
"""Rendering dSprites, opening it again, and the feed of batches to float32.

Run: python -m tests.benchmarks data
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time

import torch

from disent.data import DSprites
from disent.data.loader import FactorLoader
from disent.memory import keep_freed_memory

PICTURES, REPEATS = 100_000, 5  # of a measurement of the feed
# in a process of its own: peak memory is of a whole process
FRESH = """
import resource, time
from disent.data import DSprites
for _ in range(2):
    start = time.perf_counter()
    DSprites()
    print(time.perf_counter() - start)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3)
"""


def fresh() -> tuple[float, float, float]:
    """Seconds to render, seconds to open again, peak MB of a process whose cache is empty."""
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [sys.executable, "-c", FRESH],
            env=os.environ | {"DISENT_DATA_DIR": folder},
            capture_output=True,
            text=True,
            check=True,
        )
    render, reopen, peak = (float(line) for line in done.stdout.split())
    return render, reopen, peak


def feed(dataset: DSprites, batch_size: int) -> float:
    """Pictures per second from the loader, of the median measurement."""
    loader, speeds = FactorLoader(dataset, batch_size=batch_size), []
    for _ in range(REPEATS):
        batches = iter(loader)
        next(batches)
        count = PICTURES // batch_size
        start = time.perf_counter()
        for _ in range(count):
            next(batches)
        speeds.append(count * batch_size / (time.perf_counter() - start))
    return statistics.median(speeds)


def rows() -> list[tuple[str, str, str]]:
    """(what, figure, note) of rendering, opening and feeding."""
    render, reopen, peak = fresh()
    table = [
        ("render dSprites", f"{render:.2f} s", f"peak {peak:,.0f} MB, libraries included"),
        ("open dSprites again", f"{reopen:.4f} s", "memory map, same process"),
    ]
    kept = keep_freed_memory()
    dataset = DSprites()
    for batch_size in (64, 512):
        note = f"float32, i.i.d., {torch.get_num_threads()} threads, freed memory kept: {kept}"
        table.append((f"feed, batch {batch_size}", f"{feed(dataset, batch_size):,.0f} /s", note))
    return table


if __name__ == "__main__":
    for row in rows():
        print("{:22s} {:>14s}   {}".format(*row))
