# SPDX-License-Identifier: Apache-2.0
"""Do the tests notice small faults? python -m tests.mutants [--count 100] [--seed 0] [FILE ...].

Draws faults from the files named. For each, a process of its own runs the quick tests that import
what the file defines; those that no test noticed are printed. What makes a test hang is noticed.
"""

import argparse
import random
import sys
from collections import Counter
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.mutants.mutate import Mutant, mutants
from tests.mutants.trial import notices, tests_of

ROOT = Path(__file__).parents[2]
FILES = (
    "disent/objectives/*.py", "disent/metrics/*.py", "disent/metrics/solvers/*.py",
    "disent/streams.py", "disent/gaussian.py", "disent/runs/statistics.py",
    "disent/runs/paired.py", "disent/runs/variance.py", "disent/report/summary.py",
)  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("files", nargs="*", default=FILES, help="patterns, from the checkout")
    parser.add_argument("--count", type=int, default=100, help="how many faults to draw")
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args()
    files = sorted({file for pattern in chosen.files for file in ROOT.glob(pattern)})
    if not files:
        sys.exit(f"there is no file {', '.join(chosen.files)} in {ROOT}.")
    every = [(file, mutant) for file in files for mutant in mutants(file.read_text("utf-8"))]
    drawn = random.Random(chosen.seed).sample(every, min(chosen.count, len(every)))
    drawn.sort(key=lambda pair: (pair[0], pair[1].line))
    tried, survived = Counter[Path](), list[tuple[Path, Mutant]]()
    sound = dict[Path, bool]()
    for number, (file, mutant) in enumerate(drawn, 1):
        wanted = tests_of(file)
        if file not in sound:
            sound[file] = bool(wanted) and not notices(file, file.read_text("utf-8"), wanted)
            if not sound[file]:
                print(f"{file.relative_to(ROOT)}: no test of it, or they fail without a fault")
        if sound[file]:
            tried[file] += 1
            if not notices(file, mutant.source, wanted):
                survived.append((file, mutant))
                print(f"{number}/{len(drawn)} {file.relative_to(ROOT)}:{mutant.line}: "
                      f"{mutant.change}", flush=True)  # fmt: skip
    table = Table("file", "faults", "noticed", title=f"{len(every)} faults, {len(drawn)} drawn")
    for file in tried:
        missed = sum(where == file for where, _ in survived)
        table.add_row(str(file.relative_to(ROOT)), str(tried[file]), str(tried[file] - missed))
    table.add_row("all", str(tried.total()), str(tried.total() - len(survived)))
    Console(width=100).print(table)
    return 1 if survived else 0


if __name__ == "__main__":
    sys.exit(main())
