# SPDX-License-Identifier: Apache-2.0
"""Prints every benchmark as one table: python -m tests.benchmarks [NAME ...].

The names: data, training, fleet, metrics, launch, runs, report.
"""

import platform
import sys

import torch
from rich.console import Console
from rich.table import Table

from tests.benchmarks import (
    bench_data,
    bench_fleet,
    bench_launch,
    bench_metrics,
    bench_report,
    bench_runs,
    bench_training,
)

SUITES = {
    "data": bench_data.rows,
    "training": bench_training.rows,
    "fleet": bench_fleet.rows,
    "metrics": bench_metrics.rows,
    "launch": bench_launch.rows,
    "runs": bench_runs.rows,
    "report": bench_report.rows,
}

chosen = sys.argv[1:] or list(SUITES)
if unknown := set(chosen) - set(SUITES):
    sys.exit(f"there is no benchmark {', '.join(unknown)}. There are: {', '.join(SUITES)}.")
title = f"torch {torch.__version__}, {torch.get_num_threads()} threads, {platform.processor()}"
table = Table("what", "figure", "note", title=f"{title} {torch.backends.cpu.get_cpu_capability()}")
for name in chosen:
    for row in SUITES[name]():
        table.add_row(*row)
Console(width=120).print(table)
