# SPDX-License-Identifier: Apache-2.0
"""Prints every benchmark as one table: python -m tests.benchmarks [NAME ...].

The names: data, start, training, fleet, metrics, launch, runs, report. A suite is imported when it
is asked for, so `training` and `fleet` want no more than PyTorch, Lightning and rich.
"""

import importlib
import platform
import sys

import torch
from rich.console import Console
from rich.table import Table

SUITES = ("data", "start", "training", "fleet", "metrics", "launch", "runs", "report")

chosen = sys.argv[1:] or list(SUITES)
if unknown := set(chosen) - set(SUITES):
    sys.exit(f"there is no benchmark {', '.join(unknown)}. There are: {', '.join(SUITES)}.")
processor = platform.processor() or platform.machine()
if torch.cuda.is_available():
    processor = f"{torch.cuda.get_device_name()}, {processor}"
title = f"torch {torch.__version__}, {torch.get_num_threads()} threads, {processor}"
table = Table("what", "figure", "note", title=f"{title} {torch.backends.cpu.get_cpu_capability()}")
for name in chosen:
    suite = importlib.import_module(f"tests.benchmarks.bench_{name}")
    for row in suite.rows():
        table.add_row(*row)
Console(width=140).print(table)
